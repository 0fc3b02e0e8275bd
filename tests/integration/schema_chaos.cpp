#include "tests/integration/schema_chaos.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "agents/base/clock.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

using What = ChaosStep::What;

constexpr milliseconds kSettle = seconds(90);  ///< several actions may be needed, each with kHeals to show what it did
constexpr milliseconds kStall{1500};           ///< so long the same reason stands before its recommended action is run
constexpr milliseconds kHeals = seconds(25);   ///< so long it may take to see what an action changed
constexpr int kMostActions = 20;               ///< of one script

const std::string kBody =
    "(id INT PRIMARY KEY AUTO_INCREMENT, n INT NULL, v VARCHAR(40) NULL, secret VARCHAR(20) NULL)";

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

/// The few letters that scripts use, in the character set of that session.
std::string in_latin1(std::string text) {
  for (const auto& [utf8, latin1] : {std::pair{"ö", "\xF6"}, {"ß", "\xDF"}, {"é", "\xE9"}})
    text = replaced(std::move(text), utf8, latin1);
  return text;
}

}  // namespace

struct SchemaChaos::Run {
  std::string database;
  config::Capture capture;
  config::Apply apply;
  std::vector<Session> sessions;
  bool frozen = false;
  int actions = 0;
  std::int64_t marks = 0;
  std::string acted_on;  ///< what the last action was about
  base::SteadyTime acted;

  [[nodiscard]] std::string text(const ChaosStep& step) const {
    auto text = replaced(step.text, "~", database);
    return step.session == 1 ? in_latin1(std::move(text)) : text;
  }
};

void SchemaChaos::create_tables(const std::string& database) {
  auto session = rig().source().connect();
  session.execute("USE mysql");
  session.execute("CREATE DATABASE `" + database + "`");
  session.execute("CREATE DATABASE `" + database + "x`");
  const auto create = [&](const std::string& table, const std::string& options) {
    const auto name = quote_name(database) + "." + quote_name(table);
    session.execute("CREATE TABLE " + name + " " + kBody + options);
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
  rig().capture().process().terminate();
  rig().forget(rig().capture());
  rig().start_capture(run.capture);
  run.frozen = false;
}

void SchemaChaos::restart_apply(Run& run) {
  rig().apply().process().terminate();
  rig().forget(rig().apply());
  rig().start_apply(run.apply);
}

std::vector<TablePair> SchemaChaos::existing(const Run& run) {
  std::vector<TablePair> pairs;
  for (const auto& table : chaos_captured_tables()) {
    const auto there = rig().source().number("SELECT COUNT(*) FROM information_schema.tables WHERE table_schema=" +
                                             quote(run.database) + " AND table_name=" + quote(table));
    if (there == 0) continue;
    // Under the names of the resource at the destination, whatever the source makes of them.
    const auto stored = rig().source().value("SELECT table_name FROM information_schema.tables WHERE table_schema=" +
                                             quote(run.database) + " AND table_name=" + quote(table));
    TablePair pair{run.database + "." + stored, run.database + "." + table, {}, true};
    if (table == "t") pair.ignored_columns = {"secret", "secret2"};
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

/// What nobody may see: the excluded column, under whatever name.
std::string SchemaChaos::leaked(const Run& run) {
  const auto columns = rig().destination().number(
      "SELECT COUNT(*) FROM information_schema.columns WHERE column_name LIKE 'secret%' AND table_name='t' AND "
      "table_schema=" +
      quote(run.database));
  return columns == 0 ? "" : "an excluded column is stored at the destination";
}

std::string SchemaChaos::run(const ChaosScript& script) {
  std::string failure;
  RigOptions options{.replicas = 2};
  if (any_case_) options.source_args = {"--lower-case-table-names=1"};
  if (!rig_) rig_ = std::make_unique<Rig>(options);
  try {
    failure = play(script);
  } catch (const std::exception& error) {
    failure = error.what();
  }
  if (failure.empty()) {
    rig().end_agents();
    return failure;
  }
  failure += "\n" + rig().story();
  rig_.reset();
  return failure;
}

std::string SchemaChaos::play(const ChaosScript& script) {
  Run run;
  run.database = fmt::format("chaos{}", ++runs_);
  create_tables(run.database);
  config::Type type{.name = "all", .tables = {}, .exclude_columns = {run.database + ".t.secret"}, .key_columns = {}};
  for (const auto& table : chaos_captured_tables()) type.tables.push_back(run.database + "." + table);
  run.capture = rig().capture_config({type}, run.database);
  run.apply = rig().apply_config(run.database, run.database);
  run.apply.schema_changes = config::SchemaChanges::ApplyAll;
  for (auto& replica : rig().replicas()) replica->wait_for_gtid(rig().source().gtid());
  for (int i = 0; i < kChaosSessions; ++i) run.sessions.push_back(rig().source().connect());
  run.sessions[0].execute("USE mysql");
  run.sessions[1].execute("SET NAMES latin1");
  run.sessions[2].execute("SET sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')");
  run.sessions[3].execute("SET sql_mode = 'STRICT_ALL_TABLES'");
  run.sessions[3].execute("USE " + quote_name(run.database));
  rig().start_capture(run.capture);
  rig().start_apply(run.apply);

  std::string failure = settle(run);
  for (const auto& one : script) {
    if (!failure.empty()) break;
    failure = step(run, one);
  }
  return failure.empty() ? settle(run) : failure;
}

/// Empty, or why it is not equal.
std::string SchemaChaos::step(Run& run, const ChaosStep& step) {
  switch (step.what) {
    case What::Sql:
      ++(step.ddl ? statements_ : tally_["statements with rows"]);
      try {
        run.sessions[static_cast<std::size_t>(step.session)].query(run.text(step));
      } catch (const SqlError& error) {
        if (error.number == 0) throw;
        if (step.ddl) ++tally_["refused by the server"];
      }
      return {};
    case What::Kill:
      ++tally_["kills"];
      run.frozen = run.frozen && step.text != "capture";
      (step.text == "capture" ? rig().capture() : rig().apply()).kill_and_restart();
      return {};
    case What::Failover: {
      const auto restarts = static_cast<std::size_t>(++tally_["replicas restarted"]);
      rig().replicas()[restarts % rig().replicas().size()]->restart();
      return {};
    }
    case What::Lag:
      ++tally_["lags"];
      if (!run.frozen) rig().capture().process().freeze();
      run.frozen = true;
      return {};
    case What::CatchUp:
      return settle(run);
  }
  return {};
}

/// Lets everything catch up and compares. A reason that stays is followed.
std::string SchemaChaos::settle(Run& run) {
  ++tally_["comparisons"];
  for (auto& session : run.sessions) session.query("ROLLBACK");
  if (run.frozen) rig().capture().process().thaw();
  run.frozen = false;
  for (auto& replica : rig().replicas()) replica->wait_for_gtid(rig().source().gtid());
  // Everything before this row has been applied when it is at the destination.
  const auto mark = quote_name(run.database) + ".mark";
  rig().source().execute("INSERT INTO " + mark + fmt::format(" (n) VALUES ({})", ++run.marks + 1'000'000));
  const auto is_marked = [&] {
    try {
      return rig().destination().number("SELECT COUNT(*) FROM " + mark +
                                        fmt::format(" WHERE n = {}", run.marks + 1'000'000)) == 1;
    } catch (const SqlError&) {
      return false;  // the first copy has not made it yet
    }
  };
  auto left = rig().source().connect();
  auto right = rig().destination().connect();
  CompareResult result;
  std::map<const Agent*, std::pair<std::string, base::SteadyTime>> stalled;
  bool stuck = false;
  const auto done = [&] {
    for (auto* agent : {&rig().capture(), &rig().apply()}) {
      const auto status = agent->status();
      const auto text = status && status->state == "Stalled" ? status->reason + " " + status->message : std::string();
      auto& [last, since] = stalled[agent];
      if (text != last || text.empty()) {
        last = text;
        since = base::steady_now();
        continue;
      }
      const bool again = run.acted_on == text && base::steady_now() - run.acted < kHeals;
      if (again || base::steady_now() - since < kStall) continue;
      if (!follow(run, *agent, *status)) {
        // It may be about to try again by itself.
        stuck = base::steady_now() - since >= kHeals;
        return stuck;
      }
      ++tally_["after " + status->reason];
      stuck = ++run.actions >= kMostActions;
      run.acted_on = text;
      run.acted = base::steady_now();
      stalled.clear();
      return stuck;
    }
    const auto streaming = [](Agent& agent) {
      const auto status = agent.status();
      return status && status->state == "Streaming";
    };
    if (!is_marked() || !streaming(rig().capture()) || !streaming(rig().apply())) return false;
    result = compare(left, right, existing(run));
    if (!result.equal()) return false;
    // A copy that was asked for may begin.
    std::this_thread::sleep_for(milliseconds(200));
    if (!streaming(rig().capture()) || !streaming(rig().apply())) return false;
    result = compare(left, right, existing(run));
    return result.equal();
  };
  if (eventually(done, kSettle) && !stuck) return leaked(run);
  if (stuck) return "no way on from what an agent says";
  return (is_marked() ? "" : "the last row did not arrive; ") + result.text();
}

/// Runs what the status recommends. False when it recommends nothing that can be run.
bool SchemaChaos::follow(Run& run, Agent& agent, const AgentStatus& status) {
  if (const auto offsets = recommended_annotation(status.message, "skip-offsets"); !offsets.empty()) {
    for (std::size_t at = 0; at < offsets.size();) {
      const auto comma = std::min(offsets.find(',', at), offsets.size());
      run.apply.skip_offsets.push_back(offsets.substr(at, comma - at));
      at = comma + 1;
    }
    restart_apply(run);
    return true;
  }
  if (&agent == &rig().capture()) return fix_at_source(run, status);
  bool ran = false;
  for (const auto& statement : recommended_statements(status.message)) {
    try {
      rig().destination().query(statement);
      ran = true;
    } catch (const SqlError& error) {
      ++tally_[fmt::format("recommended statement refused: {}", error.what())];
    }
  }
  if (const auto tables = recommended_annotation(status.message, "copy-tables"); !tables.empty()) {
    run.apply.copy_tables = tables;
    restart_apply(run);
    ran = true;
  }
  return ran;
}

/// What requirements of captured tables ask for: a table, a primary key, InnoDB, no history, no cascade, the excluded
/// column.
bool SchemaChaos::fix_at_source(Run& run, const AgentStatus& status) {
  const auto try_one = [&](const std::string& sql) {
    try {
      rig().source().query(sql);
      return true;
    } catch (const SqlError&) {
      return false;
    }
  };
  bool changed = false;
  for (const auto& table : chaos_captured_tables()) {
    if (status.message.find(table) == std::string::npos) continue;
    const auto name = quote_name(run.database) + "." + quote_name(table);
    changed |= try_one("CREATE TABLE " + name + " " + kBody);
    changed |= try_one("ALTER TABLE " + name + " DROP SYSTEM VERSIONING");
    changed |= try_one("ALTER TABLE " + name + " DROP FOREIGN KEY cascading");
    if (status.message.find("engine") != std::string::npos)
      changed |= try_one("ALTER TABLE " + name + " ENGINE=InnoDB");
    if (status.message.find("secret") != std::string::npos) {
      changed |= try_one("ALTER TABLE " + name + " RENAME COLUMN secret2 TO secret") ||
                 try_one("ALTER TABLE " + name + " ADD COLUMN secret VARCHAR(20) NULL");
    }
    const auto keys = rig().source().number(
        "SELECT COUNT(*) FROM information_schema.statistics WHERE index_name="
        "'PRIMARY' AND table_schema=" +
        quote(run.database) + " AND table_name=" + quote(table));
    if (keys == 0) {
      changed |=
          try_one("ALTER TABLE " + name + " DROP COLUMN id, ADD COLUMN id INT PRIMARY KEY AUTO_INCREMENT FIRST") ||
          try_one("ALTER TABLE " + name + " ADD COLUMN id INT PRIMARY KEY AUTO_INCREMENT FIRST");
    }
  }
  for (auto& replica : rig().replicas()) replica->wait_for_gtid(rig().source().gtid());
  return changed;
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
