// Every reason that stops an agent has a test that does what its message says, or a stated exemption.

#include <fstream>
#include <iterator>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "agents/base/reason.hpp"

namespace datasync::base {
namespace {

const std::string kFolder = PROJECT_SOURCE_DIR "/tests/integration/";

std::string text_of(const std::string& file) {
  std::ifstream in(kFolder + file);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The rest of each line of reason_tests.txt by its first word.
std::map<std::string, std::string> entries() {
  std::map<std::string, std::string> out;
  std::istringstream in(text_of("reason_tests.txt"));
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.starts_with('#')) continue;
    const auto end = line.find(' ');
    EXPECT_TRUE(out.emplace(line.substr(0, end), line.substr(end)).second) << line << ": is there twice";
  }
  return out;
}

TEST(ReasonTests, name_a_test_for_every_reason_that_stops_an_agent) {
  auto left = entries();
  for (const auto& reason : all_reasons()) {
    if (reason.outcome != Outcome::Halt) continue;
    EXPECT_EQ(left.erase(std::string(reason.name)), 1U)
        << reason.name << ": what its message says must end with equal rows; name the test in reason_tests.txt";
  }
  for (const auto& [name, rest] : left) ADD_FAILURE() << name << " is no reason that stops an agent";
}

TEST(ReasonTests, exist) {
  for (const auto& [name, rest] : entries()) {
    std::istringstream words(rest);
    std::string file, test;
    words >> file >> test;
    ASSERT_FALSE(test.empty()) << name;
    if (file == "exempt") continue;
    const auto dot = test.find('.');
    const auto suite = test.substr(0, dot), title = test.substr(dot + 1);
    EXPECT_NE(text_of(file).find("(" + suite + ", " + title + ")"), std::string::npos)
        << name << ": " << file << " has no " << test;
  }
}

}  // namespace
}  // namespace datasync::base
