#include "agents/config/fields.hpp"

#include <gtest/gtest.h>

#include "agents/config/patterns.hpp"

namespace datasync::config {
namespace {

struct Inner {
  std::string name;
  std::int32_t size = 4;
};
struct Outer {
  bool on = true;
  Inner one;
  std::optional<Inner> maybe;
  std::vector<Inner> many;
  std::map<std::string, std::string> rename;
  std::map<std::string, std::vector<std::string>> keys;
  Value any;
};

void inner(Fields& f, Inner& i) {
  f.text("name", i.name, {Need::Required, &kTypeName});
  f.integer("size", i.size, {1, 8});
}
void outer(Fields& f, Outer& o) {
  f.flag("on", o.on);
  f.object("one", o.one, inner, Need::Required);
  f.object("maybe", o.maybe, inner);
  f.objects("many", o.many, inner);
  f.text_map("rename", o.rename, {0, &kTableName}, &kTableName);
  f.texts_map("keys", o.keys, {0, &kTableName});
  f.opaque("any", o.any);
  f.ignored("status");
}

std::vector<Problem> read(std::string_view json, Outer& o) {
  return read_fields(
      parse_json(json).value(), [&](Fields& f) { outer(f, o); }, "spec");
}

TEST(Fields, an_optional_object_is_there_only_when_it_was_written) {
  Outer o;
  EXPECT_TRUE(read(R"({"one": {"name": "a"}, "maybe": null})", o).empty());
  EXPECT_FALSE(o.maybe.has_value());
  EXPECT_TRUE(read(R"({"one": {"name": "a"}, "maybe": {"name": "b"}})", o).empty());
  ASSERT_TRUE(o.maybe.has_value());
  EXPECT_EQ(o.maybe->size, 4);
}

TEST(Fields, maps_check_their_keys_and_values) {
  Outer o;
  const auto problems = read(R"({"one": {"name": "a"},
    "rename": {"a.b": "c", "x": "c.d", "e.f": 5}, "keys": {"a.b": [], "c.d": ["id", 7, ""]}})",
                             o);
  EXPECT_EQ(to_text(problems),
            "spec.rename[\"a.b\"]: \"c\" is not DATABASE.TABLE\n"
            "spec.rename[\"x\"]: \"x\" is not DATABASE.TABLE\n"
            "spec.rename[\"e.f\"]: 5 is not text; put it in quotes\n"
            "spec.keys[\"a.b\"]: needs at least 1 item\n"
            "spec.keys[\"c.d\"][1]: 7 is not text; put it in quotes\n"
            "spec.keys[\"c.d\"][2]: must not be empty");
}

TEST(Fields, a_wrong_item_keeps_its_place_so_that_later_paths_are_right) {
  Outer o;
  const auto problems = read(R"({"one": {"name": "a"}, "many": [{"name": "a"}, 3, {"name": "c", "sise": 1}]})", o);
  EXPECT_EQ(to_text(problems), "spec.many[1]: 3 is not a map\nspec.many[2].sise: unknown field; did you mean size?");
  ASSERT_EQ(o.many.size(), 3U);
  EXPECT_EQ(o.many[2].name, "c");
}

TEST(Fields, an_opaque_map_is_kept_and_ignored_fields_are_not_unknown) {
  Outer o;
  EXPECT_TRUE(read(R"({"one": {"name": "a"}, "any": {"x": [1, {"y": null}]}, "status": {"z": 1}})", o).empty());
  EXPECT_EQ(o.any, parse_json(R"({"x": [1, {"y": null}]})").value());
}

TEST(Fields, what_was_written_reads_back) {
  Outer o;
  o.one.name = "a";
  o.maybe = Inner{"b", 2};
  o.many = {{"c", 3}, {"d", 4}};
  o.rename = {{"a.b", "c.d"}};
  o.keys = {{"a.b", {"id"}}};
  Outer back;
  const auto written = to_json(write_fields([&](Fields& f) { outer(f, o); }));
  EXPECT_TRUE(read(written, back).empty()) << written;
  EXPECT_EQ(back.maybe->name, "b");
  EXPECT_EQ(back.many[1].size, 4);
  EXPECT_EQ(back.rename, o.rename);
  EXPECT_EQ(back.keys, o.keys);
}

TEST(Fields, the_list_of_fields_has_paths_types_and_rules) {
  Outer o;
  std::string text;
  for (const auto& f : list_fields([&](Fields& fields) { outer(fields, o); })) {
    text += f.path + " " + f.type + (f.required ? " required " : " ") + f.default_text + "\n";
  }
  EXPECT_EQ(text,
            "on boolean true\n"
            "one object required \n"
            "one.name string required \n"
            "one.size integer 4\n"
            "maybe object \n"
            "maybe.name string required \n"
            "maybe.size integer 4\n"
            "many array \n"
            "many[] object \n"
            "many[].name string required \n"
            "many[].size integer 4\n"
            "rename map \n"
            "rename{} string \n"
            "keys map \n"
            "keys{} array \n"
            "keys{}[] string \n"
            "any any \n");
}

TEST(Fields, a_near_name_is_offered_and_a_far_one_is_not) {
  const std::vector<std::string> known{"partitions", "replicationFactor", "topic"};
  EXPECT_EQ(nearest("partitons", known), "partitions");
  EXPECT_EQ(nearest("Topic", known), "topic");
  EXPECT_EQ(nearest("replicas", known), "");
  EXPECT_EQ(nearest(std::string(10000, 'x'), known), "");
  EXPECT_EQ(nearest("topic", {}), "");
  const std::vector<std::string> names{"secretName", "bootstrapServers", "usernameKey", "passwordKey"};
  EXPECT_EQ(nearest("secret", names), "secretName");
  EXPECT_EQ(nearest("servers", names), "bootstrapServers");
  EXPECT_EQ(nearest("Key", names), "");
}

}  // namespace
}  // namespace datasync::config
