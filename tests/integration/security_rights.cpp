// Rights on the state topic that one of the agents lacks.

#include <regex>

#include <gmock/gmock.h>

#include "tests/integration/security_fixture.hpp"

namespace datasync::test {
namespace {

// In a cluster with destinations only, the Kafka user may be allowed to read alone.
TEST_F(Security, ApplyWithoutTheRightToRequestACopyNamesTheAnnotation) {
  prepare("asker");
  mount("kafka-apply", {{"username", kApply}, {"password", kafka_password()}});
  auto reading = capture();
  auto writing = apply();
  writing.common.channel.sasl_username = ref("kafka-apply", "username");
  writing.common.channel.sasl_password = ref("kafka-apply", "password");
  fixture_->start_capture(reading);
  fixture_->start_apply(writing);
  ASSERT_TRUE(equal());
  fixture_->broker().deny(kApply, "asker.state", "Write");
  fixture_->destination().execute("DELETE FROM asker.t WHERE id = 1");
  fixture_->apply().process().terminate();
  fixture_->forget(fixture_->apply());
  writing.copy_tables = "asker.t";
  fixture_->start_apply(writing);
  ASSERT_TRUE(fixture_->becomes(fixture_->apply(), "Stalled", "CopyNeeded"));
  const auto text = fixture_->apply().status().value_or(AgentStatus{}).message;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex(R"(datasync\.dev/copy-tables=(\S+))"))) << text;
  reading.copy_tables = found[1];
  fixture_->capture().process().terminate();
  fixture_->forget(fixture_->capture());
  fixture_->start_capture(reading);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", ""));
  fixture_->apply().kill_and_restart();  // both annotations are still there
  insert(1);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(fixture_->becomes(fixture_->apply(), "Streaming", ""));
  fixture_->broker().forget_rights("asker.state");
}

// The status said Streaming, while no checkpoint moved and no newer instance was noticed.
TEST_F(Security, AMissingRightOnTheStateTopicAloneIsNamed) {
  prepare("stateright");
  start_both();
  ASSERT_TRUE(equal());
  for (const auto* operation : {"Write", "Describe"}) {
    fixture_->broker().deny(kUser, "stateright.state", operation);
    insert();
    expect_reported(fixture_->capture(), "PermissionDenied", {"stateright.state", "checkpoints"});
    EXPECT_TRUE(fixture_->eventually_equal({{name_ + ".t", ""}}, kRecoversWithin));  // the data continues meanwhile
    fixture_->broker().forget_rights("stateright.state");
    ASSERT_TRUE(equal());
  }
}

}  // namespace
}  // namespace datasync::test
