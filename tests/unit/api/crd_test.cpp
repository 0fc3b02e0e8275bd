// crds/datasync.dev_datasyncs.yaml and the chart's copy are made from operator/api. UPDATE_CRD=1 rewrites them. The
// tests below hold the made definition against the reader, field by field, so that the two cannot say different things.
#include "operator/api/crd.hpp"

#include <cstdlib>
#include <fstream>
#include <map>
#include <regex>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "agents/config/patterns.hpp"
#include "operator/api/read.hpp"
#include "operator/api/to_yaml.hpp"
#include "operator/api/yaml.hpp"

namespace datasync::api {
namespace {

using Json = nlohmann::ordered_json;

class CrdFile : public testing::TestWithParam<const char*> {};
TEST_P(CrdFile, matches_the_code) {
  const auto path = std::string(PROJECT_SOURCE_DIR) + GetParam();
  if (std::getenv("UPDATE_CRD") != nullptr) std::ofstream(path) << crd_yaml();
  EXPECT_EQ(config::read_file(path).value_or(""), crd_yaml()) << "run with UPDATE_CRD=1";
}
INSTANTIATE_TEST_SUITE_P(All, CrdFile,
                         testing::Values("/crds/datasync.dev_datasyncs.yaml",
                                         "/charts/datasync-operator/files/datasyncs.yaml"));

const Json& schema() {
  static const Json all = crd();
  return all["spec"]["versions"][0]["schema"]["openAPIV3Schema"];
}

// Every node of the schema by its path, written as FieldInfo writes it.
void collect(const Json& n, const std::string& path, std::map<std::string, const Json*>& out) {
  if (!path.empty()) out[path] = &n;
  if (n.contains("properties")) {
    for (const auto& [name, member] : n["properties"].items()) {
      collect(member, path.empty() ? name : path + "." + name, out);
    }
  }
  if (n.contains("items")) collect(n["items"], path + "[]", out);
  if (n.contains("additionalProperties")) collect(n["additionalProperties"], path + "{}", out);
}

std::map<std::string, const Json*> nodes() {
  std::map<std::string, const Json*> out;
  collect(schema(), "", out);
  return out;
}

std::vector<config::FieldInfo> spec_fields() {
  auto out = resource_fields();
  std::erase_if(out, [](const auto& f) { return !f.path.starts_with("spec"); });
  return out;
}

TEST(Crd, has_the_fields_of_the_resource_and_no_other) {
  std::set<std::string> ours;
  for (const auto& f : spec_fields()) ours.insert(f.path);
  std::set<std::string> theirs;
  for (const auto& [path, node] : nodes()) {
    if (path.starts_with("spec")) theirs.insert(path);
  }
  EXPECT_EQ(theirs, ours);
}

TEST(Crd, describes_every_field_and_every_description_has_its_field) {
  std::set<std::string> described;
  for (const auto& d : descriptions()) EXPECT_TRUE(described.insert(std::string(d.path)).second) << d.path;
  for (const auto& f : spec_fields()) EXPECT_EQ(described.erase(f.path), 1U) << f.path << " is not described";
  EXPECT_TRUE(described.empty()) << *described.begin() << " is no field";
  for (const auto& [path, node] : nodes()) {
    if (path != "metadata") {
      EXPECT_FALSE(node->value("description", "").empty()) << path;
    }
  }
}

TEST(Crd, has_rules_only_at_fields_that_exist) {
  const auto all = nodes();
  for (const auto& r : cel_rules()) {
    EXPECT_TRUE(r.path.empty() || all.contains(std::string(r.path))) << r.path;
    if (!r.field.empty()) {
      EXPECT_TRUE(all.contains(std::string(r.path) + std::string(r.field))) << r.field;
    }
    EXPECT_FALSE(r.message.empty()) << r.rule;
  }
}

// What the API server weighs a rule by: a list or a text without a bound costs without a bound.
TEST(Crd, bounds_every_list_map_and_text_of_spec) {
  for (const auto& [path, node] : nodes()) {
    if (!path.starts_with("spec")) continue;
    const auto type = node->value("type", "");
    if (type == "array") {
      EXPECT_TRUE(node->contains("maxItems")) << path;
    }
    if (node->contains("additionalProperties")) {
      EXPECT_TRUE(node->contains("maxProperties")) << path;
    }
    if (type == "string") {
      EXPECT_TRUE(node->contains("maxLength") || node->contains("enum")) << path;
    }
    if (type == "integer") {
      EXPECT_TRUE(node->contains("minimum") && node->contains("maximum")) << path;
    }
  }
}

// A resource with one field that is as `value`.
std::vector<config::Problem> problems_with(const std::string& pointer, const Json& value) {
  auto r = Json::parse(R"({"apiVersion": "datasync.dev/v1alpha1", "kind": "DataSync", "metadata": {"name": "shop"},
    "spec": {"source": {"replicas": [{"host": "db"}], "credentials": {"secretName": "r"},
                        "types": [{"name": "t", "tables": ["a.b"]}]},
             "channel": {"bootstrapServers": "k:9092", "topic": "shop"},
             "destination": {"host": "dr", "credentials": {"secretName": "w"}}}})");
  r[Json::json_pointer(pointer)] = value;
  return read_resource(config::parse_json(r.dump()).value()).problems;
}

std::string pointer_of(std::string path) {
  path = std::regex_replace(path, std::regex(R"(\[\])"), ".0");
  path = std::regex_replace(path, std::regex(R"(\{\})"), ".a~2b");
  std::ranges::replace(path, '.', '/');
  return "/" + std::regex_replace(path, std::regex("~2"), ".");
}

bool has_problem(const std::vector<config::Problem>& problems, std::string_view what) {
  return std::ranges::any_of(problems, [&](const auto& p) { return p.message.find(what) != std::string::npos; });
}

TEST(Crd, has_the_bounds_of_numbers_that_the_reader_has) {
  for (const auto& [path, node] : nodes()) {
    if (!path.starts_with("spec") || node->value("type", "") != "integer") continue;
    const auto at = pointer_of(path);
    EXPECT_TRUE(has_problem(problems_with(at, (*node)["minimum"].get<std::int64_t>() - 1), "is below")) << path;
    EXPECT_TRUE(has_problem(problems_with(at, (*node)["maximum"].get<std::int64_t>() + 1), "is above")) << path;
    EXPECT_FALSE(has_problem(problems_with(at, (*node)["minimum"]), "is below")) << path;
    EXPECT_FALSE(has_problem(problems_with(at, (*node)["maximum"]), "is above")) << path;
  }
}

TEST(Crd, has_the_bounds_of_lists_that_the_reader_has) {
  for (const auto& [path, node] : nodes()) {
    if (!path.starts_with("spec") || !node->contains("maxItems")) continue;
    Json list = Json::array();
    for (std::size_t i = 0; i < (*node)["maxItems"].get<std::size_t>(); ++i) list.push_back(Json::object());
    EXPECT_FALSE(has_problem(problems_with(pointer_of(path), list), "more than")) << path;
    list.push_back(Json::object());
    EXPECT_TRUE(has_problem(problems_with(pointer_of(path), list), "more than")) << path;
    const bool needs_one = node->value("minItems", 0) == 1;
    EXPECT_EQ(has_problem(problems_with(pointer_of(path), Json::array()), "at least"), needs_one) << path;
  }
}

TEST(Crd, has_the_choices_and_the_empty_texts_that_the_reader_has) {
  for (const auto& [path, node] : nodes()) {
    if (!path.starts_with("spec") || node->value("type", "") != "string") continue;
    const auto at = pointer_of(path);
    if (node->contains("enum")) {
      for (const auto& choice : (*node)["enum"])
        EXPECT_FALSE(has_problem(problems_with(at, choice), "not one of")) << path;
      EXPECT_TRUE(has_problem(problems_with(at, "none"), "not one of")) << path;
    } else if (path.find("{}") == std::string::npos) {
      const bool refused = has_problem(problems_with(at, ""), "must not be empty");
      EXPECT_EQ(refused, node->value("minLength", 0) == 1) << path;
    }
  }
}

struct Lookup {
  const config::Pattern* pattern;
  std::vector<std::string> right, wrong;
};
std::string many(std::size_t n, char c = 'a') {
  return std::string(n, c);
}

// The regular expression is what the API server checks, the function what we do.
TEST(Crd, has_expressions_that_agree_with_the_functions) {
  const std::vector<Lookup> lookups{
      {&config::kTableName, {"a.b", "a b.c-d", many(64) + "." + many(64)}, {"", "a", "a.b.c", ".b", many(65) + ".b"}},
      {&config::kColumnName, {"a.b.c", "a.b.c.d"}, {"a.b", "a.b.", "a.b." + many(65)}},
      {&config::kKeyColumn, {"id", "a.b", many(64)}, {"", many(65), "a\nb"}},
      {&config::kTypeName, {"a", "A9._-", many(63)}, {"", "-a", many(64), "a b"}},
      {&config::kDnsLabel, {"a", "a-b", many(63)}, {"", "-a", "a-", "A", "a.b", many(64)}},
      {&config::kDnsName, {"a", "a.b", "a-b.c1"}, {"", "a..b", ".a", "A", "a.-b"}},
      {&config::kHost, {"db", "10.0.0.1", "::1", "fe80::1%eth0", many(253)}, {"", "-a", ".a", "a b", many(254)}},
      {&config::kTopic, {"shop", "...", "..a", ".a", "a..", "....", many(243)}, {"", ".", "..", "a b"}},
      {&config::kBootstrap,
       {"k:1", "k:65535", "[::1]:9092", "a:1,b:2", "k:9999", "k:59999"},
       {"", "k", "k:0", "k:65536", "k:09092", "k:70000", "a:1,", ",a:1", "a:1, b:2", "-k:1", ":9092", "[]:9092"}},
      {&config::kSecretKey, {"password", "...", ".a", "a/b" + many(0)}, {"", ".", ".."}},
      {&config::kDatabase, {"a", "a b", many(64)}, {"", "a.b", "a/b", "a\\b", many(65)}},
      {&config::kStreamOffset, {"0:1", "9999:1"}, {"", "1", ":1", "1:", "99999:1", "-1:2"}},
  };
  for (const auto& l : lookups) {
    const std::regex expression(std::string(l.pattern->regex));
    auto all = l.right;
    all.insert(all.end(), l.wrong.begin(), l.wrong.end());
    for (const auto& text : all) {
      const bool by_schema = std::regex_match(text, expression) && text.size() <= l.pattern->longest;
      EXPECT_EQ(by_schema, l.pattern->matches(text)) << l.pattern->noun << ": " << text;
    }
    for (const auto& text : l.wrong) EXPECT_FALSE(l.pattern->matches(text)) << l.pattern->noun << ": " << text;
  }
}

TEST(Crd, lets_no_agent_part_of_the_status_lose_a_field) {
  for (const auto* part : {"capture", "apply"}) {
    EXPECT_TRUE(schema()["properties"]["status"]["properties"][part]["x-kubernetes-preserve-unknown-fields"]) << part;
  }
}

TEST(ToYaml, is_read_back_as_the_same_document) {
  const auto value = Json::parse(R"({"plain": "text with words", "yes": "yes", "No": "off", "number": "010", "n": 12,
    "f": 1.5, "b": true, "null": null, "empty": "", "list": [], "map": {}, "deep": [[1, 2], [{"a": [{"b": 1}]}], []],
    "colon": "a: b", "hash": "a #b", "end": "a:", "brace": "{a}", "quote": "\"", "back": "\\d\n\t", "dash": "- a",
    "utf": "\u00e4", "space": " a ", "k: v": {"~": "~"}, "1.5": "1.5", "date": "2026-01-02", "y": "Y"})");
  const auto documents = parse_yaml(to_yaml(value)).value();
  ASSERT_EQ(documents.size(), 1U);
  EXPECT_EQ(config::to_text(documents[0].problems), "");
  EXPECT_EQ(documents[0].value, config::parse_json(value.dump()).value());
  EXPECT_EQ(to_yaml(Json::parse(R"({"a": [{"b": 1, "c": [2]}], "d": {"e": "f"}})")),
            "a:\n- b: 1\n  c:\n  - 2\nd:\n  e: f\n");
}

TEST(ToYaml, of_the_definition_is_the_definition) {
  const auto documents = parse_yaml(crd_yaml()).value();
  EXPECT_EQ(documents.at(0).value, config::parse_json(crd().dump()).value());
}

}  // namespace
}  // namespace datasync::api
