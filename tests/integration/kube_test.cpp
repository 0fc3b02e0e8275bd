// operator/kube against a real API server: every call, and what watches and lists do when the server has moved on.

#include <algorithm>
#include <atomic>
#include <future>
#include <set>
#include <thread>

#include "tests/integration/kube_fixture.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::kube {
namespace {

using test::eventually;

TEST_F(KubeTest, CreatesGetsAndDeletes) {
  const auto created = api_->create(kConfigMaps, ns_, config_map("a", {{"x", "1"}}));
  ASSERT_TRUE(created) << created.error().message;
  const auto again = api_->create(kConfigMaps, ns_, config_map("a", {{"x", "2"}}));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, Code::AlreadyExists);
  EXPECT_EQ(again.error().http, 409);

  const auto got = api_->get(kConfigMaps, key("a"));
  ASSERT_TRUE(got);
  EXPECT_EQ(got->at("data"), Json({{"x", "1"}}));
  EXPECT_EQ(got->at("metadata").at("managedFields").at(0).at("manager"), "datasync");

  ASSERT_TRUE(api_->remove(kConfigMaps, key("a")));
  ASSERT_TRUE(api_->remove(kConfigMaps, key("a"))) << "gone is what was asked for";
  EXPECT_EQ(api_->get(kConfigMaps, key("a")).error().code, Code::NotFound);
  EXPECT_EQ(calls(),
            (std::vector<std::string>{"create 201", "create 409", "get 200", "delete 200", "delete 404", "get 404"}));
}

TEST_F(KubeTest, ApplyRemovesFieldsNoLongerNamed) {
  ASSERT_TRUE(api_->apply(kConfigMaps, key("a"), config_map("a", {{"x", "1"}, {"y", "2"}})));
  server_->kubectl({"-n", ns_, "patch", "configmap", "a", "--type=merge", "-p", R"({"data":{"z":"theirs","x":"no"}})"});
  const auto applied = api_->apply(kConfigMaps, key("a"), config_map("a", {{"x", "3"}}));
  ASSERT_TRUE(applied) << applied.error().message;
  EXPECT_EQ(applied->at("data"), Json({{"x", "3"}, {"z", "theirs"}}));
  const auto before = version_of(*applied);
  EXPECT_EQ(version_of(*api_->apply(kConfigMaps, key("a"), config_map("a", {{"x", "3"}}))), before);
}

TEST_F(KubeTest, MergePatchHeedsItsPreconditions) {
  const auto made = api_->create(kConfigMaps, ns_, config_map("a", {{"x", "1"}}));
  ASSERT_TRUE(made);
  const auto first = version_of(*made);
  ASSERT_TRUE(api_->merge_patch(kConfigMaps, key("a"),
                                {{"metadata", {{"resourceVersion", first}}}, {"data", {{"x", nullptr}, {"y", "2"}}}}));
  EXPECT_EQ(api_->get(kConfigMaps, key("a"))->at("data"), Json({{"y", "2"}}));
  const auto late =
      api_->merge_patch(kConfigMaps, key("a"), {{"metadata", {{"resourceVersion", first}}}, {"data", {{"y", "3"}}}});
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::Conflict);
  const auto other =
      api_->merge_patch(kConfigMaps, key("a"), {{"metadata", {{"uid", "00000000-0000-0000-0000-000000000000"}}}});
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, Code::Conflict);
}

TEST_F(KubeTest, DeleteHeedsItsPreconditions) {
  const auto made = api_->create(kConfigMaps, ns_, config_map("a", {}));
  ASSERT_TRUE(made);
  const auto uid = made->at("metadata").at("uid").get<std::string>();
  const auto wrong_uid = api_->remove(kConfigMaps, key("a"), {"00000000-0000-0000-0000-000000000000", ""});
  ASSERT_FALSE(wrong_uid);
  EXPECT_EQ(wrong_uid.error().code, Code::Conflict);
  EXPECT_EQ(api_->remove(kConfigMaps, key("a"), {uid, "1"}).error().code, Code::Conflict);
  EXPECT_TRUE(api_->remove(kConfigMaps, key("a"), {uid, version_of(*made)}));
}

TEST_F(KubeTest, UpdateWritesOnlyOverWhatWasRead) {
  const auto made = api_->create(kConfigMaps, ns_, config_map("a", {{"x", "1"}}));
  ASSERT_TRUE(made);
  auto changed = *made;
  changed["data"]["x"] = "2";
  ASSERT_TRUE(api_->update(kConfigMaps, key("a"), changed));
  EXPECT_EQ(api_->update(kConfigMaps, key("a"), changed).error().code, Code::Conflict);
}

TEST_F(KubeTest, WritesStatusApart) {
  const Json deployment = Json::parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"d"},"spec":{
    "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
    "spec":{"containers":[{"name":"c","image":"i"}]}}}})");
  ASSERT_TRUE(api_->apply(kDeployments, key("d"), deployment));
  const auto patched = api_->merge_patch(kDeployments, key("d"), {{"status", {{"replicas", 3}}}}, "status");
  ASSERT_TRUE(patched) << patched.error().message;
  EXPECT_EQ(patched->at("status").at("replicas"), 3);
  EXPECT_EQ(api_->get(kDeployments, key("d"))->at("spec").at("replicas"), 1);
}

TEST_F(KubeTest, ReportsTheServersMessageWhenAnObjectIsInvalid) {
  auto bad = config_map("Not_A_Name", {});
  const auto refused = api_->create(kConfigMaps, ns_, bad);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::Invalid);
  EXPECT_EQ(refused.error().http, 422);
  EXPECT_NE(refused.error().message.find("Not_A_Name"), std::string::npos) << refused.error().message;
  EXPECT_EQ(api_->create(kConfigMaps, "no-such-namespace", config_map("a", {})).error().code, Code::NotFound);
}

TEST_F(KubeTest, ReadsAListInPages) {
  for (int i = 0; i < 7; ++i) {
    auto object = config_map(fmt::format("m{}", i), {});
    object["metadata"]["labels"] = {{"half", i % 2 == 0 ? "even" : "odd"}};
    ASSERT_TRUE(api_->create(kConfigMaps, ns_, object));
  }
  options_.page = 3;
  const auto paged = open();
  calls_.clear();
  const auto list = paged->list(kConfigMaps, {ns_, "", ""});
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->items.size(), 7U);
  EXPECT_EQ(calls(), std::vector<std::string>(3, "list 200"));
  EXPECT_EQ(list->items[0].at("kind"), "ConfigMap");
  EXPECT_EQ(list->items[0].at("apiVersion"), "v1");
  EXPECT_EQ(paged->list(kConfigMaps, {ns_, "half=odd", ""})->items.size(), 3U);
  EXPECT_EQ(paged->list(kConfigMaps, {ns_, "", "metadata.name=m4"})->items.size(), 1U);
  const auto trimmed = paged->list_trimmed(kConfigMaps, {ns_, "", ""}, [](Json& o) { o["metadata"].erase("uid"); });
  ASSERT_TRUE(trimmed);
  EXPECT_TRUE(std::ranges::none_of(trimmed->items, [](const Json& o) { return o["metadata"].contains("uid"); }));
}

TEST_F(KubeTest, AListWhosePagesExpireIsReadOnceMoreInOnePiece) {
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(api_->create(kConfigMaps, ns_, config_map(fmt::format("m{}", i), {})));
  options_.page = 2;
  bool forgotten = false;
  std::vector<std::string> seen;
  options_.on_call = [&](std::string_view verb, int code) {
    seen.push_back(fmt::format("{} {}", verb, code));
    if (std::exchange(forgotten, true)) return;
    // What is compacted has to be older than the present, and the server's cache still knows it.
    server_->kubectl({"-n", ns_, "label", "configmap", "m0", "a=b"});
    server_->compact();
    server_->restart();
  };
  const auto list = open()->list(kConfigMaps, {ns_, "", ""});
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->items.size(), 5U);
  EXPECT_EQ(std::ranges::count(seen, "list 410"), 1);
  EXPECT_EQ(std::ranges::count(seen, "list 200"), 2) << "the first page, and all in one piece";
}

struct Watched {
  std::mutex mutex;
  std::vector<std::string> seen;  ///< "ADDED name"
  std::string position;
  void take(const WatchEvent& event) {
    static const std::vector<std::string> kNames{"ADDED", "MODIFIED", "DELETED", "BOOKMARK"};
    const std::lock_guard lock(mutex);
    position = version_of(event.object);
    if (event.type == EventType::Bookmark) return;
    seen.push_back(kNames[static_cast<std::size_t>(event.type)] + " " +
                   event.object.at("metadata").at("name").get<std::string>());
  }
  bool has(const std::vector<std::string>& expected) {
    return eventually(
        [&] {
          const std::lock_guard lock(mutex);
          return seen == expected;
        },
        seconds(10));
  }
};

TEST_F(KubeTest, WatchesResumesAndStops) {
  const auto list = api_->list(kConfigMaps, {ns_, "", ""});
  ASSERT_TRUE(list);
  Watched first;
  {
    std::stop_source stop;
    auto ended = std::async(std::launch::async, [&] {
      return api_->watch(kConfigMaps, {ns_, "", ""}, list->resource_version, stop.get_token(),
                         [&](const WatchEvent& e) { first.take(e); });
    });
    ASSERT_TRUE(api_->create(kConfigMaps, ns_, config_map("a", {{"text", "two\nlines \u00e4"}})));
    ASSERT_TRUE(api_->merge_patch(kConfigMaps, key("a"), {{"data", {{"x", "1"}}}}));
    EXPECT_TRUE(first.has({"ADDED a", "MODIFIED a"}));
    const auto begin = std::chrono::steady_clock::now();
    stop.request_stop();
    const auto end = ended.get();
    EXPECT_TRUE(end) << "a stop is an orderly end: " << end.error().message;
    EXPECT_LT(std::chrono::steady_clock::now() - begin, options_.watch_idle) << "nothing else ends it sooner";
  }
  ASSERT_TRUE(api_->remove(kConfigMaps, key("a")));
  ASSERT_TRUE(api_->create(kConfigMaps, ns_, config_map("b", {})));
  Watched second;
  std::stop_source stop;
  auto ended = std::async(std::launch::async, [&] {
    return api_->watch(kConfigMaps, {ns_, "", ""}, first.position, stop.get_token(),
                       [&](const WatchEvent& e) { second.take(e); });
  });
  EXPECT_TRUE(second.has({"DELETED a", "ADDED b"})) << "from where the first one was";
  stop.request_stop();
  EXPECT_TRUE(ended.get());
}

TEST_F(KubeTest, WatchesThousandsOfEventsOfAllSizesWithoutLosingOne) {
  const auto list = api_->list(kConfigMaps, {ns_, "", ""});
  ASSERT_TRUE(list);
  std::set<std::string> names;
  std::mutex mutex;
  std::stop_source stop;
  auto ended = std::async(std::launch::async, [&] {
    return api_->watch(kConfigMaps, {ns_, "", ""}, list->resource_version, stop.get_token(), [&](const WatchEvent& e) {
      if (e.type == EventType::Bookmark) return;
      const std::lock_guard lock(mutex);
      names.insert(e.object.at("metadata").at("name").get<std::string>());
    });
  });
  constexpr int kCount = 300;
  for (int i = 0; i < kCount; ++i) {
    ASSERT_TRUE(
        api_->create(kConfigMaps, ns_,
                     config_map(fmt::format("m{}", i), {{"x", std::string(static_cast<std::size_t>(i * i), 'x')}})));
  }
  EXPECT_TRUE(eventually(
      [&] {
        const std::lock_guard lock(mutex);
        return names.size() == kCount;
      },
      seconds(20)));
  stop.request_stop();
  EXPECT_TRUE(ended.get());
}

TEST_F(KubeTest, AWatchFromAnExpiredVersionIsGone) {
  const auto made = api_->create(kConfigMaps, ns_, config_map("a", {}));
  ASSERT_TRUE(made);
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(api_->merge_patch(kConfigMaps, key("a"), {{"data", {{"x", std::to_string(i)}}}}));
  }
  server_->compact();
  server_->restart();  // its watch cache still knew
  const auto end = api_->watch(kConfigMaps, {ns_, "", ""}, version_of(*made), {}, [](const WatchEvent&) {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::Gone) << end.error().message;
}

TEST_F(KubeTest, AWatchEndsInOrderWhenItsTimeIsUp) {
  options_.watch_length = seconds(2);
  const auto short_lived = open();
  const auto list = short_lived->list(kConfigMaps, {ns_, "", ""});
  ASSERT_TRUE(list);
  const auto end = short_lived->watch(kConfigMaps, {ns_, "", ""}, list->resource_version, {}, [](const WatchEvent&) {});
  EXPECT_TRUE(end) << end.error().message;
}

TEST_F(KubeTest, ASilentWatchIsClosed) {
  options_.watch_idle = milliseconds(700);
  const auto impatient = open();
  const auto list = impatient->list(kConfigMaps, {ns_, "", ""});
  ASSERT_TRUE(list);
  const auto end = impatient->watch(kConfigMaps, {ns_, "", ""}, list->resource_version, {}, [](const WatchEvent&) {});
  ASSERT_FALSE(end);
  EXPECT_EQ(end.error().code, Code::Timeout) << end.error().message;
}

TEST_F(KubeTest, AFrozenServerMeetsTheDeadlineAndAStopEndsTheCall) {
  options_.call_deadline = milliseconds(500);
  const auto hasty = open();
  server_->freeze();
  const auto late = hasty->create(kConfigMaps, ns_, config_map("a", {}));  // nothing else would end it
  std::stop_source stop;
  auto stopped = std::async(std::launch::async, [&] {
    const CallScope scope(stop.get_token());
    return api_->get(kConfigMaps, key("a"));
  });
  std::this_thread::sleep_for(milliseconds(100));
  stop.request_stop();
  const auto end = stopped.wait_for(seconds(60));  // its own deadline is in an hour
  server_->thaw();
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Code::Timeout) << late.error().message;
  ASSERT_EQ(end, std::future_status::ready);
  EXPECT_EQ(stopped.get().error().code, Code::Stopped);
}

TEST_F(KubeTest, AReadIsTriedAgainAcrossARestartAndAWriteIsNot) {
  server_->kill();
  const auto write = api_->create(kConfigMaps, ns_, config_map("a", {}));
  ASSERT_FALSE(write);
  EXPECT_EQ(write.error().code, Code::Transport);
  EXPECT_EQ(calls().size(), 1U);
  const auto read = api_->get(kConfigMaps, key("a"));
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, Code::Transport);
  EXPECT_GT(calls().size(), 2U);
  server_->start();
  EXPECT_EQ(api_->get(kConfigMaps, key("a")).error().code, Code::NotFound);
}

TEST_F(KubeTest, SendsNoWriteThatMayNotBe) {
  bool leading = true;
  options_.may_write = [&] { return leading; };
  const auto gated = open();
  ASSERT_TRUE(gated->create(kConfigMaps, ns_, config_map("a", {})));
  leading = false;
  EXPECT_EQ(gated->remove(kConfigMaps, key("a")).error().code, Code::Stopped);
  EXPECT_TRUE(gated->get(kConfigMaps, key("a"))) << "reading goes on, and it is still there";
}

TEST_F(KubeTest, KeepsItsRate) {
  options_.qps = 20;
  options_.burst = 2;
  const auto slow = open();
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 8; ++i) EXPECT_FALSE(slow->get(kConfigMaps, key("a")));
  EXPECT_GE(std::chrono::steady_clock::now() - begin, milliseconds(280)) << "6 beyond the burst at 20 a second";
}

TEST_F(KubeTest, ManyThreadsShareOneApi) {
  std::vector<std::jthread> threads;
  std::atomic<int> good = 0;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        if (api_->apply(kConfigMaps, key(fmt::format("m{}-{}", t, i)), config_map(fmt::format("m{}-{}", t, i), {})))
          ++good;
      }
    });
  }
  threads.clear();
  EXPECT_EQ(good, 80);
}

TEST_F(KubeTest, ReadsClusterScopedObjects) {
  EXPECT_EQ(api_->get(kNamespaces, {"", ns_})->at("metadata").at("name"), ns_);
  EXPECT_TRUE(api_->get(kClusterRoles, {"", "system:node"}));
}

}  // namespace
}  // namespace datasync::kube
