// A proxy between operator and API server gives every fault of FAULTS D3-D8: the end is that of a quiet run, the calls
// stay few, the operator does not crash.

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr auto kFaulty = seconds(12);
constexpr std::size_t kMostCalls = 150;

struct Row {
  const char* name;
  std::function<Fault(const ApiCall&, std::size_t n)> fault;  ///< n: how many of these calls came before
};

bool is_write(const ApiCall& c) {
  return c.is_write() && c.resource != "events";
}
bool is_watch(const ApiCall& c) {
  return c.verb == "watch";
}

class OperatorFaults : public testing::TestWithParam<Row> {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<OperatorEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }

  static Json run(const std::function<Fault(const ApiCall&, std::size_t)>& fault, std::size_t* calls) {
    environment_->clear();
    ApiProxy proxy(environment_->server());
    auto op = environment_->start(proxy.kubeconfig(), {"--resync", "5"});
    EXPECT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
    EXPECT_TRUE(eventually([&] { return environment_->observed(); }, seconds(60))) << environment_->log();
    const auto before = proxy.calls().size();
    std::atomic<std::size_t> n = 0;
    std::atomic<bool> on = true;
    if (fault) {
      proxy.remember_lists();
      proxy.on_call([&](const ApiCall& c) { return on ? fault(c, n++) : Fault::none(); });
      proxy.end_watches();
    }
    EXPECT_EQ(environment_->apply(
                  OperatorEnvironment::resource(R"({"spec":{"paused":true,"source":{"replicas":[{"host":"db-2"}]}}})")),
              "");
    if (fault) std::this_thread::sleep_for(kFaulty);
    if (calls != nullptr) *calls = proxy.calls().size() - before;
    on = false;
    const auto ended = [&] {
      const auto d = environment_->get(kube::kDeployments, "shop-capture");
      return environment_->observed() && d.is_object() && d.at("spec").at("replicas") == 0 &&
             environment_->get(kube::kConfigMaps, "shop-config").at("data").size() == 2;  // those of before are gone
    };
    EXPECT_TRUE(eventually(ended, seconds(90))) << environment_->log();
    EXPECT_TRUE(op.is_running()) << environment_->log();
    return environment_->objects();
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

TEST_P(OperatorFaults, end_in_the_same_state_as_without_them) {
  static const auto expected = run(nullptr, nullptr);
  std::size_t calls = 0;
  const auto objects = run(GetParam().fault, &calls);
  EXPECT_EQ(objects, expected) << Json::diff(expected, objects).dump(1);
  EXPECT_LT(calls, kMostCalls);
  std::printf("%zu calls in %lld s\n", calls, static_cast<long long>(kFaulty.count()));
}

INSTANTIATE_TEST_SUITE_P(
    Proxy, OperatorFaults,
    testing::Values(
        Row{"conflict",
            [](const ApiCall& c, std::size_t) { return is_write(c) ? Fault::answer(409, "Conflict") : Fault::none(); }},
        Row{"gone_as_answer",
            [](const ApiCall& c, std::size_t) { return is_watch(c) ? Fault::answer(410, "Expired") : Fault::none(); }},
        Row{"gone_as_event",
            [](const ApiCall& c, std::size_t) {
              return is_watch(c) ? Fault::of(Fault::Kind::GoneEvent) : Fault::none();
            }},
        Row{"too_many_requests",
            [](const ApiCall&, std::size_t n) {
              return n % 2 == 0 ? Fault::answer(429, "TooManyRequests", 2) : Fault::none();
            }},
        Row{"server_error", [](const ApiCall&, std::size_t) { return Fault::answer(500, "InternalError"); }},
        Row{"error_after_the_deed",
            [](const ApiCall& c, std::size_t) {
              return is_write(c) ? Fault{Fault::Kind::AnswerAfterCommit, 500, "InternalError", 0} : Fault::none();
            }},
        Row{"reset_after_the_deed",
            [](const ApiCall& c, std::size_t) {
              return is_write(c) ? Fault::of(Fault::Kind::ResetAfterCommit) : Fault::none();
            }},
        Row{"cut_chunks", [](const ApiCall& c,
                             std::size_t) { return is_watch(c) ? Fault::of(Fault::Kind::CutLine) : Fault::none(); }},
        Row{"silent_watch", [](const ApiCall& c,
                               std::size_t) { return is_watch(c) ? Fault::of(Fault::Kind::Silence) : Fault::none(); }},
        Row{"lists_from_the_past",
            [](const ApiCall& c, std::size_t) {
              return is_watch(c)        ? Fault::answer(410, "Expired")
                     : c.verb == "list" ? Fault::of(Fault::Kind::PastList)
                                        : Fault::none();
            }},
        Row{"every_connection_is_cut",
            [](const ApiCall&, std::size_t n) { return n % 3 == 0 ? Fault::of(Fault::Kind::Reset) : Fault::none(); }}),
    [](const auto& row) { return std::string(row.param.name); });

}  // namespace
}  // namespace datasync::test
