#include "cli/local/validate.hpp"

#include <sstream>

#include <gtest/gtest.h>

namespace datasync::cli {
namespace {

const std::string kSamples = SAMPLES_DIR;

TEST(Validate, a_good_file_is_ok) {
  std::ostringstream out;
  EXPECT_EQ(validate({kSamples + "/full.yaml"}, out), 0);
  EXPECT_EQ(out.str(), kSamples + "/full.yaml: ok\n");
}

TEST(Validate, every_problem_is_reported_with_file_document_and_path) {
  std::ostringstream out;
  const auto bad = kSamples + "/invalid/two-of-one.yaml";
  EXPECT_EQ(validate({bad, kSamples + "/source-only.yaml", "/nowhere.yaml"}, out), 1);
  EXPECT_EQ(out.str(), bad + ", document 2: metadata.name: default/shop is already defined by document 1\n" + bad +
                           ", document 2: spec.channel.topic: default/shop captures into \"shop\" already\n" +
                           kSamples +
                           "/source-only.yaml: ok\n/nowhere.yaml cannot be read: No such file or directory\n");
}

TEST(Validate, a_folder_is_named_and_does_no_harm) {
  std::ostringstream out;
  EXPECT_EQ(validate({kSamples}, out), 1);
  EXPECT_EQ(out.str(), kSamples + " cannot be read: Is a directory\n");
}

TEST(Load, gives_the_resources_of_all_files_in_order) {
  std::ostringstream out;
  const auto loaded = load({kSamples + "/destination-only.yaml", kSamples + "/source-only.yaml"}, out);
  EXPECT_TRUE(loaded.valid);
  EXPECT_EQ(out.str(), "");
  ASSERT_EQ(loaded.resources.size(), 3U);
  EXPECT_EQ(loaded.resources[1].id(), "sync/customers-office");
}

}  // namespace
}  // namespace datasync::cli
