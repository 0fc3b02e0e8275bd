// Rights on the state topic that one of the agents lacks.

#include <regex>

#include <gmock/gmock.h>

#include "tests/integration/security_fixture.hpp"

namespace datasync::test {
namespace {

// In a cluster with destinations only, the Kafka user may be allowed to read alone.
TEST_F(Security, AnApplyThatMayNotAskForACopyNamesTheAnnotationForTheSource) {
  prepare("asker");
  mount("kafka-apply", {{"username", kApply}, {"password", kafka_password()}});
  auto reading = capture();
  auto writing = apply();
  writing.common.channel.sasl_username = ref("kafka-apply", "username");
  writing.common.channel.sasl_password = ref("kafka-apply", "password");
  rig_->start_capture(reading);
  rig_->start_apply(writing);
  ASSERT_TRUE(equal());
  rig_->broker().deny(kApply, "asker.state", "Write");
  rig_->destination().execute("DELETE FROM asker.t WHERE id = 1");
  rig_->apply().process().terminate();
  rig_->forget(rig_->apply());
  writing.copy_tables = "asker.t";
  rig_->start_apply(writing);
  ASSERT_TRUE(rig_->becomes(rig_->apply(), "Stalled", "CopyNeeded"));
  const auto text = rig_->apply().status().value_or(AgentStatus{}).message;
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex(R"(datasync\.dev/copy-tables=(\S+))"))) << text;
  reading.copy_tables = found[1];
  rig_->capture().process().terminate();
  rig_->forget(rig_->capture());
  rig_->start_capture(reading);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(rig_->becomes(rig_->apply(), "Streaming", ""));
  rig_->apply().kill_and_restart();  // both annotations are still there
  insert(1);
  EXPECT_TRUE(equal());
  EXPECT_TRUE(rig_->becomes(rig_->apply(), "Streaming", ""));
  rig_->broker().forget_rights("asker.state");
}

// The status said Streaming, while no checkpoint moved and no newer instance was noticed.
TEST_F(Security, ARightOnTheStateTopicAloneIsNamedWhileItIsMissing) {
  prepare("stateright");
  start_both();
  ASSERT_TRUE(equal());
  for (const auto* operation : {"Write", "Describe"}) {
    rig_->broker().deny(kUser, "stateright.state", operation);
    insert();
    expect_told(rig_->capture(), "PermissionDenied", {"stateright.state", "checkpoints"});
    EXPECT_TRUE(rig_->eventually_equal({{name_ + ".t", ""}}, kHealsWithin));  // the data goes on meanwhile
    rig_->broker().forget_rights("stateright.state");
    ASSERT_TRUE(equal());
  }
}

}  // namespace
}  // namespace datasync::test
