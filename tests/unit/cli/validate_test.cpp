#include "cli/local/validate.hpp"

#include <filesystem>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>
#include <unistd.h>

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

class Written {
 public:
  explicit Written(const std::string& text) : file_(::testing::TempDir() + "validate-" + std::to_string(getpid())) {
    std::ofstream(file_) << text;
  }
  ~Written() { std::filesystem::remove(file_); }
  Written(const Written&) = delete;
  Written& operator=(const Written&) = delete;
  [[nodiscard]] const std::string& file() const { return file_; }

 private:
  std::string file_;
};

constexpr const char* kShop = R"(apiVersion: datasync.dev/v1alpha1
kind: DataSync
metadata: {name: shop, namespace: w, uid: u-1, resourceVersion: "5", managedFields: [{manager: m}]}
spec:
  channel: {bootstrapServers: "k:9092", topic: shop}
  destination: {host: dr, credentials: {secretName: writer}}
  types: [orders]
status: {rows: 1}
)";

// The file that a user applies holds the Secret too.
TEST(Validate, objects_of_other_kinds_are_not_refused) {
  const Written w(std::string("apiVersion: v1\nkind: Secret\nmetadata: {name: writer}\nstringData: {on: yes}\n---\n") +
                  kShop);
  std::ostringstream out;
  EXPECT_EQ(validate({w.file()}, out), 0);
  EXPECT_EQ(out.str(), w.file() + ": ok\nnote: objects of other kinds are not checked: Secret\n");
}

std::string indented(std::string text) {
  for (auto at = text.find('\n'); at != std::string::npos && at + 1 < text.size(); at = text.find('\n', at + 1))
    text.insert(at + 1, "  ");
  return text;
}

// kubectl get dsync -o yaml | kubectl datasync validate -
TEST(Validate, the_items_of_a_list_are_checked) {
  auto wrong = std::string(kShop);
  wrong.replace(wrong.find("topic: shop"), 11, "topic: 5");
  wrong.replace(wrong.find("name: shop"), 10, "name: other");
  wrong.replace(wrong.find("host: dr"), 8, "host: yes");
  for (const auto* head : {"apiVersion: v1\nkind: List\nitems:\n- ",
                           "apiVersion: datasync.dev/v1alpha1\nkind: DataSyncList\nitems:\n- "}) {
    const Written good(head + indented(kShop) + "- {apiVersion: v1, kind: Namespace, metadata: {name: on}}\n");
    std::ostringstream out;
    EXPECT_EQ(validate({good.file()}, out), 0) << out.str();
    const Written bad(head + indented(kShop) + "- " + indented(wrong));
    out.str("");
    EXPECT_EQ(validate({bad.file()}, out), 1);
    EXPECT_NE(out.str().find(", document 1: items[1].spec.channel.topic: 5 is not text"), std::string::npos)
        << out.str();
    EXPECT_NE(out.str().find("items[1].spec.destination.host: plain yes means different things"), std::string::npos)
        << out.str();
    EXPECT_EQ(out.str().find("items[0]"), std::string::npos) << out.str();
  }
  const Written twice("apiVersion: v1\nkind: List\nitems:\n- " + indented(kShop) + "- " + indented(kShop));
  std::ostringstream out;
  EXPECT_EQ(validate({twice.file()}, out), 1) << "one name twice";
}

TEST(Validate, a_file_without_a_data_sync_is_not_ok) {
  std::ostringstream out;
  const Written w("apiVersion: v1\nkind: Secret\nmetadata: {name: writer}\n");
  EXPECT_EQ(validate({w.file()}, out), 1);
  EXPECT_NE(out.str().find("there is no DataSync"), std::string::npos) << out.str();
  // A mistake in the group or the kind is not another object.
  for (const auto* near :
       {"apiVersion: datasync.dev/v1alpha1\nkind: DataSynch\n", "apiVersion: datasync.de/v1\nkind: DataSync\n",
        "kind: DataSync\n", "apiVersion: datasync.dev/v1\n"}) {
    const Written wrong(near);
    out.str("");
    EXPECT_EQ(validate({wrong.file(), kSamples + "/full.yaml"}, out), 1) << near << out.str();
  }
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
