// Every field of the spec is set, changed, removed, set to a refused value and back: the children are those of a fresh
// resource with that spec each time (FAULTS D15, D16). The list of fields is the resource's own description.

#include <map>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "operator/api/read.hpp"
#include "operator/desired/manifests.hpp"
#include "tests/integration/operator_environment.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

/// Values for texts that have to look like something; by the end of the path.
const std::map<std::string, std::vector<Json>>& texts() {
  static const std::map<std::string, std::vector<Json>> all{
      {"spec.source.replicas[].host", {"db-3", "db-4"}},
      {"spec.source.types[].name", {"orders"}},
      {"spec.source.types[].tables[]", {"shop.other", "shop.more"}},
      {"spec.source.types[].excludeColumns[]", {"shop.orders.a", "shop.orders.b"}},
      {"spec.source.types[].keyColumns{}[]", {"id", "at"}},
      {"spec.channel.bootstrapServers", {"kafka-1:9092", "kafka-2:9092,kafka-3:9092"}},
      {"spec.channel.topic", {"other"}},
      {"spec.channel.sasl.mechanism", {"PLAIN", "SCRAM-SHA-512"}},
      {"spec.destination.host", {"dr-2", "dr-3"}},
      {"spec.destination.tables.rename{}", {"dr.orders", "dr.other"}},
      {"spec.destination.ledgerDatabase", {"ledger_a", "ledger_b"}},
      {"spec.types[]", {"orders"}}};
  return all;
}

std::vector<Json> values_of(const config::FieldInfo& f) {
  if (const auto at = texts().find(f.path); at != texts().end()) return at->second;
  if (f.type == "boolean") return {true, false};
  if (f.type == "integer") return {f.range.min + 1, f.range.min + 2};
  if (!f.choices.empty()) return {f.choices.begin(), f.choices.end()};
  if (f.type == "any" && f.path.ends_with("resources"))
    return {{{"limits", {{"memory", "1Gi"}}}}, {{"requests", {{"cpu", "1500m"}}}}};
  if (f.type == "any")
    return {{{"spec", {{"nodeSelector", {{"disk", "fast"}}}}}}, {{"metadata", {{"labels", {{"team", "a"}}}}}}};
  if (f.type == "string" && (f.path.ends_with("Name") || f.path.ends_with("Key"))) return {"name-a", "name-b"};
  return {};
}

/// "spec.a[].b{}" as a JSON pointer into the sample, whose lists and maps then have that one item.
Json::json_pointer pointer_of(std::string path) {
  std::string out;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('.', at), path.size());
    auto part = path.substr(at, end - at);
    const auto strip = [&](std::string_view what) {
      const auto found = part.find(what);
      if (found == part.npos) return false;
      part.erase(found, 2);
      return true;
    };
    const bool list_in_map = part.ends_with("{}[]");
    const bool map = strip("{}");
    const bool list = strip("[]");
    out += "/" + part + (map ? "/shop.orders" : "") + (list || list_in_map ? "/0" : "");
    at = end + 1;
  }
  return Json::json_pointer(out);
}

/// Refused for what is wrong with this very value, not for something else: the words name the field, and the value or
/// the type that was expected.
bool names_the_fault(const std::string& words, const config::FieldInfo& f) {
  auto leaf = f.path.substr(f.path.rfind('.') + 1);
  leaf = leaf.substr(0, leaf.find_first_of("[{"));
  const auto says = [&](const std::string& what) { return words.find(what) != words.npos; };
  if (!says(leaf)) return false;
  if (f.type == "string") return says(R"("a\n!")") && (says("should match") || says("Unsupported value"));
  if (f.type == "integer") return says("of type integer") || says("expected numeric");
  if (f.type == "boolean") return says("of type boolean") || says("expected boolean");
  return says("of type object") || says("expected map");
}

class OperatorFields : public testing::Test {
 protected:
  static void SetUpTestSuite() { environment_ = std::make_unique<OperatorEnvironment>(); }
  static void TearDownTestSuite() { environment_.reset(); }

  /// The children as a fresh resource with this spec would have them: "Kind name" -> hash of all that is wanted.
  static std::map<std::string, std::string> wanted(const Json& live) {
    std::map<std::string, std::string> out;
    auto spec = live;
    spec.erase("status");
    const auto document = api::read_resource(config::parse_json(spec.dump()).value());
    if (!document.problems.empty() || !api::not_built(document.resource).empty()) return out;
    const desired::Owner owner{OperatorEnvironment::kNs, "shop", live.at("metadata").at("uid")};
    for (const auto& c : desired::children(owner, document.resource, {.image = "registry.test/datasync:1"}))
      out[c.at("kind").get<std::string>() + " " + c.at("metadata").at("name").get<std::string>()] =
          c.at("metadata").at("annotations").at("datasync.dev/spec-hash");
    return out;
  }
  static std::map<std::string, std::string> there() {
    std::map<std::string, std::string> out;
    for (const auto* kind : {&kube::kConfigMaps, &kube::kServiceAccounts, &kube::kDeployments})
      for (const auto& c : environment_->list(*kind)) {
        const auto name = c.at("metadata").at("name").get<std::string>();
        if (name.starts_with("shop-"))
          out[kind->kind + " " + name] = c.value("/metadata/annotations/datasync.dev~1spec-hash"_json_pointer, "");
      }
    return out;
  }

  static void expect_children(const std::string& doing) {
    ASSERT_TRUE(eventually([&] { return environment_->observed(); }, seconds(30))) << doing << "\n"
                                                                                   << environment_->log();
    const auto live = environment_->get(kube::kDataSyncs, "shop");
    const auto expected = wanted(live);
    if (expected.empty()) {
      EXPECT_EQ(environment_->condition("Stalled"), "True ConfigInvalid") << doing;
      return;
    }
    EXPECT_TRUE(eventually([&] { return there() == expected; }, seconds(15))) << doing << "\n"
                                                                              << live.at("spec").dump(1);
  }

  static inline std::unique_ptr<OperatorEnvironment> environment_;
};

TEST_F(OperatorFields, every_changed_field_gives_the_objects_of_a_new_resource) {
  auto op = environment_->start(environment_->server().kubeconfig());
  const auto base = OperatorEnvironment::resource();
  ASSERT_EQ(environment_->apply(base), "");
  expect_children("the sample");
  const auto at_first = environment_->objects();
  std::size_t fields = 0, accepted = 0;
  for (const auto& f : api::resource_fields()) {
    if (!f.path.starts_with("spec.") || f.type == "object" || f.type == "array" || f.type == "map") continue;
    ++fields;
    const auto values = values_of(f);
    EXPECT_FALSE(values.empty()) << f.path << ": the test has no value for it";
    const auto pointer = pointer_of(f.path);
    for (const auto& value : values) {
      auto changed = base;
      changed[pointer] = value;
      if (!environment_->apply(changed).empty()) continue;  // e.g. what cannot change, or needs another field too
      ++accepted;
      expect_children(f.path + " = " + value.dump());
    }
    auto refused = base;
    refused[pointer] = f.type == "string" ? Json("a\n!") : Json("x");
    const auto words = environment_->apply(refused);
    if (f.type != "any" || f.path.ends_with("resources")) {
      EXPECT_TRUE(names_the_fault(words, f)) << f.path << ": " << words;
    }
    // From what cannot change there is no way back but a new resource.
    if (const auto back = environment_->apply(base); !back.empty()) {
      environment_->clear();
      ASSERT_EQ(environment_->apply(base), "") << back;
    }
    expect_children(f.path + " removed");
    const auto now = environment_->objects();
    EXPECT_EQ(now, at_first) << f.path << "\n" << Json::diff(at_first, now).dump(1);
    if (HasFailure()) break;
  }
  std::printf("%zu fields, %zu values accepted\n", fields, accepted);
  EXPECT_GT(fields, 40U);
  EXPECT_GT(accepted, fields);
  EXPECT_TRUE(op.is_running());
}

// A server answers a field that it does not know with 500, which was taken for a server in trouble: no reason was ever
// reported. Each of these is accepted by the CRD.
TEST_F(OperatorFields, what_is_accepted_and_cannot_be_a_pod_is_refused_by_name_and_heals) {
  environment_->clear();
  auto op = environment_->start(environment_->server().kubeconfig());
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  expect_children("the sample");
  struct Shape {
    const char* pods;
    const char* reason;
    const char* words;
  };
  constexpr Shape kShapes[] = {
      {R"({"podTemplate":{"spec":{"nodeSelektor":{"a":"b"}}}})", "ApplyRefused", "nodeSelektor"},
      {R"({"podTemplate":{"spec":{"containers":[{"name":"agent","tty":"yes"}]}}})", "ApplyRefused", "tty"},
      {R"({"podTemplate":{"spec":{"terminationGracePeriodSeconds":[]}}})", "ApplyRefused",
       "terminationGracePeriodSeconds"},
      {R"({"resources":{"limits":{"memory":"lots"}}})", "ApplyRefused", "quantit"},
      {R"({"resources":{"limit":{"memory":"1Gi"}}})", "ApplyRefused", "limit"},
      {R"({"podTemplate":{"spec":{"restartPolicy":"Never"}}})", "ApplyRefused", "restartPolicy"},
      {R"({"podTemplate":{"metadata":{"labels":[]}}})", "ConfigInvalid", "spec.capture.podTemplate.metadata.labels"},
      {R"({"podTemplate":{"spec":null,"metadata":{"labels":{"a":5}}}})", "ConfigInvalid", "labels"}};
  for (const auto& shape : kShapes) {
    auto changed = OperatorEnvironment::resource();
    changed["spec"]["capture"] = Json::parse(shape.pods);
    ASSERT_EQ(environment_->apply(changed), "") << shape.pods;
    EXPECT_TRUE(eventually(
        [&] {
          return environment_->observed() && environment_->condition("Stalled") == "True " + std::string(shape.reason);
        },
        seconds(30)))
        << shape.pods << ": " << environment_->condition("Stalled") << " " << environment_->condition("Ready") << " "
        << environment_->message("Ready") << "\n"
        << environment_->log();
    EXPECT_NE(environment_->message("Stalled").find(shape.words), std::string::npos)
        << environment_->message("Stalled");
  }
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  EXPECT_TRUE(eventually([&] { return environment_->condition("Stalled") == "False SecretNotFound"; }, seconds(60)))
      << environment_->condition("Stalled");
}

// After an upgrade, the name of the version before owned them for ever.
TEST_F(OperatorFields, a_field_that_a_former_manager_applied_goes_when_it_is_removed) {
  environment_->clear();
  {
    auto op = environment_->start(environment_->server().kubeconfig());
    auto with = OperatorEnvironment::resource();
    with["spec"]["apply"] =
        Json::parse(R"({"podTemplate":{"metadata":{"labels":{"team":"a"}},"spec":{"nodeSelector":{"disk":"fast"}}}})");
    ASSERT_EQ(environment_->apply(with), "");
    expect_children("with a selector");
  }
  const auto managers = [](const kube::Resource& kind, const std::string& name, const char* operation) {
    std::set<std::string> out;
    const auto object = environment_->get(kind, name);
    for (const auto& entry : object.at("metadata").at("managedFields"))
      if (entry.at("operation") == operation) out.insert(entry.at("manager").get<std::string>());
    return out;
  };
  // As version 0.1.0 leaves them, of two installations.
  const std::pair<kube::Resource, std::string> all[] = {{kube::kDeployments, "shop-apply"},
                                                        {kube::kConfigMaps, "shop-config"},
                                                        {kube::kServiceAccounts, "shop-agent"},
                                                        {kube::kDataSyncs, "shop"}};
  for (const auto& [kind, name] : all) {
    auto fields = environment_->get(kind, name).at("metadata").at("managedFields");
    for (auto& entry : fields)
      if (entry.at("manager") == "datasync-operator") entry["manager"] = "datasync-operator/old";
    ASSERT_TRUE(
        environment_->api().json_patch(kind, {OperatorEnvironment::kNs, name},
                                       {{{"op", "replace"}, {"path", "/metadata/managedFields"}, {"value", fields}}}));
    ASSERT_EQ(managers(kind, name, "Apply").count("datasync-operator/old"), 1U) << name;
  }
  environment_->merge(kube::kDataSyncs, "shop", {{"metadata", {{"annotations", {{"other", "x"}}}}}});
  auto op = environment_->start(environment_->server().kubeconfig());
  for (const auto& [kind, name] : all)
    EXPECT_TRUE(eventually(
        [&, &kind = kind, &name = name] {
          const auto now = managers(kind, name, "Apply");
          return !now.contains("datasync-operator/old") && now.contains("datasync-operator");
        },
        seconds(30)))
        << name << "\n"
        << environment_->log();
  ASSERT_EQ(environment_->apply(OperatorEnvironment::resource()), "");
  expect_children("without a selector");
  const auto pods = environment_->get(kube::kDeployments, "shop-apply").at("spec").at("template");
  EXPECT_FALSE(pods.at("spec").contains("nodeSelector")) << pods.dump();
  EXPECT_FALSE(pods.at("metadata").at("labels").contains("team"));
  // With two owners of rollingUpdate the change to Recreate was refused with 422.
  const auto live = environment_->get(kube::kDeployments, "shop-apply");
  for (const auto& entry : live.at("metadata").at("managedFields"))
    EXPECT_TRUE(entry.at("manager") == "datasync-operator" || entry.dump().find("f:rollingUpdate") == std::string::npos)
        << entry.dump();
}

}  // namespace
}  // namespace datasync::test
