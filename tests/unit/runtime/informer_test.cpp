#include "operator/runtime/informer.hpp"

#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_api.hpp"

namespace datasync::runtime {
namespace {

using base::Millis;
using kube::EventType;
using Strings = std::vector<std::string>;

Json object(const std::string& name, int version) {
  return {
      {"metadata",
       {{"namespace", "ns"}, {"name", name}, {"resourceVersion", std::to_string(version)}, {"managedFields", {1}}}}};
}

struct Fixture {
  FakeApi api;
  std::stop_source stop;
  base::SteadyTime now{};
  std::vector<Millis> sleeps;
  Strings reported;  ///< "Added a"
  Strings froms;     ///< where watches began
  Informer::Options options;
  std::unique_ptr<Informer> informer;

  Fixture() {
    api.script_over = [this] { stop.request_stop(); };
    options.kind = kube::kConfigMaps;
    options.now = [this] { return now; };
    options.sleep = [this](std::stop_token token, Millis wait) {
      sleeps.push_back(wait);
      now += wait;
      return !token.stop_requested();
    };
  }
  Fixture& lists(int version, std::vector<Json> items) {
    api.lists.push_back([=] { return List{items, std::to_string(version)}; });
    return *this;
  }
  Fixture& list_fails(Code code) {
    api.lists.push_back([=]() -> ApiResult<List> { return api_error(code); });
    return *this;
  }
  /// Events, then how it ends; a good end comes after a minute.
  Fixture& watches(std::vector<WatchEvent> events, Code end = Code::Stopped) {
    api.watches.push_back([=, this](const std::string& from, const auto& on_event) -> ApiResult<void> {
      froms.push_back(from);
      for (const auto& event : events) on_event(event);
      if (end != Code::Stopped) return api_error(end);
      now += Millis(60'000);
      return {};
    });
    return *this;
  }
  void run() {
    informer = std::make_unique<Informer>(api, options);
    informer->on_change([this](Informer::Change change, const Json& o, const Json*) {
      static const Strings kNames{"Added", "Modified", "Deleted"};
      reported.push_back(kNames[static_cast<std::size_t>(change)] + " " + key_of(o).name);
    });
    informer->run(stop.get_token());
  }
};

TEST(Informer, ReportsTheChangesOfAListAndAWatch) {
  Fixture w;
  w.lists(5, {object("a", 1), object("b", 2)})
      .watches({{EventType::Added, object("c", 6)},
                {EventType::Modified, object("a", 7)},
                {EventType::Deleted, object("b", 8)}});
  w.run();
  EXPECT_EQ(w.reported, (Strings{"Added a", "Added b", "Added c", "Modified a", "Deleted b"}));
  EXPECT_TRUE(w.informer->has_synced());
  EXPECT_EQ(w.informer->size(), 2U);
  EXPECT_FALSE(w.informer->get({"ns", "b"}));
  EXPECT_FALSE(w.informer->get({"ns", "a"})->at("metadata").contains("managedFields"));
}

TEST(Informer, ResumesFromTheLastBookmark) {
  Fixture w;
  w.lists(5, {}).watches({{EventType::Bookmark, object("", 9)}}).watches({}, Code::Transport).watches({});
  w.run();
  EXPECT_EQ(w.froms, (Strings{"5", "9", "9"}));
  EXPECT_EQ(w.informer->counts().lists, 1U);
}

TEST(Informer, ListsAgainAfterGoneAndReportsOnlyTheDifference) {
  Fixture w;
  w.lists(5, {object("a", 1), object("b", 2), object("c", 3)})
      .watches({}, Code::Gone)
      .lists(9, {object("a", 1), object("b", 8), object("d", 9)})
      .watches({});
  w.run();
  EXPECT_EQ(w.reported, (Strings{"Added a", "Added b", "Added c", "Deleted c", "Modified b", "Added d"}));
  EXPECT_EQ(w.froms, (Strings{"5", "9"}));
  EXPECT_EQ(w.informer->counts().gone, 1U);
}

TEST(Informer, WaitsLongerEachTimeWhenAWatchIsAlwaysGone) {
  Fixture w;
  w.options.first_wait = Millis(1000);
  for (int i = 0; i < 8; ++i) w.lists(5, {}).watches({}, Code::Gone);
  w.run();
  Millis total{0};
  for (const auto wait : w.sleeps) total += wait;
  EXPECT_GE(w.sleeps.size(), 8U) << "no hot loop";
  EXPECT_GT(total, Millis(1000));
}

TEST(Informer, AWatchThatEndsAtOnceIsNotAskedForInAHotLoop) {
  Fixture w;
  w.lists(5, {});
  for (int i = 0; i < 5; ++i) {
    w.api.watches.push_back([](const std::string&, const auto&) -> ApiResult<void> { return {}; });
  }
  w.run();
  EXPECT_GE(w.sleeps.size(), 5U);
}

TEST(Informer, IgnoresAnOlderList) {
  Fixture w;
  w.lists(100, {object("a", 90)})
      .watches({{EventType::Added, object("b", 101)}}, Code::Gone)
      .lists(100, {object("a", 90)})
      .lists(102, {object("a", 90), object("b", 101)})
      .watches({});
  w.run();
  EXPECT_EQ(w.reported, (Strings{"Added a", "Added b"})) << "b was never gone";
  EXPECT_EQ(w.informer->counts().past_lists, 1U);
}

TEST(Informer, AcceptsAnOlderListThatPersists) {
  Fixture w;
  w.options.past_lists = 3;
  w.lists(100, {object("a", 90)}).watches({}, Code::Gone);
  for (int i = 0; i < 3; ++i) w.lists(7, {object("z", 6)});
  w.watches({{EventType::Modified, object("z", 8)}});
  w.run();
  EXPECT_EQ(w.reported, (Strings{"Added a", "Deleted a", "Added z", "Modified z"}));
}

TEST(Informer, IgnoresAnOlderEvent) {
  Fixture w;
  w.lists(100, {object("a", 90)}).watches({{EventType::Modified, object("a", 80)}}).watches({});
  w.run();
  EXPECT_EQ(w.reported, (Strings{"Added a"}));
  EXPECT_EQ(w.froms, (Strings{"100", "100"}));
  EXPECT_EQ(w.informer->counts().past_events, 1U);
}

TEST(Informer, ListsFromTimeToTime) {
  Fixture w;
  w.options.relist = Millis(100'000);
  w.lists(5, {}).watches({}).watches({}).watches({}).lists(6, {object("missed", 6)}).watches({});
  w.run();
  EXPECT_EQ(w.reported, (Strings{"Added missed"}));
}

TEST(Informer, RemembersWhyItCannotFollow) {
  Fixture w;
  w.list_fails(Code::Forbidden);
  w.run();
  ASSERT_TRUE(w.informer->last_error());
  EXPECT_EQ(w.informer->last_error()->code, Code::Forbidden);
  EXPECT_FALSE(w.informer->has_synced());
  Fixture recovered;
  recovered.list_fails(Code::Forbidden).lists(5, {}).watches({});
  recovered.run();
  EXPECT_FALSE(recovered.informer->last_error());
}

TEST(Informer, FindsObjectsByIndex) {
  Fixture w;
  w.options.index = [](const Json& o) { return Strings{key_of(o).name.substr(0, 1)}; };
  w.lists(5, {object("a1", 1), object("a2", 2), object("b1", 3)}).watches({{EventType::Deleted, object("a1", 6)}});
  w.run();
  EXPECT_EQ(w.informer->indexed("a").size(), 1U);
  EXPECT_EQ(w.informer->indexed("b").size(), 1U);
  EXPECT_TRUE(w.informer->indexed("c").empty());
}

}  // namespace
}  // namespace datasync::runtime
