// The one file that knows yaml-cpp. 0.7 tells quoted and plain scalars apart only by the tag, lets the first of two
// equal keys win, reads 010 as 8 and does not resolve merge keys: so scalars are resolved here, by the YAML 1.2 core
// schema.
#include "operator/api/yaml.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

namespace datasync::api {
namespace {

using config::Problem;
using config::Value;

constexpr std::size_t kMaxDepth = 64;
constexpr std::size_t kMaxNodes = 100'000;
constexpr std::string_view kStringTag = "tag:yaml.org,2002:str";

template <std::size_t N>
bool one_of(std::string_view text, const std::array<std::string_view, N>& words) {
  return std::ranges::find(words, text) != words.end();
}

bool digits(std::string_view s) {
  return !s.empty() && std::ranges::all_of(s, [](char c) { return c >= '0' && c <= '9'; });
}

// Words and numbers that YAML 1.1 and 1.2 readers (kubectl is of the first kind) take differently.
bool ambiguous(std::string_view s) {
  constexpr std::array<std::string_view, 20> kWords{"y",   "Y",   "yes",  "Yes",  "YES",   "n",    "N",
                                                    "no",  "No",  "NO",   "on",   "On",    "ON",   "off",
                                                    "Off", "OFF", "True", "TRUE", "False", "FALSE"};
  if (one_of(s, kWords)) return true;
  auto number = s;
  const bool plus = number.starts_with('+');
  if (plus || number.starts_with('-')) number.remove_prefix(1);
  if (number.empty() || number.front() < '0' || number.front() > '9') {
    return number == ".inf" || number == ".nan" || number == ".Inf" || number == ".NaN";
  }
  if (plus && digits(number)) return true;
  if (number.size() > 1 && number.front() == '0' &&
      (digits(number) || std::string_view("xXoObB").find(number[1]) != number.npos)) {
    return true;
  }
  return number.find('_') != number.npos &&
         std::ranges::all_of(number, [](char c) { return c == '_' || (c >= '0' && c <= '9'); });
}

// A number when the text is one, else the text.
Value plain_value(const std::string& text) {
  const std::string_view s = text;
  const char* end = s.data() + s.size();
  std::int64_t whole = 0;
  if (const auto r = std::from_chars(s.data(), end, whole); r.ec == std::errc() && r.ptr == end) return {whole};
  const auto first = s.find_first_not_of('-');
  if (first == s.npos || first > 1 || s.find_first_not_of("0123456789.eE+-") != s.npos) return {text};
  double fraction = 0;
  if (const auto r = std::from_chars(s.data(), end, fraction); r.ec == std::errc() && r.ptr == end) return {fraction};
  return {text};
}

bool plain_name(std::string_view key) {
  return !key.empty() && std::ranges::all_of(key, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  });
}

class Converter {
 public:
  explicit Converter(std::vector<Problem>& problems) : problems_(problems) {}

  Value convert(const YAML::Node& node, const std::string& path, std::size_t depth) {
    if (++nodes_ > kMaxNodes || depth > kMaxDepth) {
      if (!full_) problem(path, "the document is too large or nested too deep", node);
      full_ = true;
      return {};
    }
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        return scalar(node, path);
      case YAML::NodeType::Sequence:
        return sequence(node, path, depth);
      case YAML::NodeType::Map:
        return map(node, path, depth);
      case YAML::NodeType::Null:
      case YAML::NodeType::Undefined:
        break;
    }
    return {};
  }

 private:
  void problem(const std::string& path, std::string_view what, const YAML::Node& node) {
    problems_.push_back({path, fmt::format("{} (line {})", what, node.Mark().line + 1)});
  }

  Value scalar(const YAML::Node& node, const std::string& path) {
    const auto& text = node.Scalar();
    const auto& tag = node.Tag();
    if (tag == "!" || tag == kStringTag) return {text};
    if (tag != "?" && !tag.empty()) {
      problem(path, fmt::format("the tag {} is not understood", tag), node);
      return {};
    }
    if (text.empty() || text == "~" || text == "null") return {};
    if (text == "true") return {true};
    if (text == "false") return {false};
    if (ambiguous(text)) {
      problem(path,
              fmt::format("plain {} means different things to different YAML readers; put it in quotes, or write "
                          "true, false or a decimal number",
                          text),
              node);
      return {text};
    }
    return plain_value(text);
  }

  Value sequence(const YAML::Node& node, const std::string& path, std::size_t depth) {
    Value::List list;
    for (const auto& item : node) {
      if (full_) break;
      list.push_back(convert(item, fmt::format("{}[{}]", path, list.size()), depth + 1));
    }
    return {std::move(list)};
  }

  Value map(const YAML::Node& node, const std::string& path, std::size_t depth) {
    Value out{Value::Map{}};
    for (const auto& member : node) {
      if (full_) break;
      if (!member.first.IsScalar() && !member.first.IsNull()) {
        problem(path, "a key is not a scalar", member.first);
        continue;
      }
      const auto key = member.first.IsNull() ? std::string("~") : member.first.Scalar();
      const auto here = path.empty() && plain_name(key) ? key
                        : plain_name(key)               ? fmt::format("{}.{}", path, key)
                                                        : fmt::format("{}[\"{}\"]", path, key);
      if (key == "<<" && member.first.Tag() == "?") {
        problem(here, "merge keys are not supported; write the fields out", member.first);
      } else if (out.find(key) != nullptr) {
        problem(here, "is defined twice", member.first);
      } else {
        auto value = convert(member.second, here, depth + 1);
        std::get<Value::Map>(out.data).push_back({key, std::move(value)});
      }
    }
    return out;
  }

  std::vector<Problem>& problems_;
  std::size_t nodes_ = 0;
  bool full_ = false;
};

}  // namespace

base::Result<std::vector<YamlDocument>> parse_yaml(std::string_view text) {
  try {
    std::vector<YamlDocument> out;
    std::size_t number = 0;
    for (const auto& root : YAML::LoadAll(std::string(text))) {
      ++number;
      if (!root.IsDefined() || root.IsNull()) continue;
      auto& document = out.emplace_back();
      document.number = number;
      document.value = Converter(document.problems).convert(root, "", 0);
    }
    return out;
  } catch (const YAML::Exception& e) {
    return base::Error(base::Reason::ConfigInvalid, fmt::format("not valid YAML: line {}, column {}: {}",
                                                                e.mark.line + 1, e.mark.column + 1, e.msg));
  }
}

}  // namespace datasync::api
