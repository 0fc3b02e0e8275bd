// Rules of the source tree: which folder may include what, how long a file may be, and that no path of a machine is in
// it.

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <gtest/gtest.h>

namespace datasync::layering {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostLines = 300, kMostTestLines = 400;
/// Files that are longer, with the number of lines that they must not pass. A file leaves this list when it was cut; no
/// file is added.
const std::map<std::string, std::size_t> kLongFiles{
    {"agents/apply/read/assembler.cpp", 320},
};

/// The order of folders within one library, from low to high: a file includes files of its own folder and of lower
/// ones. The last one is the folder of the library itself. Between libraries the links in CMakeLists.txt decide.
const std::map<std::string, std::vector<std::string>> kFolderOrder{
    {"agents/capture",
     {"agents/capture/plan", "agents/capture/replica", "agents/capture/stream", "agents/capture/snapshot",
      "agents/capture"}},
    {"agents/apply", {"agents/apply/read", "agents/apply/plan", "agents/apply/write", "agents/apply"}},
    {"cli", {"cli/terminal", "cli/local", "cli/cluster", "cli/topic", "cli"}},
};

/// A third-party header that has one home, or two.
struct Home {
  std::string_view name;
  std::regex header;
  std::vector<std::string> folders;
  std::size_t most_files = 1000;
};

const std::vector<Home>& homes() {
  static const std::vector<Home> all{
      {"mysql",
       std::regex(R"(^(mariadb/)?(mysql|errmsg|mysqld_error|mariadb_.*)\.h$)"),
       {"agents/client/mysql", "agents/source/mariadb", "agents/destination/mariadb"}},
      {"librdkafka", std::regex("^librdkafka/.*"), {"agents/kafka"}},
      {"yaml-cpp", std::regex("^yaml-cpp/.*"), {"operator/api"}, 1},
      {"Boost.Process", std::regex("^boost/process.*"), {"cli", "tests/support"}},
      {"cpprest", std::regex("^(cpprest|pplx)/.*"), {"operator/kube"}},
      {"libpq", std::regex("^(postgresql/)?libpq-fe.*"), {"agents/client/postgres"}},
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
    for (const char* top : {"agents", "cli", "operator", "tests"}) {
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

/// A static library that a CMakeLists.txt declares by datasync_layer, or a program that has no library beside it.
struct Library {
  std::string name, folder;
  std::set<std::string> links;  ///< libraries of the project that its CMakeLists.txt names
};

/// The libraries of the product by name, as CMake links them.
const std::map<std::string, Library>& libraries() {
  static const std::map<std::string, Library> all = [] {
    static const std::regex kLayer(R"((?:datasync_layer|add_executable)\(\s*([\w-]+))"), kLink(R"(\bds_(\w+))");
    const fs::path root = DATASYNC_SOURCE_DIR;
    std::map<std::string, Library> found;
    for (const char* top : {"agents", "cli", "operator"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
        if (entry.path().filename() != "CMakeLists.txt") continue;
        const auto source = read_source(root, entry.path());
        std::smatch layer;
        if (!std::regex_search(source.text, layer, kLayer)) continue;
        Library library{layer[1], fs::relative(entry.path().parent_path(), root).generic_string(), {}};
        for (std::sregex_iterator at(source.text.begin(), source.text.end(), kLink), end; at != end; ++at)
          library.links.insert((*at)[1]);
        found.emplace(library.name, std::move(library));
      }
    }
    return found;
  }();
  return all;
}

/// The library that a path belongs to: the one with the longest folder above it. Null for none.
const Library* library_of(std::string_view path) {
  const Library* best = nullptr;
  for (const auto& [name, library] : libraries()) {
    if (is_below(path, library.folder) && (best == nullptr || library.folder.size() > best->folder.size()))
      best = &library;
  }
  return best;
}

/// Everything that a library links, directly or through others.
std::set<std::string> reach(const std::string& name) {
  std::set<std::string> all;
  std::vector<std::string> open{name};
  while (!open.empty()) {
    const auto at = libraries().find(open.back());
    open.pop_back();
    if (at == libraries().end()) continue;
    for (const auto& link : at->second.links)
      if (all.insert(link).second) open.push_back(link);
  }
  return all;
}

/// The place of a path in the order of its library's folders; nothing when the library has no such order.
std::optional<std::size_t> place_in(const std::vector<std::string>& order, std::string_view path) {
  for (std::size_t i = 0; i < order.size(); ++i)
    if (is_below(path, order[i])) return i;
  return std::nullopt;
}

std::string list(const std::vector<std::string>& faults) {
  return fmt::format("{}", fmt::join(faults, "\n"));
}

TEST(Layering, HasSources) {
  EXPECT_GT(sources().size(), 50U);
}

TEST(Layering, IncludesThirdPartyHeadersOnlyWhereAllowed) {
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

TEST(Layering, IncludesOnlyWhatItsLibraryLinks) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    const auto* own = library_of(source.path);
    if (own == nullptr) continue;
    const auto linked = reach(own->name);
    for (const auto& include : source.includes) {
      const auto* other = library_of(include.header);
      if (other != nullptr && other != own && !linked.contains(other->name))
        faults.push_back(fmt::format("{}:{}: {} belongs to ds_{}, which ds_{} does not link", source.path, include.line,
                                     include.header, other->name, own->name));
      if (include.header.starts_with("tests/"))
        faults.push_back(fmt::format("{}:{}: the product includes {}", source.path, include.line, include.header));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(Layering, HasNoCycleOfLibraries) {
  std::vector<std::string> faults;
  for (const auto& [name, library] : libraries()) {
    for (const auto& other : library.links) {
      // A program beside a library, in the same CMakeLists.txt, links that library.
      if (other != name && reach(other).contains(name))
        faults.push_back(fmt::format("ds_{} and ds_{} need each other", name, other));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(Layering, FoldersOfALibraryIncludeOnlyDownward) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    const auto* own = library_of(source.path);
    if (own == nullptr || !kFolderOrder.contains(own->folder)) continue;
    const auto& order = kFolderOrder.at(own->folder);
    const auto from = place_in(order, source.path);
    for (const auto& include : source.includes) {
      const auto to = place_in(order, include.header);
      if (from && to && *to > *from)
        faults.push_back(fmt::format("{}:{}: {} is in a higher folder", source.path, include.line, include.header));
    }
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(Layering, EveryFileBelongsToALibrary) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    const bool product =
        is_below(source.path, "agents") || is_below(source.path, "operator") || is_below(source.path, "cli");
    if (product && library_of(source.path) == nullptr) faults.push_back(source.path + ": in no library and no program");
  }
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(Layering, NamesProjectHeadersFromTheRoot) {
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

TEST(Layering, HasNoJsonInPublicHeadersOfHotLayers) {
  const std::vector<std::string> hot{"agents/message",     "agents/binlog",  "agents/client",
                                     "agents/protocol",    "agents/kafka",   "agents/source",
                                     "agents/destination", "agents/capture", "agents/apply"};
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

TEST(Layering, HasNoFileThatIsTooLong) {
  std::vector<std::string> faults;
  for (const auto& source : sources()) {
    const auto listed = kLongFiles.find(source.path);
    const auto usual = is_below(source.path, "tests") ? kMostTestLines : kMostLines;
    const auto most = listed == kLongFiles.end() ? usual : listed->second;
    if (source.lines > most)
      faults.push_back(fmt::format("{} has {} lines, more than {}", source.path, source.lines, most));
    if (listed != kLongFiles.end() && source.lines <= usual)
      faults.push_back(fmt::format("{} has {} lines: take it from the list of long files", source.path, source.lines));
  }
  for (const auto& [path, lines] : kLongFiles)
    if (!fs::exists(fs::path(DATASYNC_SOURCE_DIR) / path)) faults.push_back(path + " is listed and does not exist");
  EXPECT_TRUE(faults.empty()) << list(faults);
}

TEST(Layering, HasNoPathOfAMachine) {
  // In pieces, so that this file does not hold them itself.
  const std::array<std::string, 4> paths{std::string("/ho") + "me/", std::string("/ro") + "ot/",
                                         std::string("/wo") + "rk/", std::string("/tm") + "p/build"};
  std::vector<std::string> faults;
  const fs::path root = DATASYNC_SOURCE_DIR;
  const std::set<std::string> kinds{".cpp", ".hpp", ".proto", ".txt", ".cmake", ".md", ".json", ".yaml", ".xml", ""};
  for (const char* top : {".ci", "agents", "charts", "cli", "cmake", "crds", "docs", "operator", "tests", "tools"}) {
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
}  // namespace datasync::layering
