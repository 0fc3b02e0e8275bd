// What `kubectl datasync status` shows: tests/data/cli/NAME.json -> NAME.txt. UPDATE_GOLDEN=1 rewrites the texts.
#include "cli/cluster/status_text.hpp"

#include <cstdlib>
#include <fstream>

#include <gtest/gtest.h>

#include "agents/config/config.hpp"
#include "operator/api/to_yaml.hpp"
#include "operator/api/yaml.hpp"

namespace datasync::cli {
namespace {

using Json = nlohmann::json;

// 2026-01-02T12:00:00Z
constexpr base::WallTime kNow{std::chrono::seconds(1'767'355'200)};

StatusInput input_of(const std::string& name) {
  const auto all = Json::parse(config::read_file(std::string(DATA_DIR) + "/" + name + ".json").value());
  return {all["resource"], all["pods"].get<std::vector<Json>>(), all["events"].get<std::vector<Json>>()};
}

class StatusText : public testing::TestWithParam<const char*> {};
TEST_P(StatusText, matches_the_golden_files) {
  const auto path = std::string(DATA_DIR) + "/" + GetParam() + ".txt";
  const auto text = status_text(input_of(GetParam()), kNow, false);
  if (std::getenv("UPDATE_GOLDEN") != nullptr) std::ofstream(path) << text;
  EXPECT_EQ(text, config::read_file(path).value_or("")) << "run with UPDATE_GOLDEN=1";
}
INSTANTIATE_TEST_SUITE_P(All, StatusText, testing::Values("streams", "stalled", "new", "capture-only"),
                         [](const auto& row) {
                           std::string name = row.param;
                           std::ranges::replace(name, '-', '_');
                           return name;
                         });

TEST(StatusText, has_the_same_text_with_colour) {
  const auto input = input_of("stalled");
  auto text = status_text(input, kNow, true);
  EXPECT_NE(text.find("\x1b[1;31mStalled"), std::string::npos);
  for (const std::string sequence : {"\x1b[1;31m", "\x1b[0m"}) {
    for (auto at = text.find(sequence); at != text.npos; at = text.find(sequence)) text.erase(at, sequence.size());
  }
  EXPECT_EQ(text, status_text(input, kNow, false));
}

// Whatever a server gives: an unexpected kind at any place takes nothing down.
TEST(StatusText, survives_members_of_an_unexpected_kind) {
  const auto input = input_of("streams");
  const auto flat = input.resource.flatten();
  std::size_t tried = 0;
  for (const auto& [path, value] : flat.items()) {
    for (const auto& strange : {Json(), Json(-1), Json("x"), Json::array({1, "a"}), Json{{"a", 1}}, Json(1e300)}) {
      auto changed = input;
      changed.resource[Json::json_pointer(path)] = strange;
      EXPECT_FALSE(status_text(changed, kNow, false).empty()) << path;
      ++tried;
    }
  }
  EXPECT_GT(tried, 100U);
  EXPECT_FALSE(status_text({}, kNow, false).empty());
}

TEST(StatusText, lets_no_text_from_outside_move_the_cursor) {
  auto input = input_of("streams");
  input.resource["status"]["conditions"][0]["reason"] = "a\x1b[2Jb";
  input.resource["status"]["capture"]["message"] = "c\nd";
  input.resource["status"]["capture"]["reason"] = "e";
  const auto text = status_text(input, kNow, false);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_NE(text.find("e: c?d"), std::string::npos);
}

TEST(StatusDocument, is_the_same_in_json_and_yaml_and_has_no_managed_fields) {
  auto input = input_of("streams");
  input.resource["metadata"]["managedFields"] = Json::array({1});
  const auto document = status_document(input);
  EXPECT_FALSE(document["resource"]["metadata"].contains("managedFields"));
  const auto read = api::parse_yaml(api::to_yaml(document)).value();
  EXPECT_EQ(config::to_text(read.at(0).problems), "");
  const auto expected = config::parse_json(nlohmann::ordered_json(document).dump()).value();
  EXPECT_EQ(read.at(0).value, expected);
}

}  // namespace
}  // namespace datasync::cli
