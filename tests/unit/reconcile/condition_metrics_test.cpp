#include "operator/reconcile/condition_metrics.hpp"

#include <algorithm>
#include <sstream>

#include <gmock/gmock.h>

namespace datasync::reconcile {
namespace {

using kube::Json;
using testing::ElementsAre;
using testing::IsEmpty;

const kube::ObjectKey kShop{"sync", "shop"};

Json conditions(const char* ready, const char* stalled, const char* reason) {
  return {{{"type", "Ready"}, {"status", ready}, {"reason", reason}},
          {{"type", "Stalled"}, {"status", stalled}, {"reason", reason}}};
}

struct World {
  health::Metrics metrics;
  ConditionMetrics shown{metrics};

  /// The samples about resources, in the order of the page.
  [[nodiscard]] std::vector<std::string> samples() const {
    std::istringstream page(metrics.text());
    std::vector<std::string> out;
    for (std::string line; std::getline(page, line);)
      if (line.starts_with("datasync_resource_")) out.push_back(line.substr(std::string("datasync_resource_").size()));
    return out;
  }
};

TEST(ConditionMetrics, AreOneOrZeroForEachTypeAndTheReasonIsAMetricOfItsOwn) {
  World w;
  w.shown.show(kShop, conditions("False", "True", "ImagePullFailed"));
  EXPECT_THAT(w.samples(), ElementsAre(R"(condition{name="shop",namespace="sync",type="Ready"} 0)",
                                       R"(condition{name="shop",namespace="sync",type="Stalled"} 1)",
                                       R"(reason{name="shop",namespace="sync",reason="ImagePullFailed"} 1)"));
  w.shown.show(kShop, conditions("Unknown", "True", "Unschedulable"));
  EXPECT_THAT(w.samples(), ElementsAre(R"(condition{name="shop",namespace="sync",type="Ready"} 0)",
                                       R"(condition{name="shop",namespace="sync",type="Stalled"} 1)",
                                       R"(reason{name="shop",namespace="sync",reason="Unschedulable"} 1)"))
      << "the series of the condition is the same, and one reason at a time";
  w.shown.show(kShop, conditions("True", "False", "Streaming"));
  EXPECT_THAT(w.samples(), ElementsAre(R"(condition{name="shop",namespace="sync",type="Ready"} 1)",
                                       R"(condition{name="shop",namespace="sync",type="Stalled"} 0)",
                                       R"(reason{name="shop",namespace="sync",reason="Streaming"} 1)"));
}

TEST(ConditionMetrics, OfAResourceThatIsDeletedEnd) {
  World w;
  w.shown.show(kShop, conditions("True", "False", "Streaming"));
  w.shown.show({"sync", "bank"}, conditions("True", "False", "Streaming"));
  w.shown.forget(kShop);
  EXPECT_THAT(w.samples(), ElementsAre(R"(condition{name="bank",namespace="sync",type="Ready"} 1)",
                                       R"(condition{name="bank",namespace="sync",type="Stalled"} 0)",
                                       R"(reason{name="bank",namespace="sync",reason="Streaming"} 1)"));
  w.shown.forget({"sync", "never-seen"});
  w.shown.clear();
  EXPECT_THAT(w.samples(), IsEmpty()) << "nor does a former leader have any";
}

TEST(ConditionMetrics, OfATypeThatTheStatusNoLongerHasEnd) {
  World w;
  auto list = conditions("True", "False", "Streaming");
  list.push_back({{"type", "Complete"}, {"status", "True"}, {"reason", "Completed"}});
  w.shown.show(kShop, list);
  EXPECT_EQ(w.samples().size(), 4U);
  w.shown.show(kShop, Json::array({{{"type", "Ready"}, {"status", "True"}}}));
  EXPECT_THAT(w.samples(), ElementsAre(R"(condition{name="shop",namespace="sync",type="Ready"} 1)"));
}

TEST(ConditionMetrics, ANewLeaderBeginsWithTheStoredStatusAndDoesNotReturnToIt) {
  World w;
  w.shown.show_first(kShop, conditions("False", "True", "ImagePullFailed"));
  EXPECT_EQ(w.samples().size(), 3U);
  w.shown.show(kShop, conditions("True", "False", "Streaming"));
  w.shown.show_first(kShop, conditions("False", "True", "ImagePullFailed"));
  EXPECT_THAT(w.samples(), ElementsAre(R"(condition{name="shop",namespace="sync",type="Ready"} 1)",
                                       R"(condition{name="shop",namespace="sync",type="Stalled"} 0)",
                                       R"(reason{name="shop",namespace="sync",reason="Streaming"} 1)"));
}

TEST(ConditionMetrics, DoNotDependOnTheShapeOfAStoredStatus) {
  World w;
  for (const auto* text : {"null", "\"x\"", "{}", "[]", "[1, null, {}]", R"([{"type": 3}, {"status": "True"}])"})
    w.shown.show(kShop, Json::parse(text));
  EXPECT_THAT(w.samples(), IsEmpty());
}

}  // namespace
}  // namespace datasync::reconcile
