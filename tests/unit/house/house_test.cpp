// The house's rules on the source tree itself: which layer may include what, how long a file may be, and that no
// machine's paths got in.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace datasync::house {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLines = 400;
/// Files that may be longer, with a reason each. Keep it empty.
const std::set<std::string> kLongFiles{};

/// From low to high: a layer includes itself and lower ones. Tests may include any.
const std::vector<std::string> kLayers{"agents/base",        "agents/config",   "agents/message", "agents/binlog",
                                       "agents/sql",         "agents/protocol", "agents/kafka",   "agents/health",
                                       "agents/capture",     "agents/apply",    "operator/api",   "operator/desired",
                                       "operator/decide",    "operator/status", "operator/kube",  "operator/runtime",
                                       "operator/reconcile", "cli",    "operator/main"};

/// A third-party header that has one home, or two.
struct Home {
  std::string_view name;
  std::regex header;
  std::vector<std::string> folders;
  std::size_t most_files = 1000;
};

const std::vector<Home>& homes() {
  static const std::vector<Home> all{
      {"mysql", std::regex(R"(^(mariadb/)?(mysql|errmsg|mysqld_error|mariadb_.*)\.h$)"), {"agents/sql"}},
      {"librdkafka", std::regex("^librdkafka/.*"), {"agents/kafka"}},
      {"yaml-cpp", std::regex("^yaml-cpp/.*"), {"operator/api"}, 1},
      {"Boost.Process", std::regex("^boost/process.*"), {"cli", "tests/support"}},
      {"cpprest", std::regex("^(cpprest|pplx)/.*"), {"operator/kube"}},
      {"libpq", std::regex("^(postgresql/)?libpq-fe.*"), {"agents/sql"}},
  };
  return all;
}

struct Include {
  std::size_t line;
  std::string header;
};

struct Source {
  std::string path;  ///< from the root of the project, with slashes
  std::string text;
  std::size_t lines = 0;
  std::vector<Include> includes;
};

std::vector<Include> read_includes(const std::string& text) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*[<"]([^>"]+)[>"])re");
  std::vector<Include> result;
  std::size_t number = 0;
  std::size_t at = 0;
  while (at < text.size()) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    ++number;
    std::smatch match;
    if (line.find("include") != std::string::npos && std::regex_search(line, match, kInclude)) {
      result.push_back({number, match[1].str()});
    }
    at = end + 1;
  }
  return result;
}

Source read_source(const fs::path& root, const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  Source source{fs::relative(file, root).generic_string(), {std::istreambuf_iterator<char>(in), {}}, 0, {}};
  source.lines = static_cast<std::size_t>(std::ranges::count(source.text, '\n'));
  source.includes = read_includes(source.text);
  return source;
}

const std::vector<Source>& sources() {
  static const std::vector<Source> all = [] {
    const fs::path root = DATASYNC_SOURCE_DIR;
    const std::set<std::string> kinds{".cpp", ".hpp", ".h", ".proto"};
    std::vector<Source> found;
    for (const char* top : {"agents", "operator", "tests"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
        if (entry.is_regular_file() && kinds.contains(entry.path().extension())) {
          found.push_back(read_source(root, entry.path()));
        }
      }
    }
    return found;
  }();
  return all;
}

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

/// The number of the layer a path lies in; -1 for none.
int layer_of(std::string_view path) {
  for (std::size_t i = 0; i < kLayers.size(); ++i) {
    if (is_below(path, kLayers[i])) return static_cast<int>(i);
  }
  return -1;
}

std::string list(const std::vector<std::string>& faults) {
  return fmt::format("{}", fmt::join(faults, "\n"));
}

TEST(House, HasSources) {
  EXPECT_GT(sources().size(), 50U);
}

TEST(House, KeepsEveryThirdPartyHeaderAtItsHome) {
  std::vector<std::string> faults;
  for (const auto& home : homes()) {
    std::set<std::string> files;
    for (const auto& source : sources()) {
      for (const auto& include : source.includes) {
        if (!std::regex_match(include.header, home.header)) continue;
        files.insert(source.path);
        const bool allowed =
            std::ranges::any_of(home.folders, [&](const std::string& folder) { return is_below(source.path, folder); });
        if (!allowed) {
          faults.push_back(fmt::format("{}:{}: <{}> belongs to {} only", source.path, include.line, include.header,
                                       fmt::join(home.folders, ", ")));
        }
      }
    }
    if (files.size() > home.most_files) {
      faults.push_back(
          fmt::format("{} is included by more than {} file: {}", home.name, home.most_files, fmt::join(files, ", ")));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(House, IncludesOnlyDownward) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    const int own = layer_of(source.path);
    if (own < 0) continue;
    for (const auto& include : source.includes) {
      if (layer_of(include.header) > own) {
        faults.push_back(fmt::format("{}:{}: {} is a higher layer", source.path, include.line, include.header));
      }
      if (include.header.starts_with("tests/")) {
        faults.push_back(fmt::format("{}:{}: the product includes {}", source.path, include.line, include.header));
      }
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(House, KnowsEveryLayer) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    const bool product = is_below(source.path, "agents") || is_below(source.path, "operator");
    if (product && layer_of(source.path) < 0) faults.push_back(source.path + ": in no layer that this test knows");
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(House, NamesProjectHeadersFromTheRoot) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    for (const auto& include : source.includes) {
      if (include.header.starts_with("..") || include.header.starts_with("./")) {
        faults.push_back(fmt::format("{}:{}: {}", source.path, include.line, include.header));
      }
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(House, HasNoJsonInPublicHeadersOfHotLayers) {
  const std::vector<std::string> hot{"agents/message", "agents/binlog",  "agents/sql",  "agents/protocol",
                                     "agents/kafka",   "agents/capture", "agents/apply"};
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    if (!source.path.ends_with(".hpp")) continue;
    if (std::ranges::none_of(hot, [&](const std::string& folder) { return is_below(source.path, folder); })) continue;
    for (const auto& include : source.includes) {
      if (include.header.starts_with("nlohmann/")) faults.push_back(fmt::format("{}:{}", source.path, include.line));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(House, HasNoFileThatIsTooLong) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    if (source.lines > kMostLines && !kLongFiles.contains(source.path)) {
      faults.push_back(fmt::format("{} has {} lines, more than {}", source.path, source.lines, kMostLines));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(House, HasNoPathOfAMachine) {
  // In pieces, so that this file does not hold them itself.
  const std::array<std::string, 4> paths{std::string("/ho") + "me/", std::string("/ro") + "ot/",
                                         std::string("/wo") + "rk/", std::string("/tm") + "p/build"};
  std::vector<std::string> faults;
  const fs::path root = DATASYNC_SOURCE_DIR;
  const std::set<std::string> kinds{".cpp", ".hpp", ".proto", ".txt", ".cmake", ".md", ".json", ".yaml", ".xml", ""};
  for (const char* top : {".ci", "agents", "charts", "cmake", "crds", "docs", "operator", "tests", "tools"}) {
    if (!fs::exists(root / top)) continue;  // git keeps no empty folders
    for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
      if (!entry.is_regular_file() || !kinds.contains(entry.path().extension())) continue;
      const auto source = read_source(root, entry.path());
      for (const auto& path : paths) {
        if (source.text.find(path) != std::string::npos) faults.push_back(fmt::format("{}: {}", source.path, path));
      }
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

}  // namespace
}  // namespace datasync::house
