#include "operator/runtime/events.hpp"

#include <gtest/gtest.h>

#include "tests/unit/runtime/fake_api.hpp"

namespace datasync::runtime {
namespace {

using base::Millis;
using Strings = std::vector<std::string>;

struct Fixture {
  FakeApi api;
  base::SteadyTime now{};
  EventRecorder events{api, [this] {
                         EventRecorder::Options options;
                         options.instance = "pod-1";
                         options.again = Millis(1000);
                         options.most_kept = 3;
                         options.now = [this] { return now; };
                         return options;
                       }()};
  const Json object{{"apiVersion", "datasync.dev/v1alpha1"},
                    {"kind", "DataSync"},
                    {"metadata", {{"namespace", "ns"}, {"name", "shop"}, {"uid", "u"}}}};
  void record(const std::string& note) {
    events.record(object, EventKind::Warning, "SecretNotFound", "Reconcile", note);
  }
};

TEST(Events, RepeatsAreOneEventWhoseCountIsWrittenEverLessOften) {
  Fixture w;
  w.record("no secret");
  EXPECT_EQ(w.api.calls, Strings{"create events"});
  for (int i = 2; i <= 7; ++i) w.record("no secret");
  EXPECT_EQ(w.api.calls, (Strings{"create events", "patch events", "patch events"})) << "the second and the fourth";
  const auto& event = w.api.objects.begin()->second;
  EXPECT_EQ(event.at("series").at("count"), 4);
  w.now += Millis(1000);
  w.record("no secret");
  w.record("no secret");
  EXPECT_EQ(event.at("series").at("count"), 8);
  w.now += Millis(1000);
  w.record("no secret");
  EXPECT_EQ(event.at("series").at("count"), 10) << "and after a while";
  EXPECT_EQ(event.at("regarding").at("name"), "shop");
  EXPECT_EQ(event.at("type"), "Warning");
  EXPECT_EQ(event.at("reportingInstance"), "pod-1");
}

TEST(Events, AnotherNoteIsAnotherEvent) {
  Fixture w;
  w.record("a");
  w.record("b");
  EXPECT_EQ(w.api.objects.size(), 2U);
}

TEST(Events, OneThatWasRemovedByTheServerIsWrittenAgain) {
  Fixture w;
  w.record("a");
  w.api.objects.clear();
  w.now += Millis(1000);
  w.record("a");
  EXPECT_EQ(w.api.objects.size(), 1U);
}

TEST(Events, OneThatCouldNotBeWrittenIsTriedAgain) {
  Fixture w;
  w.api.refuse = Code::Forbidden;
  w.record("a");
  w.api.refuse = Code::Stopped;
  w.record("a");
  EXPECT_EQ(w.api.objects.size(), 1U);
}

TEST(Events, RemembersNoMoreThanItMay) {
  Fixture w;
  for (int i = 0; i < 10; ++i) w.record(std::to_string(i));
  w.record("9");
  EXPECT_EQ(w.api.objects.size(), 10U);
  w.record("0");
  EXPECT_EQ(w.api.objects.size(), 11U) << "the oldest is forgotten";
}

TEST(Events, ALongNoteIsCutBetweenCharacters) {
  Fixture w;
  std::string note(1023, 'x');
  note += "\u00e4";
  w.record(note);
  EXPECT_EQ(w.api.objects.begin()->second.at("note"), std::string(1023, 'x'));
}

TEST(MicroTime, IsRfc3339InUtc) {
  EXPECT_EQ(micro_time(base::WallTime(std::chrono::microseconds(86'400'000'123))), "1970-01-02T00:00:00.000123Z");
}

}  // namespace
}  // namespace datasync::runtime
