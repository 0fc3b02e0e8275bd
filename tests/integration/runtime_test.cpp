// operator/runtime with a real API server behind the fault proxy: whatever the network and the server do, the copy
// becomes what the server has, leaders stay one at a time, and nothing asks in a hot loop.

#include <atomic>
#include <future>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "operator/kube/client.hpp"
#include "operator/runtime/controller.hpp"
#include "operator/runtime/events.hpp"
#include "operator/runtime/informer.hpp"
#include "operator/runtime/leader.hpp"
#include "operator/runtime/metrics.hpp"
#include "tests/integration/left_connection.hpp"
#include "tests/support/api_proxy.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::runtime {
namespace {

using base::Millis;
using kube::Api;
using std::chrono::seconds;
using test::ApiCall;
using test::ApiProxy;
using test::ApiServer;
using test::eventually;
using test::Fault;

Json config_map(const std::string& name, const std::string& value) {
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", {{"name", name}}}, {"data", {{"x", value}}}};
}

class RuntimeTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    dir_ = std::make_unique<test::TempDir>();
    server_ = std::make_unique<ApiServer>(dir_->path());
    proxy_ = std::make_unique<ApiProxy>(*server_);
  }
  static void TearDownTestSuite() {
    proxy_.reset();
    server_.reset();
    dir_.reset();
  }
  void SetUp() override {
    ns_ = fmt::format("t{}", ++number_);
    server_->make_namespace(ns_);
    proxy_->reset();
    direct_ = open(server_->kubeconfig());
    api_ = open(proxy_->kubeconfig(), seconds(5));
  }
  void TearDown() override { proxy_->reset(); }

  /// How long a call takes decides nothing, unless the proxy may hold it.
  static std::unique_ptr<Api> open(const std::filesystem::path& kubeconfig, Millis deadline = std::chrono::hours(1)) {
    kube::ConnectOptions options;
    options.kubeconfig = kubeconfig.string();
    options.qps = 0;
    options.call_deadline = deadline;
    options.watch_idle = Millis(1500);
    auto api = kube::connect(options);
    if (!api) throw std::runtime_error(api.error().what);
    return std::move(*api);
  }
  Informer::Options following() const {
    Informer::Options options;
    options.kind = kube::kConfigMaps;
    options.selector.ns = ns_;
    options.first_wait = Millis(50);
    options.most_wait = Millis(400);
    return options;
  }
  void put(const std::string& name, const std::string& value) {
    const auto done = direct_->apply(kube::kConfigMaps, {ns_, name}, config_map(name, value));
    ASSERT_TRUE(done) << done.error().message;
  }
  std::string cached(const Informer& informer, const std::string& name) const {
    const auto object = informer.get({ns_, name});
    return object ? object->at("data").at("x").get<std::string>() : "";
  }
  /// The server's objects of this namespace, as name=value.
  std::map<std::string, std::string> there() {
    std::map<std::string, std::string> all;
    const auto list = direct_->list(kube::kConfigMaps, {ns_, "", ""});
    if (!list) return all;
    for (const auto& o : list->items) {
      all[key_of(o).name] = o.at("data").at("x").get<std::string>();
    }
    return all;
  }

  static inline std::unique_ptr<test::TempDir> dir_;
  static inline std::unique_ptr<ApiServer> server_;
  static inline std::unique_ptr<ApiProxy> proxy_;
  static inline int number_ = 0;
  std::string ns_;
  std::unique_ptr<Api> direct_;  ///< past the proxy
  std::unique_ptr<Api> api_;
};

struct WatchFault {
  std::string name;
  Fault fault;
};

class InformerThrough : public RuntimeTest, public testing::WithParamInterface<WatchFault> {};

TEST_P(InformerThrough, EndsWithTheObjectsOfTheServer) {
  put("a", "1");
  put("b", "1");
  std::atomic<int> faults = 0;
  proxy_->on_call([&](const ApiCall& call) {
    if (call.verb != "watch" || faults >= 3) return Fault::none();
    ++faults;
    return GetParam().fault;
  });
  Informer informer(*api_, following());
  informer.start();
  ASSERT_TRUE(informer.wait_synced({}, Millis(10'000)));
  EXPECT_EQ(cached(informer, "a"), "1");
  put("a", "2");
  put("c", "1");
  ASSERT_TRUE(direct_->remove(kube::kConfigMaps, {ns_, "b"}));
  EXPECT_TRUE(eventually(
      [&] {
        return faults == 3 && cached(informer, "a") == "2" && cached(informer, "c") == "1" && !informer.get({ns_, "b"});
      },
      seconds(20)));
  informer.stop();
  EXPECT_LE(proxy_->calls().size(), 30U) << "no hot loop";
}

INSTANTIATE_TEST_SUITE_P(Faults, InformerThrough,
                         testing::Values(WatchFault{"GoneAsStatus", Fault::answer(410, "Expired")},
                                         WatchFault{"GoneAsEvent", Fault::of(Fault::Kind::GoneEvent)},
                                         WatchFault{"CutLines", Fault::of(Fault::Kind::CutLine)},
                                         WatchFault{"Resets", Fault::of(Fault::Kind::Reset)},
                                         WatchFault{"Silence", Fault::of(Fault::Kind::Silence)},
                                         WatchFault{"TooMany", Fault::answer(429, "TooManyRequests", 1)},
                                         WatchFault{"ServerErrors", Fault::answer(500, "InternalError")},
                                         WatchFault{"NoRight", Fault::answer(403, "Forbidden")}),
                         [](const auto& row) { return row.param.name; });

TEST_F(RuntimeTest, AnInformerRecoversFromARestartedAndCompactedServer) {
  put("a", "1");
  Informer informer(*api_, following());
  informer.start();
  ASSERT_TRUE(informer.wait_synced({}, Millis(10'000)));
  server_->restart();
  direct_ =
      open(server_->kubeconfig());  // the old one's connection is dead, and a write finds that out only by failing
  put("a", "2");
  ASSERT_TRUE(eventually([&] { return cached(informer, "a") == "2"; }, seconds(20)));
  proxy_->hold(true);
  put("a", "3");
  ASSERT_TRUE(direct_->remove(kube::kConfigMaps, {ns_, "kube-root-ca.crt"}));
  server_->compact();
  server_->restart();
  proxy_->hold(false);
  EXPECT_TRUE(eventually([&] { return cached(informer, "a") == "3"; }, seconds(20)));
}

TEST_F(RuntimeTest, AnInformerDoesNotGoBackToAnOlderList) {
  put("a", "1");
  proxy_->remember_lists();
  Informer informer(*api_, following());
  std::atomic<int> deleted = 0;
  informer.on_change([&](Informer::Change change, const Json&, const Json*) {
    if (change == Informer::Change::Deleted) ++deleted;
  });
  informer.start();
  ASSERT_TRUE(informer.wait_synced({}, Millis(10'000)));
  put("b", "1");
  ASSERT_TRUE(eventually([&] { return cached(informer, "b") == "1"; }, seconds(10)));
  std::atomic<int> past = 0;
  std::atomic<bool> gone = false;
  proxy_->on_call([&](const ApiCall& call) {
    if (call.verb == "watch" && !gone.exchange(true)) return Fault::of(Fault::Kind::GoneEvent);
    if (call.verb == "list" && past < 2) {
      ++past;
      return Fault::of(Fault::Kind::PastList);
    }
    return Fault::none();
  });
  proxy_->end_watches();
  ASSERT_TRUE(eventually([&] { return informer.counts().lists == 4; }, seconds(10)));
  EXPECT_EQ(informer.counts().past_lists, 2U);
  EXPECT_EQ(deleted, 0);
  EXPECT_EQ(cached(informer, "b"), "1");
}

/// A controller of a few lines: each object named NAME gets a copy NAME-copy.
struct Copier {
  Api& api;
  Informer informer;
  health::Metrics metrics;
  std::unique_ptr<Controller> controller;

  Copier(Api& a, Informer::Options options) : api(a), informer(a, std::move(options)) {
    Controller::Options settings;
    settings.workers = 2;
    settings.queue.first_wait = Millis(50);
    settings.queue.most_wait = Millis(1000);
    controller = std::make_unique<Controller>(
        settings,
        [this](const ObjectKey& key, std::stop_token) {
          const auto object = informer.get(key);
          const ObjectKey copy{key.ns, key.name + "-copy"};
          if (!object) {
            const auto removed = api.remove(kube::kConfigMaps, copy);
            return removed ? Outcome::object_gone() : Outcome::failed(removed.error());
          }
          const auto known = informer.get(copy);
          if (known && known->at("data") == object->at("data")) return Outcome::done();
          const auto made =
              api.apply(kube::kConfigMaps, copy, config_map(copy.name, object->at("data").at("x").get<std::string>()));
          return made ? Outcome::done() : Outcome::failed(made.error());
        },
        metrics);
    informer.on_change([this](Informer::Change, const Json& object, const Json*) {
      auto key = key_of(object);
      if (key.name.ends_with("-copy")) key.name.resize(key.name.size() - 5);
      controller->enqueue(key);
    });
  }
  void start() {
    informer.start();
    controller->start();
  }
};

TEST_F(RuntimeTest, AControllerReachesTheSameStateThroughEveryRefusal) {
  std::atomic<std::size_t> n = 0;
  proxy_->on_call([&](const ApiCall& call) {
    if (!call.is_write()) return Fault::none();
    switch (n++ % 7) {
      case 0:
        return Fault::answer(409, "Conflict");
      case 1:
        return Fault::answer(500, "InternalError");
      case 2:
        return Fault::answer(429, "TooManyRequests", 1);
      case 3:
        return Fault::of(Fault::Kind::ResetAfterCommit);
      case 4: {
        auto fault = Fault::answer(503, "ServiceUnavailable");
        fault.kind = Fault::Kind::AnswerAfterCommit;
        return fault;
      }
      default:
        return Fault::none();
    }
  });
  auto options = following();
  options.selector.fields = "metadata.name!=kube-root-ca.crt";
  Copier copier(*api_, std::move(options));
  copier.start();
  for (int i = 0; i < 5; ++i) put(fmt::format("m{}", i), "1");
  put("m0", "2");
  ASSERT_TRUE(direct_->remove(kube::kConfigMaps, {ns_, "m4"}));
  const std::map<std::string, std::string> expected{{"m0", "2"}, {"m0-copy", "2"}, {"m1", "1"}, {"m1-copy", "1"},
                                                    {"m2", "1"}, {"m2-copy", "1"}, {"m3", "1"}, {"m3-copy", "1"}};
  EXPECT_TRUE(eventually([&] { return there() == expected; }, seconds(40)));
  EXPECT_LE(proxy_->writes(), 60U) << "no hot loop";
}

TEST_F(RuntimeTest, AHookRunsAfterTheServerHasCommittedAndBeforeTheAnswer) {
  auto victim = test::Process::start({.args = {"sleep", "1000"}, .env = {}, .log = {}, .working_dir = {}});
  std::vector<std::string> seen;
  std::mutex mutex;
  proxy_->before_answer([&](const ApiCall& call, std::size_t n) {
    const std::lock_guard lock(mutex);
    seen.push_back(fmt::format("{} before {}", n, call.name));
    if (n == 2) victim.kill();
  });
  std::promise<void> answered;
  proxy_->after_answer([&](const ApiCall& call, std::size_t n) {
    const std::lock_guard lock(mutex);
    seen.push_back(fmt::format("{} after {}", n, call.name));
    if (n == 2) answered.set_value();
  });
  ASSERT_TRUE(api_->apply(kube::kConfigMaps, {ns_, "a"}, config_map("a", "1")));
  EXPECT_TRUE(victim.is_running());
  // The second call may come on another connection, whose thread does not wait for the first one's hook.
  ASSERT_TRUE(eventually(
      [&] {
        const std::lock_guard lock(mutex);
        return seen.size() == 2;
      },
      seconds(20)));
  ASSERT_TRUE(api_->apply(kube::kConfigMaps, {ns_, "b"}, config_map("b", "1")));
  EXPECT_FALSE(victim.is_running());
  answered.get_future().get();
  const std::lock_guard lock(mutex);
  EXPECT_EQ(seen, (std::vector<std::string>{"1 before a", "1 after a", "2 before b", "2 after b"}));
}

// The proxy's socket had SO_REUSEPORT, which has no effect on connections of a server without it: once in some hundred
// proxies it could not listen.
TEST_F(RuntimeTest, TheProxyListensWhereAnEndedServerLeftConnections) {
  const test::PortLease lease;
  test::leave_connection(lease.port());
  const ApiProxy proxy(*server_, "", lease);
  EXPECT_TRUE(test::accepts_connections(lease.port()));
  EXPECT_THROW(ApiProxy(*server_, "", lease), std::system_error) << "two proxies would share the port";
}

TEST_F(RuntimeTest, AReadHeedsRetryAfter) {
  std::atomic<int> refusals = 0;
  proxy_->on_call([&](const ApiCall& call) {
    return call.verb == "get" && refusals++ < 1 ? Fault::answer(429, "TooManyRequests", 2) : Fault::none();
  });
  put("a", "1");
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_TRUE(api_->get(kube::kConfigMaps, {ns_, "a"}));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, seconds(2));
  EXPECT_EQ(proxy_->count("get"), 2U);
}

LeaderElector::Options candidate(const std::string& ns, const std::string& identity) {
  LeaderElector::Options options;
  options.lease = {ns, "operator"};
  options.identity = identity;
  options.duration = Millis(3000);
  options.renew_deadline = Millis(2000);
  options.retry = Millis(300);
  return options;
}

TEST_F(RuntimeTest, ALeaderThatIsCutOffStopsBeforeTheNextOneBegins) {
  LeaderElector first(*api_, candidate(ns_, "first"));
  LeaderElector second(*direct_, candidate(ns_, "second"));
  ASSERT_TRUE(first.acquire({}));
  std::promise<std::chrono::steady_clock::time_point> lost;
  first.keep([&] { lost.set_value(std::chrono::steady_clock::now()); });
  auto next = std::async(std::launch::async, [&] {
    EXPECT_TRUE(second.acquire({}));
    return std::chrono::steady_clock::now();
  });
  EXPECT_EQ(next.wait_for(seconds(5)), std::future_status::timeout) << "it is renewed";
  proxy_->hold(true);
  const auto lost_at = lost.get_future().get();
  EXPECT_FALSE(first.leading());
  EXPECT_GT(next.get(), lost_at);
  proxy_->hold(false);
}

TEST_F(RuntimeTest, AReleasedLeaseIsAcquiredAtOnce) {
  LeaderElector first(*api_, candidate(ns_, "first"));
  LeaderElector second(*direct_, candidate(ns_, "second"));
  ASSERT_TRUE(first.acquire({}));
  first.keep([] {});
  EXPECT_EQ(second.step(), LeaderElector::Step::Other);
  first.release();
  EXPECT_EQ(second.step(), LeaderElector::Step::Held);
}

TEST_F(RuntimeTest, WritesEventsThatKubectlShows) {
  put("a", "1");
  const auto object = direct_->get(kube::kConfigMaps, {ns_, "a"});
  EventRecorder::Options options;
  options.instance = "operator-0";
  options.again = Millis(0);
  EventRecorder events(*api_, options);
  events.record(*object, EventKind::Warning, "SecretNotFound", "Reconcile", "the secret is missing");
  events.record(*object, EventKind::Warning, "SecretNotFound", "Reconcile", "the secret is missing");
  EXPECT_EQ(proxy_->count("create", "events"), 1U);
  EXPECT_EQ(proxy_->count("patch", "events"), 1U);
  const auto shown = server_->kubectl({"-n", ns_, "events", "--for", "configmap/a"});
  EXPECT_NE(shown.find("SecretNotFound"), std::string::npos) << shown;
  EXPECT_NE(shown.find("x2"), std::string::npos) << shown;
}

TEST_F(RuntimeTest, CountsCallsForMetrics) {
  health::Metrics metrics;
  kube::ConnectOptions options;
  options.kubeconfig = proxy_->kubeconfig().string();
  options.on_call = api_call_counter(metrics);
  auto api = kube::connect(options);
  ASSERT_TRUE(api);
  (void)(*api)->get(kube::kConfigMaps, {ns_, "nothing"});
  EXPECT_NE(metrics.text().find("datasync_operator_api_calls_total{code=\"404\",verb=\"get\"} 1"), std::string::npos)
      << metrics.text();
}

}  // namespace
}  // namespace datasync::runtime
