#pragma once
// What tests want to know of the documentation: its blocks of commands and files, its headings and links.

#include <set>
#include <string>
#include <vector>

namespace datasync::test {

/// An instruction to tests in front of a block, as a comment that no reader sees: `<!-- test: WORD TEXT -->`.
struct Directive {
  std::string word, text;
};

/// A fenced block.
struct Block {
  std::size_t line = 0;  ///< of the opening fence, from 1
  std::string language;  ///< behind the fence; may be empty
  std::string text;      ///< with the newline of each line
  std::string file;      ///< NAME when the paragraph before says "into `NAME`"
  std::vector<Directive> directives;
};

/// All fenced blocks in order. Throws std::runtime_error when one is not closed, or when no block follows a directive.
std::vector<Block> fenced_blocks(const std::string& markdown);

struct Link {
  std::size_t line = 0;
  std::string target;  ///< "operator.md#deletion"
};

/// The targets of all links and pictures, fenced blocks and code left out.
std::vector<Link> links(const std::string& markdown);

/// The anchors that GitHub makes of the headings.
std::set<std::string> anchors(const std::string& markdown);

/// The texts between single backquotes, fenced blocks left out.
std::vector<std::string> code_spans(const std::string& markdown);

}  // namespace datasync::test
