// The samples are tests: the valid ones have no problem, the invalid ones exactly the problems their comments expect.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>

#include "operator/api/read.hpp"

namespace datasync::api {
namespace {

std::vector<std::filesystem::path> yaml_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().extension() == ".yaml") out.push_back(entry.path());
  }
  std::ranges::sort(out);
  return out;
}

std::string sample_name(const testing::TestParamInfo<std::filesystem::path>& info) {
  auto name = info.param.stem().string();
  std::ranges::replace(name, '-', '_');
  return name;
}

std::string problems_of(const std::string& text) {
  std::vector<std::string> lines;
  for (const auto& document : read_documents(text)) {
    for (const auto& problem : document.problems) lines.push_back(problem.text());
  }
  std::ranges::sort(lines);
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

std::string expected_in(const std::string& text) {
  constexpr std::string_view kMark = "# expect: ";
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(kMark)) lines.push_back(line.substr(kMark.size()));
  }
  std::ranges::sort(lines);
  std::string out;
  for (const auto& line : lines) out += line + "\n";
  return out;
}

class ValidSample : public testing::TestWithParam<std::filesystem::path> {};
TEST_P(ValidSample, has_no_problem) {
  EXPECT_EQ(problems_of(config::read_file(GetParam()).value()), "");
}
INSTANTIATE_TEST_SUITE_P(All, ValidSample, testing::ValuesIn(yaml_files(SAMPLES_DIR)), sample_name);

TEST(Samples, the_readme_shows_the_minimal_one) {
  const std::filesystem::path samples(SAMPLES_DIR);
  const auto readme = config::read_file((samples / "../../README.md").string()).value();
  const auto minimal = config::read_file((samples / "minimal.yaml").string()).value();
  EXPECT_NE(readme.find("```yaml\n" + minimal + "```\n"), std::string::npos);
}

class InvalidSample : public testing::TestWithParam<std::filesystem::path> {};
TEST_P(InvalidSample, has_exactly_the_problems_it_expects) {
  const auto text = config::read_file(GetParam()).value();
  const auto expected = expected_in(text);
  EXPECT_NE(expected, "") << "the sample says nothing of what is wrong with it";
  EXPECT_EQ(problems_of(text), expected);
}
INSTANTIATE_TEST_SUITE_P(All, InvalidSample,
                         testing::ValuesIn(yaml_files(std::filesystem::path(SAMPLES_DIR) / "invalid")), sample_name);

}  // namespace
}  // namespace datasync::api
