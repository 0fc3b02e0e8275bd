// The seam between the agents and the databases: nothing outside an engine includes a database client or another
// engine, holds SQL, or names an error number of a server. The exceptions of today are listed; no file is added to a
// list.

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

namespace datasync::layering {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

/// Files outside of engines that include a client or a destination's engine.
const Names kIncludeEngines{
    "agents/apply/agent.cpp",
    "agents/apply/plan/table_compatibility.hpp",
    "agents/apply/write/catalog.cpp",
    "agents/apply/write/catalog.hpp",
    "agents/apply/write/catalog_ddl.cpp",
    "agents/apply/write/catalog_known.cpp",
    "agents/apply/write/conflict_message.cpp",
    "agents/apply/write/conflict_message.hpp",
    "agents/apply/write/ddl.hpp",
    "agents/apply/write/executor.hpp",
    "agents/apply/write/statements.hpp",
    "agents/apply/write/verify.cpp",
    "agents/apply/write/verify.hpp",
    "agents/apply/write/writer.hpp",
};
/// Files outside of engines that hold SQL.
const Names kHoldSql{
    "agents/apply/session.cpp",
    "agents/apply/write/catalog.cpp",
    "agents/apply/write/catalog_actions.cpp",
    "agents/apply/write/catalog_alter.cpp",
    "agents/apply/write/catalog_ddl.cpp",
    "agents/apply/write/catalog_guard.cpp",
    "agents/apply/write/catalog_known.cpp",
    "agents/apply/write/catalog_rows.cpp",
    "agents/apply/write/conflict_message.cpp",
    "agents/apply/write/ddl.cpp",
    "agents/apply/write/executor.cpp",
    "agents/apply/write/writer.cpp",
};
/// Files outside of engines that ask for the number of a server's error.
const Names kKnowErrorNumbers{"agents/apply/session_retry.cpp", "agents/apply/write/executor.cpp"};
/// Libraries outside of engines that link one.
const Names kLinkEngines{"apply"};

struct Line {
  std::string path, text;
  std::size_t number;
};

bool is_below(std::string_view path, std::string_view folder) {
  return path.size() > folder.size() && path.starts_with(folder) && path[folder.size()] == '/';
}

std::string read(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// The lines of the product's sources.
const std::vector<Line>& lines() {
  static const std::vector<Line> all = [] {
    const fs::path root = DATASYNC_SOURCE_DIR;
    std::vector<Line> found;
    for (const char* top : {"agents", "cli", "operator"}) {
      for (const auto& entry : fs::recursive_directory_iterator(root / top)) {
        if (entry.path().extension() != ".cpp" && entry.path().extension() != ".hpp") continue;
        const auto path = fs::relative(entry.path(), root).generic_string();
        std::ifstream in(entry.path());
        std::size_t number = 0;
        for (std::string text; std::getline(in, text);) found.push_back({path, text, ++number});
      }
    }
    return found;
  }();
  return all;
}

/// What is between quotes in a line, comments left out. `code` gets the rest.
std::vector<std::string> literals(const std::string& line, std::string& code) {
  std::vector<std::string> out;
  bool inside = false;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (!inside && line.compare(i, 2, "//") == 0) break;
    if (line[i] == '"' && (i == 0 || line[i - 1] != '\'')) {
      inside = !inside;
      if (inside) out.emplace_back();
      continue;
    }
    if (inside && line[i] == '\\') out.back() += line[i++];
    (inside ? out.back() : code) += i < line.size() ? line[i] : ' ';
  }
  return out;
}

/// The engine's folder that a path is in: "agents/source/mariadb"; empty for none.
std::string engine_of(std::string_view path) {
  for (const std::string_view side : {"agents/source", "agents/destination"}) {
    if (!is_below(path, side)) continue;
    const auto rest = path.substr(side.size() + 1);
    const auto end = rest.find('/');
    if (end == std::string_view::npos || rest.substr(0, end) == "engines") return {};
    return std::string(path.substr(0, side.size() + 1 + end));
  }
  return {};
}

/// Where a database is no secret: engines, their clients, what they share, and the ledger (which has its own SQL).
bool is_of_engines(std::string_view path) {
  return !engine_of(path).empty() || is_below(path, "agents/client") || is_below(path, "agents/binlog") ||
         is_below(path, "agents/destination");
}

/// Files that do it and may not, and listed ones that do not do it any more.
std::vector<std::string> compared(const std::map<std::string, std::string>& found, const Names& allowed) {
  std::vector<std::string> faults;
  for (const auto& [path, why] : found)
    if (!allowed.contains(path)) faults.push_back(path + why);
  for (const auto& path : allowed)
    if (!found.contains(path)) faults.push_back(path + ": take it from the list of exceptions");
  return faults;
}

TEST(EngineSeam, ClientsAndEnginesAreIncludedByEnginesOnly) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*"([^"]+)")re");
  std::map<std::string, std::string> found;
  std::smatch match;
  for (const auto& line : lines()) {
    if (!std::regex_search(line.text, match, kInclude)) continue;
    const auto header = match[1].str(), engine = engine_of(header);
    const bool client = is_below(header, "agents/client") && !is_of_engines(line.path);
    const bool other =
        !engine.empty() && engine_of(line.path) != engine && !is_below(line.path, "agents/source/engines");
    const bool factory = is_below(header, "agents/source/engines") && !is_below(line.path, "agents/source/engines") &&
                         line.path != "agents/capture/main.cpp";
    if (client || other || factory) found[line.path] = fmt::format(":{} includes {}", line.number, header);
  }
  const auto faults = compared(found, kIncludeEngines);
  EXPECT_TRUE(faults.empty()) << fmt::format("{}", fmt::join(faults, "\n"));
}

TEST(EngineSeam, SqlIsHeldByEnginesOnly) {
  static const std::regex kSql(
      R"(\b(SELECT|SHOW|INSERT INTO|UPDATE|DELETE FROM|(ALTER|CREATE|DROP|LOCK|RENAME|TRUNCATE|OPTIMIZE) )"
      R"((TABLE|TABLES|DATABASE|TRIGGER|INDEX)|SET (GLOBAL|SESSION|@)|GRANT|REVOKE|START TRANSACTION|)"
      R"(ROLLBACK TO|SAVEPOINT|XA RECOVER|KILL)( +[^ ]| +$))");
  std::map<std::string, std::string> found;
  for (const auto& line : lines()) {
    if (is_of_engines(line.path)) continue;
    std::string code;
    for (const auto& text : literals(line.text, code))
      if (std::regex_search(text, kSql)) found[line.path] = fmt::format(":{} has SQL: {}", line.number, text);
  }
  const auto faults = compared(found, kHoldSql);
  EXPECT_TRUE(faults.empty()) << fmt::format("{}", fmt::join(faults, "\n"));
}

TEST(EngineSeam, ErrorNumbersAreKnownToEnginesOnly) {
  static const std::regex kNumber(R"(\b(last_errno|mysql_errno|sqlstate|SQLSTATE|(ER|CR)_[A-Z_]{3,})\b)");
  std::map<std::string, std::string> found;
  for (const auto& line : lines()) {
    if (is_of_engines(line.path)) continue;
    std::string code;
    literals(line.text, code);
    if (std::regex_search(code, kNumber)) found[line.path] = fmt::format(":{} asks for an error's number", line.number);
  }
  const auto faults = compared(found, kKnowErrorNumbers);
  EXPECT_TRUE(faults.empty()) << fmt::format("{}", fmt::join(faults, "\n"));
}

/// The libraries that a library links, by name, without what programs link.
std::map<std::string, Names> layers() {
  static const std::regex kLayer(R"(datasync_layer\(\s*([\w-]+)([^)]*)\))"), kLink(R"(\bds_(\w+))");
  std::map<std::string, Names> out;
  const fs::path root = DATASYNC_SOURCE_DIR;
  for (const auto& entry : fs::recursive_directory_iterator(root / "agents")) {
    if (entry.path().filename() != "CMakeLists.txt") continue;
    const auto text = read(entry.path());
    for (std::sregex_iterator layer(text.begin(), text.end(), kLayer), end; layer != end; ++layer) {
      const auto body = (*layer)[2].str();
      auto& links = out[(*layer)[1]];
      for (std::sregex_iterator at(body.begin(), body.end(), kLink); at != end; ++at) links.insert((*at)[1]);
    }
  }
  return out;
}

TEST(EngineSeam, EnginesAreLinkedByProgramsOnly) {
  const auto all = layers();
  const auto is_engine = [](const std::string& name) {
    return name.starts_with("client_") || name.starts_with("source_") || name.starts_with("destination_");
  };
  ASSERT_TRUE(all.contains("capture") && all.contains("source_mariadb") && all.contains("client_mysql"));
  std::map<std::string, std::string> found;
  for (const auto& [name, links] : all) {
    if (is_engine(name) || name == "destination" || name == "kafka_testing") continue;
    std::vector<std::string> open(links.begin(), links.end());
    Names seen;
    while (!open.empty()) {
      const auto link = open.back();
      open.pop_back();
      if (!seen.insert(link).second || !all.contains(link)) continue;
      open.insert(open.end(), all.at(link).begin(), all.at(link).end());
    }
    for (const auto& link : seen)
      if (is_engine(link)) found[name] = fmt::format(" links {}", link);
  }
  const auto faults = compared(found, kLinkEngines);
  EXPECT_TRUE(faults.empty()) << fmt::format("{}", fmt::join(faults, "\n"));
}

// A rule that reads nothing would hold for ever.
TEST(EngineSeam, WhatIsLookedForIsFoundWhereItMayBe) {
  EXPECT_GT(lines().size(), 10'000U);
  EXPECT_EQ(engine_of("agents/source/mariadb/server.cpp"), "agents/source/mariadb");
  EXPECT_EQ(engine_of("agents/source/engines/engines.cpp"), "");
  EXPECT_EQ(engine_of("agents/source/source.hpp"), "");
  std::string code;
  EXPECT_EQ(literals(R"(x = "SELECT \"a\"" + y;  // "no")", code), std::vector<std::string>{R"(SELECT \"a\")"});
  EXPECT_EQ(code, "x =  + y;  ");
}

}  // namespace
}  // namespace datasync::layering
