// The CustomResourceDefinition on a real API server: what it accepts, refuses, fills in and shows.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "operator/api/read.hpp"
#include "operator/desired/desired.hpp"
#include "tests/support/api_server.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

const fs::path kSamples = PROJECT_SOURCE_DIR "/crds/samples";

class CrdTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<test::TempDir>();
    server_ = std::make_unique<test::ApiServer>(folder_->path());
    server_->define(test::read_file(PROJECT_SOURCE_DIR "/crds/datasync.dev_datasyncs.yaml"), "datasyncs.datasync.dev");
    server_->make_namespace("sync");
  }
  static void TearDownTestSuite() {
    server_.reset();
    folder_.reset();
  }
  void TearDown() override { run({"delete", "datasyncs", "--all", "--all-namespaces"}); }

  // What kubectl says, whether it succeeds or not.
  static std::string run(const std::vector<std::string>& args, const std::string& input = "") {
    try {
      return server_->kubectl(args, input);
    } catch (const std::exception& e) {
      return e.what();
    }
  }
  static Json get(const std::string& name) {
    return Json::parse(server_->kubectl({"get", "datasync", name, "-n", "sync", "-o", "json"}));
  }

  inline static std::unique_ptr<test::TempDir> folder_;
  inline static std::unique_ptr<test::ApiServer> server_;
};

std::vector<fs::path> yaml_files(const fs::path& folder) {
  std::vector<fs::path> out;
  for (const auto& entry : fs::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

std::vector<std::string> server_words(const std::string& text) {
  constexpr std::string_view kMark = "# server: ";
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(kMark)) out.push_back(line.substr(kMark.size()));
  }
  return out;
}

TEST_F(CrdTest, accepts_every_valid_sample) {
  for (const auto& file : yaml_files(kSamples)) {
    SCOPED_TRACE(file);
    EXPECT_NO_THROW(server_->kubectl({"apply", "--server-side", "-f", file.string()}));
  }
}

TEST_F(CrdTest, rejects_every_invalid_sample_with_the_expected_message) {
  for (const auto& file : yaml_files(kSamples / "invalid")) {
    SCOPED_TRACE(file);
    const auto words = server_words(config::read_file(file).value());
    ASSERT_FALSE(words.empty());
    const auto output = run({"create", "--dry-run=server", "-f", file.string()});
    if (words.front() == "accepted") {  // CEL cannot check it; the operator does
      EXPECT_THAT(output, HasSubstr("created (server dry run)"));
      continue;
    }
    EXPECT_THAT(output, Not(HasSubstr("created")));
    for (const auto& w : words) EXPECT_THAT(output, HasSubstr(w));
  }
}

// Both sides of the same resource: as a file is read, and as the server gives it back.
void expect_same(const api::DataSync& ours, const api::DataSync& theirs) {
  const desired::Runtime runtime;
  EXPECT_EQ(ours.spec.mode, theirs.spec.mode);
  EXPECT_EQ(ours.spec.paused, theirs.spec.paused);
  EXPECT_EQ(ours.spec.deletion_policy, theirs.spec.deletion_policy);
  EXPECT_EQ(ours.spec.types, theirs.spec.types);
  EXPECT_EQ(ours.spec.capture.resources, theirs.spec.capture.resources);
  EXPECT_EQ(ours.spec.apply.pod_template, theirs.spec.apply.pod_template);
  EXPECT_EQ(ours.spec.channel.tls.on(), theirs.spec.channel.tls.on());
  EXPECT_EQ(ours.spec.channel.sasl.on(), theirs.spec.channel.sasl.on());
  ASSERT_EQ(ours.spec.source.has_value(), theirs.spec.source.has_value());
  ASSERT_EQ(ours.spec.destination.has_value(), theirs.spec.destination.has_value());
  if (ours.spec.source) {
    EXPECT_EQ(config::write(desired::capture_config(ours, runtime)),
              config::write(desired::capture_config(theirs, runtime)));
  }
  if (ours.spec.destination) {
    EXPECT_EQ(config::write(desired::apply_config(ours, runtime)),
              config::write(desired::apply_config(theirs, runtime)));
  }
}

TEST_F(CrdTest, sets_the_same_defaults_as_the_reader) {
  for (const auto& file : yaml_files(kSamples)) {
    server_->kubectl({"apply", "--server-side", "-f", file.string()});
    for (const auto& document : api::read_documents(config::read_file(file).value())) {
      SCOPED_TRACE(document.resource.id());
      const auto stored = get(document.resource.metadata.name);
      const auto read = api::read_resource(config::parse_json(stored.dump()).value());
      EXPECT_EQ(config::to_text(read.problems), "");
      expect_same(document.resource, read.resource);
    }
  }
}

// Every default of our own list stands in the stored object, not only in what a reader makes of it.
TEST_F(CrdTest, stores_the_defaults_of_the_list_of_fields) {
  server_->kubectl({"apply", "--server-side", "-f", "-"}, R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync",
    "metadata": {"name": "least", "namespace": "sync"}, "spec": {
      "source": {"replicas": [{"host": "a"}], "credentials": {"secretName": "r"},
                 "types": [{"name": "t", "tables": ["a.b"]}]},
      "channel": {"bootstrapServers": "k:9092", "topic": "t"},
      "destination": {"host": "b", "credentials": {"secretName": "w"}}}})");
  const auto stored = get("least");
  std::size_t checked = 0;
  for (const auto& f : api::resource_fields()) {
    if (!f.path.starts_with("spec.") || f.default_text.empty()) continue;
    auto path = f.path;
    if (const auto at = path.find("[]"); at != path.npos) path.replace(at, 2, ".0");
    std::ranges::replace(path, '.', '/');
    const Json::json_pointer at("/" + path);
    ASSERT_TRUE(stored.contains(at)) << f.path;
    EXPECT_EQ(stored.at(at), Json::parse(f.default_text)) << f.path;
    ++checked;
  }
  EXPECT_GT(checked, 15U);
}

TEST_F(CrdTest, rejects_changes_of_immutable_fields) {
  server_->kubectl({"apply", "--server-side", "-f", (kSamples / "full.yaml").string()});
  const std::pair<const char*, const char*> changes[] = {
      {"/spec/source/engine", R"("MySQL")"},
      {"/spec/channel/topic", R"("other")"},
      {"/spec/channel/partitions", "2"},
      {"/spec/destination/engine", R"("MySQL")"},
      {"/spec/destination/ledgerDatabase", R"("other")"},
  };
  for (const auto& [path, value] : changes) {
    const auto patch = std::string(R"([{"op": "replace", "path": ")") + path + R"(", "value": )" + value + "}]";
    const auto output = run({"patch", "datasync", "shop", "-n", "sync", "--type=json", "-p", patch});
    EXPECT_THAT(output, HasSubstr("cannot be changed: ")) << path;
  }
  const auto output = run({"patch", "datasync", "shop", "-n", "sync", "--type=merge", "-p",
                           R"({"spec": {"paused": true, "channel": {"bootstrapServers": "new:9092"}, "types": []}})"});
  EXPECT_THAT(output, HasSubstr("patched"));
}

TEST_F(CrdTest, shows_no_drift_when_another_manager_applies_again) {
  const auto file = (kSamples / "full.yaml").string();
  const std::vector<std::string> apply{"apply", "--server-side", "--field-manager=argocd-controller", "-f", file};
  server_->kubectl(apply);
  const auto first = get("shop");
  // As the operator writes: status by apply, with a manager of its own.
  server_->kubectl({"apply", "--server-side", "--subresource=status", "--field-manager=datasync-operator", "-f", "-"},
                   R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync",
                       "metadata": {"name": "shop", "namespace": "sync"},
                       "status": {"observedGeneration": 1, "rows": 5,
                                  "capture": {"state": "Streaming", "brandNew": {"figure": 7}}}})");
  const auto before = get("shop");
  EXPECT_EQ(before["metadata"]["generation"], first["metadata"]["generation"]);
  EXPECT_EQ(before["spec"], first["spec"]);
  EXPECT_EQ(before["status"]["capture"]["brandNew"]["figure"], 7) << "what a newer agent says is kept";
  EXPECT_THAT(run({"diff", "--server-side", "--field-manager=argocd-controller", "-f", file}), testing::Eq(""));
  server_->kubectl(apply);
  const auto after = get("shop");
  EXPECT_EQ(after["metadata"]["resourceVersion"], before["metadata"]["resourceVersion"]);
  EXPECT_EQ(after["status"], before["status"]);
}

TEST_F(CrdTest, reads_well_in_kubectl) {
  server_->kubectl({"apply", "--server-side", "-f", (kSamples / "source-only.yaml").string()});
  server_->kubectl({"apply", "--server-side", "--subresource=status", "--field-manager=op", "-f", "-"},
                   R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync",
    "metadata": {"name": "shop-capture", "namespace": "sync"}, "status": {"source": "db-1:3306", "lag": "0.4s",
      "rows": 12, "conditions": [{"type": "Ready", "status": "False", "reason": "BrokerUnreachable",
        "message": "no broker answers", "lastTransitionTime": "2026-01-02T03:04:05Z"}]}})");
  const auto table = server_->kubectl({"get", "dsync", "-n", "sync"});
  EXPECT_THAT(table, testing::ContainsRegex("NAME +READY +STATUS +SOURCE +LAG +ROWS +AGE"));
  EXPECT_THAT(table, testing::ContainsRegex("shop-capture +False +BrokerUnreachable +db-1:3306 +0.4s +12 "));
  EXPECT_THAT(server_->kubectl({"get", "datasync", "-A", "-o", "wide"}), HasSubstr("no broker answers"));
  EXPECT_THAT(run({"get", "datasync", "-A", "-o", "name"}), HasSubstr("shop-capture"));
  test::await(
      "the schema to be published",
      [&] {
        return run({"explain", "datasync.spec"}).find("deletionPolicy") != std::string::npos;
      },
      std::chrono::seconds(30));
  EXPECT_THAT(server_->kubectl({"explain", "datasync.spec.source.types.tables"}),
              AllOf(HasSubstr("DATABASE.TABLE"), HasSubstr("no"), HasSubstr("wildcards")));
}

// A list at its bounds is weighed at run time too.
TEST_F(CrdTest, accepts_a_thousand_tables_and_rejects_more) {
  const auto resource = [](int types, int tables) {
    Json r = Json::parse(R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync", "metadata": {"name": "big"},
      "spec": {"source": {"replicas": [{"host": "a"}], "credentials": {"secretName": "r"}},
               "channel": {"bootstrapServers": "k:9092", "topic": "t"},
               "destination": {"host": "a", "credentials": {"secretName": "w"}}}})");
    auto& rename = r["spec"]["destination"]["tables"]["rename"];
    for (int t = 0; t < types; ++t) {
      Json names;
      for (int i = 0; i < tables; ++i) names.push_back("shop.t" + std::to_string(t) + "_" + std::to_string(i));
      r["spec"]["source"]["types"].push_back({{"name", "t" + std::to_string(t)}, {"tables", names}});
      for (int i = 0; i < std::min(300 / types, tables); ++i)
        rename[names[static_cast<std::size_t>(i)].get<std::string>()] =
            "dr.t" + std::to_string(t) + "_" + std::to_string(i);
    }
    r["spec"]["destination"]["host"] = "b";
    return r.dump();
  };
  EXPECT_THAT(run({"create", "-f", "-"}, resource(10, 100)), HasSubstr("created"));
  EXPECT_THAT(run({"create", "-f", "-"}, resource(11, 100)), HasSubstr("more than 1000 tables"));
  EXPECT_THAT(run({"create", "-f", "-"}, resource(2, 101)), HasSubstr("must have at most 100 items"));
}

}  // namespace
}  // namespace datasync
