// The documentation as text: its links lead somewhere, its commands are marked so that the test with two clusters runs
// them, and the commands of ours that it names exist.

#include <algorithm>
#include <filesystem>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

#include "cli/commands.hpp"
#include "cli/completion.hpp"
#include "tests/support/markdown.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
const fs::path kRoot = PROJECT_SOURCE_DIR;

/// Blocks of the two how-tos that cannot be run there, by their first line, each with the reason. Keep it short.
const std::map<std::string, std::string>& not_run() {
  static const std::map<std::string, std::string> all{
      {"make images", "builds for minutes: the stage images does it"},
      {R"(make images IMAGES="--repository REGISTRY/datasync --also-tag 0.1.0 --push")", "a registry of the reader's"},
      {R"(make images IMAGES="--fresh --repository REGISTRY/datasync --also-tag 0.1.0-20260101 --push")",
       "a registry of the reader's"},
      {"kubectl -n sync annotate dsync shop --overwrite datasync.dev/accept-gtid=0-1-4711",
       "the GTID is that of a transaction that stops capture: recovery_test runs it"},
  };
  return all;
}

std::vector<fs::path> pages() {
  std::vector<fs::path> all{kRoot / "README.md", kRoot / "CONTRIBUTING.md"};
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / "docs")) {
    if (entry.path().extension() == ".md") all.push_back(entry.path());
  }
  return all;
}

std::vector<fs::path> how_tos() {
  return {kRoot / "docs" / "install.md", kRoot / "docs" / "operate.md"};
}

std::string place(const fs::path& page, std::size_t line) {
  return fmt::format("{}:{}", fs::relative(page, kRoot).string(), line);
}

std::string list(const std::vector<std::string>& faults) {
  return fmt::format("{}", fmt::join(faults, "\n"));
}

/// What is wrong with a link; empty when nothing is.
std::string broken(const fs::path& page, const std::string& target) {
  if (target.find("://") != std::string::npos) return {};
  const auto hash = target.find('#');
  const auto name = target.substr(0, hash);
  const auto file = name.empty() ? page : page.parent_path() / name;
  if (!fs::exists(file)) return "no such file";
  if (hash == std::string::npos || file.extension() != ".md") return {};
  return anchors(read_file(file)).contains(target.substr(hash + 1)) ? "" : "no such heading";
}

TEST(Docs, EveryLinkPointsToAFileAndAHeading) {
  std::vector<std::string> faults;
  std::size_t count = 0;
  for (const auto& page : pages()) {
    for (const auto& link : links(read_file(page))) {
      ++count;
      const auto fault = broken(page, link.target);
      if (!fault.empty()) faults.push_back(fmt::format("{}: {}: {}", place(page, link.line), link.target, fault));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
  EXPECT_GT(count, 50U);
}

TEST(Docs, EveryBlockOfTheHowTosIsRunOrHasAReason) {
  std::vector<std::string> faults;
  std::set<std::string> excused;
  std::size_t run = 0;
  for (const auto& page : how_tos()) {
    for (const auto& block : fenced_blocks(read_file(page))) {
      const auto first = block.text.substr(0, block.text.find('\n'));
      if (block.language == "sh" || (block.language == "yaml" && !block.file.empty()))
        ++run;
      else if (block.language.empty())
        faults.push_back(place(page, block.line) + ": no language");
      else if (not_run().contains(first))
        excused.insert(first);
      else
        faults.push_back(fmt::format("{}: not run, and no reason is known: {}", place(page, block.line), first));
    }
  }
  for (const auto& [first, reason] : not_run()) {
    if (!excused.contains(first)) faults.push_back("an excuse for a block that is not there: " + first);
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
  EXPECT_GT(run, 50U);
}

TEST(Docs, DirectivesAreUnderstood) {
  const std::set<std::string> words{"given", "then", "expect", "absent", "eventually"};
  std::vector<std::string> faults;
  for (const auto& page : how_tos()) {
    for (const auto& block : fenced_blocks(read_file(page))) {
      for (const auto& [word, text] : block.directives) {
        if (!words.contains(word)) faults.push_back(fmt::format("{}: {}?", place(page, block.line), word));
        if (text.empty()) faults.push_back(fmt::format("{}: {} what?", place(page, block.line), word));
        if (word == "eventually") {
          EXPECT_GT(std::stoi(text), 0) << place(page, block.line);
        }
        if (word == "expect" || word == "absent") {
          EXPECT_NO_THROW(std::regex{text}) << place(page, block.line);
        }
      }
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(Docs, EveryNamedCommandExists) {
  static const std::regex kCommand(R"(^(?:kubectl )?datasync ([a-z]\w*))");
  cli::Arguments arguments;
  const auto app = cli::command_line(arguments);
  std::vector<std::string> faults;
  std::size_t count = 0;
  for (const auto& page : pages()) {
    for (const auto& code : code_spans(read_file(page))) {
      std::smatch match;
      if (!std::regex_search(code, match, kCommand)) continue;
      ++count;
      if (cli::find_command(*app, match[1]) == nullptr) {
        faults.push_back(fmt::format("{}: {}", fs::relative(page, kRoot).string(), code));
      }
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
  EXPECT_GT(count, 10U);
}

TEST(Markdown, BlocksHaveLanguageFileAndDirectives) {
  const auto blocks = fenced_blocks(
      "Write this\ninto `a.yaml`, please:\n\n```yaml\nx: 1\n\ny: 2\n```\n\nNow:\n\n"
      "<!-- test: given rain -->\n<!-- test: expect a|b -->\n```sh\necho\n```\n");
  ASSERT_EQ(blocks.size(), 2U);
  EXPECT_EQ(blocks[0].file, "a.yaml");
  EXPECT_EQ(blocks[0].text, "x: 1\n\ny: 2\n");
  EXPECT_EQ(blocks[0].line, 4U);
  EXPECT_EQ(blocks[1].language, "sh");
  EXPECT_EQ(blocks[1].file, "");
  ASSERT_EQ(blocks[1].directives.size(), 2U);
  EXPECT_EQ(blocks[1].directives[0].word, "given");
  EXPECT_EQ(blocks[1].directives[0].text, "rain");
  EXPECT_EQ(blocks[1].directives[1].text, "a|b");
}

TEST(Markdown, WhatWouldBeIgnoredIsAnError) {
  EXPECT_THROW((void)fenced_blocks("```sh\necho\n"), std::runtime_error);
  EXPECT_THROW((void)fenced_blocks("<!-- test: given rain -->\n\ntext\n\n```sh\n```\n"), std::runtime_error);
  EXPECT_THROW((void)fenced_blocks("<!-- test: given rain -->\n"), std::runtime_error);
}

TEST(Markdown, AnchorsAreGitHubs) {
  EXPECT_EQ(anchors("# `/status`\n## Stalled is True: needs a person\n## Once\n## Once\n```\n# no\n```\n"),
            (std::set<std::string>{"status", "stalled-is-true-needs-a-person", "once", "once-1"}));
}

TEST(Markdown, LinksInCodeAreNone) {
  const auto found = links("see [a](b.md#c) and `[x](y)`\n```\n[p](q)\n```\n![d](e.svg)\n");
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].target, "b.md#c");
  EXPECT_EQ(found[1].line, 5U);
}

}  // namespace
}  // namespace datasync::test
