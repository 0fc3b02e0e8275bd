// The seam between the agents and the databases: nothing outside an engine includes a database client or another
// engine, holds SQL, or names an error number of a server. There are no exceptions.

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
#include <gtest/gtest.h>

namespace datasync::layering {
namespace {

namespace fs = std::filesystem;

using Names = std::set<std::string>;

/// The one file of each program that names the engines: it includes their factory.
const Names kIncludeFactory{"agents/apply/main.cpp", "agents/capture/main.cpp", "cli/topic/cleanup.cpp"};

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

/// True for the folders whose engines only programs name.
bool is_factory(std::string_view path) {
  return is_below(path, "agents/source/engines") || is_below(path, "agents/destination/engines");
}

/// Where a database is no secret: engines, their clients, and what MariaDB and MySQL share as sources.
bool is_of_engines(std::string_view path) {
  return !engine_of(path).empty() || is_below(path, "agents/client") || is_below(path, "agents/binlog");
}

/// What was found, a line each.
std::string faults(const std::map<std::string, std::string>& found) {
  std::string out;
  for (const auto& [path, why] : found) out += path + why + "\n";
  return out;
}

TEST(EngineSeam, ClientsAndEnginesAreIncludedByEnginesOnly) {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*"([^"]+)")re");
  std::map<std::string, std::string> found;
  std::smatch match;
  for (const auto& line : lines()) {
    if (!std::regex_search(line.text, match, kInclude)) continue;
    const auto header = match[1].str(), engine = engine_of(header);
    const bool client = is_below(header, "agents/client") && !is_of_engines(line.path);
    const bool other = !engine.empty() && engine_of(line.path) != engine && !is_factory(line.path);
    const bool factory = is_factory(header) && !is_factory(line.path) && !kIncludeFactory.contains(line.path);
    if (client || other || factory) found[line.path] = fmt::format(":{} includes {}", line.number, header);
  }
  EXPECT_TRUE(found.empty()) << faults(found);
}

TEST(EngineSeam, SqlIsHeldByEnginesOnly) {
  // What a foreign key does is a rule, no statement, and messages have it for every engine.
  static const std::regex kAction("ON UPDATE");
  static const std::regex kSql(
      R"(\b(SELECT|SHOW|INSERT INTO|UPDATE|DELETE FROM|(ALTER|CREATE|DROP|LOCK|RENAME|TRUNCATE|OPTIMIZE) )"
      R"((TABLE|TABLES|DATABASE|TRIGGER|INDEX)|SET (GLOBAL|SESSION|@)|GRANT|REVOKE|START TRANSACTION|)"
      R"(ROLLBACK TO|SAVEPOINT|XA RECOVER|KILL)( +[^ ]| +$))");
  std::map<std::string, std::string> found;
  for (const auto& line : lines()) {
    if (is_of_engines(line.path)) continue;
    std::string code;
    for (const auto& text : literals(line.text, code))
      if (std::regex_search(std::regex_replace(text, kAction, ""), kSql))
        found[line.path] = fmt::format(":{} has SQL: {}", line.number, text);
  }
  EXPECT_TRUE(found.empty()) << faults(found);
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
  EXPECT_TRUE(found.empty()) << faults(found);
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
  for (const auto* name : {"capture", "apply", "source_mariadb", "destination_mariadb", "client_mysql"})
    ASSERT_TRUE(all.contains(name)) << name;
  std::map<std::string, std::string> found;
  for (const auto& [name, links] : all) {
    if (is_engine(name) || name == "kafka_testing") continue;
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
  EXPECT_TRUE(found.empty()) << faults(found);
}

// A rule that reads nothing would hold for ever.
TEST(EngineSeam, WhatIsLookedForIsFoundWhereItMayBe) {
  EXPECT_GT(lines().size(), 10'000U);
  EXPECT_EQ(engine_of("agents/source/mariadb/server.cpp"), "agents/source/mariadb");
  EXPECT_EQ(engine_of("agents/source/engines/engines.cpp"), "");
  EXPECT_EQ(engine_of("agents/source/source.hpp"), "");
  EXPECT_EQ(engine_of("agents/destination/mariadb/dialect.cpp"), "agents/destination/mariadb");
  EXPECT_EQ(engine_of("agents/destination/ledger.cpp"), "");
  std::string code;
  EXPECT_EQ(literals(R"(x = "SELECT \"a\"" + y;  // "no")", code), std::vector<std::string>{R"(SELECT \"a\")"});
  EXPECT_EQ(code, "x =  + y;  ");
}

}  // namespace
}  // namespace datasync::layering
