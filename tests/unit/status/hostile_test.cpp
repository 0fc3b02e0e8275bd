// Whatever the CRD accepts in podTemplate and resources, and whatever answers in an agent's place: no exception in the
// pure layer, and what comes out has bounds. Random shapes; DATASYNC_SEED=n runs those of one seed again.

#include <cstdlib>
#include <random>

#include <gtest/gtest.h>

#include "operator/api/outside_json.hpp"
#include "operator/status/figures.hpp"
#include "operator/status/status.hpp"
#include "tests/unit/decide/observed_resource.hpp"

namespace datasync::status {
namespace {

using namespace datasync::decide::testing;
using decide::Observed;

constexpr std::size_t kLargestPlan = 1'000'000;
constexpr std::size_t kLargestStatus = 256 * 1024;

std::uint64_t chosen_seed() {
  const auto* text = std::getenv("DATASYNC_SEED");
  const auto seed = text != nullptr ? std::strtoull(text, nullptr, 10) : std::random_device{}();
  std::printf("seed %llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

class Shapes {
 public:
  explicit Shapes(std::uint64_t seed) : random_(seed) {}

  std::size_t below(std::size_t n) { return std::uniform_int_distribution<std::size_t>(0, n - 1)(random_); }

  Json any(unsigned depth = 0) {
    switch (below(depth > 6 ? 6 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return pick({0, -1, 1.5, 1e300, 9223372036854775807, 8080});
      case 3:
        return pick({"", "agent", "1Gi", "a\n", std::string(300, 'x')});
      case 4:
        return Json::array();
      case 5:
        return Json::object();
      case 6: {
        auto out = Json::array();
        for (auto n = below(4); n > 0; --n) out.push_back(any(depth + 1));
        return out;
      }
      default: {
        auto out = Json::object();
        for (auto n = below(5); n > 0; --n)
          out[pick({"metadata",
                    "labels",
                    "annotations",
                    "spec",
                    "containers",
                    "name",
                    "env",
                    "resources",
                    "limits",
                    "volumes",
                    "volumeMounts",
                    "mountPath",
                    "ports",
                    "containerPort",
                    "initContainers",
                    "",
                    "state",
                    "streams",
                    "skippedOffsets",
                    "held",
                    "since",
                    "offset",
                    "verify",
                    "tables",
                    "snapshot",
                    "percent",
                    "reason",
                    "message",
                    "rows",
                    "lag",
                    "replicaSeconds"})
                  .get<std::string>()] = any(depth + 1);
        return out;
      }
    }
  }

  /// `sample` with some of its parts exchanged: shapes that reach far.
  Json mutated(const Json& sample, unsigned chance = 6) {
    if (below(chance) == 0) return any(3);
    if (!sample.is_structured()) return sample;
    auto out = sample;
    for (auto& one : out) one = mutated(one, chance);
    return out;
  }

 private:
  Json pick(std::initializer_list<Json> from) { return *(from.begin() + below(from.size())); }
  std::mt19937_64 random_;
};

const Json& template_sample() {
  static const auto sample = Json::parse(R"({"metadata":{"labels":{"team":"a"},"annotations":{"b":"c"}},
    "spec":{"nodeSelector":{"disk":"fast"},"tolerations":[{"key":"k"}],"volumes":[{"name":"v","emptyDir":{}}],
            "containers":[{"name":"agent","env":[{"name":"A","value":"b"}],"resources":{"limits":{"memory":"1Gi"}},
              "ports":[{"name":"http","containerPort":8080}],"volumeMounts":[{"name":"v","mountPath":"/v"}]},
              {"name":"side","image":"i"}],
            "initContainers":[{"name":"first","image":"i"}]}})");
  return sample;
}

Observed seen_with(const Json& resource, const char* more) {
  auto seen = settled();
  seen.resource = resource;
  seen.resource.merge_patch(Json::parse(more));
  const auto tree = config::parse_json(seen.resource.dump());
  seen.document =
      tree ? api::read_resource(*tree) : api::Document{.number = 0, .resource = {}, .problems = {{"", "x"}}};
  return seen;
}

void run_pure(const Observed& seen) {
  const auto plan = decide::decide(seen);
  std::size_t bytes = 0;
  for (const auto& object : plan.applies) bytes += object.dump().size();
  EXPECT_LT(bytes, kLargestPlan);
  const auto update = build_status(seen, plan, {}, "ns/lease");
  EXPECT_LT(update.status.dump().size(), kLargestStatus);
}

TEST(Hostile, no_shape_of_a_template_that_the_crd_accepts_ends_in_an_exception) {
  const auto seed = chosen_seed();
  Shapes shapes(seed);
  std::size_t refused = 0, merged = 0;
  for (int i = 0; i < 250; ++i) {
    auto resource = Json::parse(kResource);
    for (const auto* agent : {"capture", "apply"}) {
      auto made = shapes.below(2) == 0 ? shapes.any() : shapes.mutated(template_sample(), 12);
      if (made.is_object()) resource["spec"][agent]["podTemplate"] = std::move(made);
      made = shapes.any();
      if (made.is_object()) resource["spec"][agent]["resources"] = std::move(made);
    }
    SCOPED_TRACE(std::to_string(seed) + "\n" + resource.dump());
    auto seen = seen_with(resource, "{}");
    const auto& problems = seen.document.problems;
    ++(problems.empty() ? merged : refused);
    for (const auto& p : problems) EXPECT_FALSE(p.path.empty()) << p.text();
    ASSERT_NO_THROW(run_pure(seen));
    seen.document.problems.clear();  // the merge itself is total, whatever is checked before
    ASSERT_NO_THROW(run_pure(seen));
    // A deleted one is let go, or its cleanup begins, and ends at the latest with the limit.
    seen = seen_with(resource, R"({"metadata":{"deletionTimestamp":"2023-11-14T22:13:00Z",
      "finalizers":["datasync.dev/cleanup"]},"spec":{"deletionPolicy":"Delete"}})");
    seen.settings.cleanup_limit = std::chrono::seconds(10);
    decide::Plan plan;
    ASSERT_NO_THROW(plan = decide::decide(seen));
    EXPECT_EQ(plan.finalizer, decide::Finalizer::Remove);
    if (HasFailure()) return;
  }
  EXPECT_GT(refused, 20U);
  EXPECT_GT(merged, 20U);
}

TEST(Hostile, no_answer_of_an_agent_ends_in_an_exception_or_a_large_status) {
  const auto seed = chosen_seed();
  Shapes shapes(seed);
  const auto sample = Json::parse(R"({"state":"Stalled","reason":"RowConflict","message":"m","live":true,"ready":true,
    "lostPosition":"0-1-2","replica":"r","position":"0-1-9","rows":5,"transactions":6,"binlogHoursLeft":7.5,
    "lag":{"replicaSeconds":0.5,"captureSeconds":2},"streams":[{"stream":0,"gtids":"0-1-9","skippedOffsets":[1,2]}],
    "held":[{"table":"a.b","reason":"r","message":"m","stream":1,"offset":2,"since":1700000000}],
    "snapshot":{"percent":5,"etaSeconds":9,"tables":[{"table":"a.b","done":false}]},
    "verify":{"done":true,"tables":[{"table":"a.b","equal":false}]}})");
  for (int i = 0; i < 600; ++i) {
    const auto answer = shapes.mutated(sample).dump();
    SCOPED_TRACE(std::to_string(seed) + "\n" + answer);
    decide::AgentView view;
    bool read = false;
    ASSERT_NO_THROW(read = decide::read_status(answer, view));
    if (!read) continue;
    ASSERT_NO_THROW(without_figures({{"apply", agent_section(view)}}));
    auto seen = settled();
    seen.pods = {pod(seen, "capture"), pod(seen, "apply")};
    for (const auto* agent : {"capture", "apply"}) seen.reports[agent] = {std::string(agent) + "-pod", view, {}};
    ASSERT_NO_THROW(run_pure(seen));
    const auto update = build_status(seen, decide::decide(seen), {}, "");
    for (const auto& c : update.status.at("conditions")) EXPECT_NE(c.at("reason"), "");
    if (HasFailure()) return;
  }
}

TEST(Hostile, an_answer_of_many_brackets_is_no_status) {
  decide::AgentView view;
  const auto deep = R"({"state":"Streaming","x":)" + std::string(400'000, '[') + std::string(400'000, ']') + "}";
  EXPECT_FALSE(decide::read_status(deep, view));
}

TEST(Hostile, a_time_that_has_no_text_and_numbers_beyond_the_api_are_bounded) {
  decide::AgentView view;
  ASSERT_TRUE(decide::read_status(R"({"state":"Streaming","rows":18446744073709551615,"transactions":-5,
    "binlogHoursLeft":1e308,"lag":{"replicaSeconds":1e308},"snapshot":{"percent":1e300},
    "held":[{"table":"t","since":9223372036854775807}]})",
                                  view));
  const auto section = agent_section(view);
  EXPECT_LE(section.at("rows").get<std::uint64_t>(), 9'223'372'036'854'775'807U);
  EXPECT_EQ(section.at("transactions"), 0);
  EXPECT_EQ(section.at("snapshot").at("percent"), 100);
  EXPECT_EQ(section.at("held").at(0).at("since"), "9999-12-31T23:59:59Z");
  EXPECT_LT(section.dump().size(), 1000U);
}

TEST(Hostile, a_status_is_small_when_everything_in_the_answer_is_long) {
  Json answer{
      {"state", "Stalled"}, {"reason", "Bad reason, " + std::string(5000, 'r')}, {"message", std::string(90'000, 'm')}};
  for (int i = 0; i < 600; ++i) {
    answer["held"].push_back({{"table", std::string(400, 't')}, {"reason", "R"}, {"message", std::string(500, 'h')}});
    answer["verify"]["tables"].push_back({{"table", std::string(300, 'v')}, {"equal", false}});
  }
  decide::AgentView view;
  ASSERT_TRUE(decide::read_status(answer.dump(), view));
  EXPECT_LT(agent_section(view).dump().size(), 120'000U);
  EXPECT_EQ(view.held_count, 600U);
  EXPECT_EQ(view.reason.substr(0, 9), "Badreason");
}

}  // namespace
}  // namespace datasync::status
