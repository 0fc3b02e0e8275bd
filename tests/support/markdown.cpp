#include "tests/support/markdown.hpp"

#include <cctype>
#include <functional>
#include <regex>
#include <sstream>
#include <stdexcept>

#include <fmt/format.h>

namespace datasync::test {
namespace {

/// Calls with number and text of every line; `in_block` for fences and what is between them.
void each_line(const std::string& markdown,
               const std::function<void(std::size_t number, const std::string& line, bool in_block)>& call) {
  std::istringstream lines(markdown);
  bool inside = false;
  std::size_t number = 0;
  for (std::string line; std::getline(lines, line);) {
    const bool fence = line.starts_with("```");
    call(++number, line, inside || fence);
    if (fence) inside = !inside;
  }
}

std::string without_code(const std::string& line) {
  static const std::regex kCode("`[^`]*`");
  return std::regex_replace(line, kCode, "");
}

}  // namespace

std::vector<Block> fenced_blocks(const std::string& markdown) {
  static const std::regex kDirective(R"(^<!-- test: (\S+) ?(.*?) ?-->$)");
  static const std::regex kFile("into `([^`]+)`");
  std::vector<Block> blocks;
  std::vector<Directive> directives;
  std::string paragraph;  // the last one
  bool paragraph_ended = false, inside = false;
  each_line(markdown, [&](std::size_t number, const std::string& line, bool) {
    std::smatch match;
    if (inside) {
      if (line.starts_with("```"))
        inside = false;
      else
        blocks.back().text += line + "\n";
    } else if (line.starts_with("```")) {
      Block block{number, line.substr(3), {}, {}, std::move(directives)};
      if (std::regex_search(paragraph, match, kFile)) block.file = match[1];
      blocks.push_back(std::move(block));
      directives.clear();
      paragraph.clear();
      inside = true;
    } else if (std::regex_match(line, match, kDirective)) {
      directives.push_back({match[1], match[2]});
    } else if (line.empty()) {
      paragraph_ended = true;
    } else {
      if (!directives.empty()) throw std::runtime_error(fmt::format("line {}: no block follows a directive", number));
      paragraph = paragraph_ended ? line : paragraph + " " + line;
      paragraph_ended = false;
    }
  });
  if (inside) throw std::runtime_error(fmt::format("the block of line {} has no end", blocks.back().line));
  if (!directives.empty()) throw std::runtime_error("no block follows the last directive");
  return blocks;
}

std::vector<Link> links(const std::string& markdown) {
  static const std::regex kLink(R"(\]\(([^)\s]+)\))");
  std::vector<Link> found;
  each_line(markdown, [&](std::size_t number, const std::string& line, bool in_block) {
    if (in_block) return;
    const auto text = without_code(line);
    for (auto it = std::sregex_iterator(text.begin(), text.end(), kLink); it != std::sregex_iterator(); ++it) {
      found.push_back({number, (*it)[1]});
    }
  });
  return found;
}

std::set<std::string> anchors(const std::string& markdown) {
  static const std::regex kHeading("^#{1,6} +(.*)$");
  std::set<std::string> found;
  each_line(markdown, [&](std::size_t, const std::string& line, bool in_block) {
    std::smatch match;
    if (in_block || !std::regex_match(line, match, kHeading)) return;
    std::string anchor;
    for (const char c : match[1].str()) {
      if (c == ' ')
        anchor += '-';
      else if (c == '-' || c == '_' || std::isalnum(static_cast<unsigned char>(c)) != 0) {
        anchor += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      }
    }
    auto name = anchor;
    for (int n = 1; !found.insert(name).second; ++n) name = fmt::format("{}-{}", anchor, n);
  });
  return found;
}

std::vector<std::string> code_spans(const std::string& markdown) {
  static const std::regex kCode("`([^`]+)`");
  std::string text;  // a span may go over the end of a line
  each_line(markdown, [&](std::size_t, const std::string& line, bool in_block) {
    text += in_block ? "\n" : line + (line.empty() ? "\n" : " ");
  });
  std::vector<std::string> found;
  for (auto it = std::sregex_iterator(text.begin(), text.end(), kCode); it != std::sregex_iterator(); ++it) {
    found.push_back((*it)[1]);
  }
  return found;
}

}  // namespace datasync::test
