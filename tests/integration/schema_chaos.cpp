#include <algorithm>
#include <cstdio>

#include <fmt/format.h>

#include "tests/integration/schema_chaos_run.hpp"

namespace datasync::test {
namespace {

using What = ChaosStep::What;

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string hex_of(const std::string& text) {
  std::string out;
  for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

/// The values that the policies of a script have, see ChaosStep::What::Policy.
void take_policies(const std::string& text, config::Apply& apply) {
  using config::OnTableError;
  using config::SchemaChanges;
  const auto has = [&](const char* word) { return text.find(word) != std::string::npos; };
  apply.schema_changes = has("ApplyAll")        ? SchemaChanges::ApplyAll
                         : has("ApplyAdditive") ? SchemaChanges::ApplyAdditive
                                                : SchemaChanges::Halt;
  apply.on_table_error = has("HoldTable") ? OnTableError::HoldTable : OnTableError::HoldStream;
}

}  // namespace

void SchemaChaos::create_tables(const std::string& database) {
  auto session = fixture().source().connect();
  session.execute("USE mysql");
  session.execute("CREATE DATABASE `" + database + "`");
  session.execute("CREATE DATABASE `" + database + "x`");
  const auto create = [&](const std::string& table, const std::string& options) {
    const auto name = quote_name(database) + "." + quote_name(table);
    session.execute("CREATE TABLE " + name + " " + kChaosBody + options);
    session.execute("INSERT INTO " + name + " SELECT seq, seq * 10, CONCAT('start ', seq), 'hidden' FROM " +
                    "seq_1_to_15");
  };
  for (const auto& table : chaos_captured_tables()) {
    const bool parts = table == "p";
    create(table, parts ? " PARTITION BY RANGE (id) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN "
                          "(20), PARTITION p2 VALUES LESS THAN MAXVALUE)"
                        : "");
  }
  for (const auto* table : {"swap", "archive"}) create(table, "");
  if (!any_case_) create("T", "");
}

void SchemaChaos::restart_capture(Run& run) {
  fixture().capture().process().terminate();
  fixture().forget(fixture().capture());
  fixture().start_capture(run.capture);
  run.frozen = false;
}

void SchemaChaos::restart_apply(Run& run) {
  fixture().apply().process().terminate();
  fixture().forget(fixture().apply());
  fixture().start_apply(run.apply);
}

std::vector<TablePair> SchemaChaos::existing(const Run& run) {
  std::vector<TablePair> pairs;
  for (const auto& table : chaos_captured_tables()) {
    const auto there = fixture().source().number("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema=" +
                                                 quote(run.database) + " AND table_name=" + quote(table));
    if (there == 0) continue;
    // Under the names of the resource at the destination, whatever the source makes of them.
    const auto stored = fixture().source().value(
        "SELECT table_name FROM information_schema.tables WHERE table_schema=" + quote(run.database) +
        " AND table_name=" + quote(table));
    TablePair pair{run.database + "." + stored, run.database + "." + table, {}, true};
    if (table == "t") pair.ignored_columns = {"secret", "secret2", "secret_copy"};
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

/// What must not be visible: the excluded column, under whatever name.
std::string SchemaChaos::leaked(const Run& run) {
  const auto columns = fixture().destination().number(
      "SELECT COUNT(*) FROM information_schema.columns WHERE column_name LIKE 'secret%' AND table_name='t' AND "
      "table_schema=" +
      quote(run.database));
  return columns == 0 ? "" : "an excluded column is stored at the destination";
}

std::string SchemaChaos::run(const ChaosScript& script) {
  std::string failure;
  FixtureOptions options{.replicas = 2};
  if (any_case_) options.source_args = {"--lower-case-table-names=1"};
  if (!fixture_) fixture_ = std::make_unique<Fixture>(options);
  try {
    failure = run_script(script);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (failure.empty()) {
    fixture().end_agents();
    return failure;
  }
  failure += "\n" + fixture().diagnostics();
  fixture_.reset();
  return failure;
}

std::string SchemaChaos::run_script(const ChaosScript& script) {
  Run run;
  run.database = fmt::format("chaos{}", ++runs_);
  create_tables(run.database);
  config::Type type{.name = "all", .tables = {}, .exclude_columns = {run.database + ".t.secret"}, .key_columns = {}};
  for (const auto& table : chaos_captured_tables()) type.tables.push_back(run.database + "." + table);
  run.capture = fixture().capture_config({type}, run.database);
  run.apply = fixture().apply_config(run.database, run.database);
  run.apply.schema_changes = config::SchemaChanges::ApplyAll;
  for (auto& replica : fixture().replicas()) replica->wait_for_gtid(fixture().source().gtid());
  for (int i = 0; i < kChaosSessions; ++i) run.sessions.push_back(fixture().source().connect());
  run.charsets.assign(kChaosSessions, "utf8mb4");
  run.sessions[0].execute("USE mysql");
  execute(run, {ChaosStep::What::Sql, kChaosLatin1, "SET NAMES latin1"});
  run.sessions[kChaosAnsi].execute("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
  run.sessions[kChaosAtHome].execute("SET sql_mode = 'STRICT_ALL_TABLES'");
  run.sessions[kChaosAtHome].execute("USE " + quote_name(run.database));
  if (!script.empty() && script.front().what == What::Policy) take_policies(script.front().text, run.apply);
  fixture().start_capture(run.capture);
  fixture().start_apply(run.apply);

  std::string failure = settle(run);
  for (const auto& one : script) {
    if (!failure.empty()) break;
    failure = step(run, one);
  }
  return failure.empty() ? settle(run) : failure;
}

/// The server itself converts the text: a client of that character set would send these bytes.
std::string SchemaChaos::in_charset(const std::string& text, const std::string& charset) {
  if (charset == "utf8mb4") return text;
  return fixture().source().value(
      fmt::format("SELECT CAST(CONVERT(_utf8mb4 X'{}' USING {}) AS BINARY)", hex_of(text), charset));
}

void SchemaChaos::execute(Run& run, const ChaosStep& step) {
  static const std::string kSetNames = "SET NAMES ";
  const auto session = static_cast<std::size_t>(step.session);
  auto& charset = run.charsets[session];
  run.sessions[session].query(in_charset(replaced(step.text, "~", run.database), charset));
  if (step.text.starts_with(kSetNames)) charset = step.text.substr(kSetNames.size());
}

/// Empty, or why it is not equal.
std::string SchemaChaos::step(Run& run, const ChaosStep& step) {
  switch (step.what) {
    case What::Policy:
      ++tally_[step.text];
      return {};
    case What::Sql:
      ++(step.ddl ? statements_ : tally_["statements with rows"]);
      try {
        execute(run, step);
      } catch (const SqlError& error) {
        if (error.number == 0) throw;
        if (!step.ddl) return {};
        ++tally_["refused by the server"];
        std::printf("refused: %s: %s\n", step.shown().c_str(), error.what());
      }
      return {};
    case What::Kill:
      ++tally_["kills"];
      run.frozen = run.frozen && step.text != "capture";
      (step.text == "capture" ? fixture().capture() : fixture().apply()).kill_and_restart();
      return {};
    case What::Failover: {
      const auto restarts = static_cast<std::size_t>(++tally_["replicas restarted"]);
      fixture().replicas()[restarts % fixture().replicas().size()]->restart();
      return {};
    }
    case What::Lag:
      ++tally_["lags"];
      if (!run.frozen) fixture().capture().process().freeze();
      run.frozen = true;
      return {};
    case What::CatchUp:
      return settle(run);
  }
  return {};
}

ChaosScript SchemaChaos::shrink(ChaosScript script, int tries) {
  for (auto part = std::max<std::size_t>(script.size() / 2, 1); tries > 0; part = std::max<std::size_t>(part / 2, 1)) {
    bool shorter = false;
    for (std::size_t at = 0; at < script.size() && tries > 0;) {
      auto candidate = script;
      const auto end = std::min(at + part, candidate.size());
      candidate.erase(candidate.begin() + static_cast<std::ptrdiff_t>(at),
                      candidate.begin() + static_cast<std::ptrdiff_t>(end));
      --tries;
      if (run(candidate).empty()) {
        at += part;
      } else {
        script = std::move(candidate);
        shorter = true;
      }
    }
    if (part == 1 && !shorter) break;
  }
  return script;
}

std::string SchemaChaos::tally() const {
  auto text = fmt::format("{} schema changes in {} scripts:", statements_, runs_);
  for (const auto& [what, times] : tally_) text += fmt::format(" {} x {};", times, what);
  return text + "\n";
}

}  // namespace datasync::test
