// How a script's end is waited for: whatever an agent asks for is done as its message says.

#include <algorithm>
#include <cstdio>
#include <thread>

#include <fmt/format.h>

#include "tests/integration/schema_chaos_run.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/recommended.hpp"

namespace datasync::test {
namespace {

constexpr milliseconds kSettle = seconds(90);  ///< from the last action on
constexpr milliseconds kStall{1500};           ///< so long the same reason stays before its recommended action is run
/// So long it may take to see what an action changed: a halted agent tries again every 2 to 15 s.
constexpr milliseconds kRecovers = seconds(25);
constexpr int kMostActions = 60;  ///< of one script: with schemaChanges: Halt each statement may need two

/// What the agent asks for: for itself, and for each table that it holds.
std::vector<AgentStatus> complaints(Agent& agent) {
  std::vector<AgentStatus> out;
  auto status = agent.status();
  if (!status) return out;
  for (int i = 0; status->at(fmt::format("/held/{}/table", i)); ++i) {
    AgentStatus held;
    held.state = "Held";
    held.reason = status->at(fmt::format("/held/{}/reason", i)).value_or("");
    held.message = status->at(fmt::format("/held/{}/message", i)).value_or("");
    out.push_back(std::move(held));
  }
  if (status->state == "Stalled") out.push_back(std::move(*status));
  return out;
}

bool is_streaming(Agent& agent) {
  const auto status = agent.status();
  return status && status->state == "Streaming" && !status->at("/held/0/table");
}

}  // namespace

/// Lets everything catch up and compares. A reason that stays is followed.
std::string SchemaChaos::settle(Run& run) {
  ++tally_["comparisons"];
  for (auto& session : run.sessions) session.query("ROLLBACK");
  if (run.frozen) fixture().capture().process().thaw();
  run.frozen = false;
  for (auto& replica : fixture().replicas()) replica->wait_for_gtid(fixture().source().gtid());
  // Everything before this row has been applied when it is at the destination.
  fixture().source().execute("INSERT INTO " + run.mark() + fmt::format(" (n) VALUES ({})", ++run.marks + 1'000'000));
  run.asked.clear();
  run.compared = {};
  bool acted = false;
  const auto done = [&] {
    acted = act(run);
    return acted || !run.no_way_on.empty() || settled(run);
  };
  do {
    if (!eventually(done, kSettle)) return "not equal: " + run.compared.text() + "; " + run.no_way_on;
  } while (acted && run.no_way_on.empty());
  return run.no_way_on.empty() ? leaked(run) : "no way on from what an agent says: " + run.no_way_on;
}

/// Everything has arrived, no agent asks for anything, and all is equal.
bool SchemaChaos::settled(Run& run) {
  const auto is_marked = [&] {
    try {
      return fixture().destination().number("SELECT COUNT(*) FROM " + run.mark() +
                                            fmt::format(" WHERE n = {}", run.marks + 1'000'000)) == 1;
    } catch (const SqlError&) {
      return false;  // the first copy has not made it yet
    }
  };
  const auto all_equal = [&] {
    if (!is_streaming(fixture().capture()) || !is_streaming(fixture().apply())) return false;
    auto left = fixture().source().connect();
    auto right = fixture().destination().connect();
    run.compared = compare(left, right, existing(run));
    return run.compared.equal();
  };
  if (!is_marked() || !all_equal()) return false;
  // A copy that was asked for may begin.
  std::this_thread::sleep_for(milliseconds(200));
  return all_equal();
}

/// Does what an agent has asked for some time. True when that was something.
bool SchemaChaos::act(Run& run) {
  const auto now = base::steady_now();
  std::map<std::string, Run::Asked> still;
  bool acted = false;
  for (auto* agent : {&fixture().capture(), &fixture().apply()}) {
    if (acted) break;  // it may be another one now
    const bool is_capture = agent == &fixture().capture();
    for (auto& status : complaints(*agent)) {
      const auto key = (is_capture ? "capture: " : "apply: ") + status.reason + " " + status.message;
      const auto before = run.asked.find(key);
      auto asked = before == run.asked.end() ? Run::Asked{status, now} : before->second;
      const bool tried = asked.acted != base::SteadyTime{};
      const bool due = now - asked.since >= kStall && (!tried || now - asked.acted >= kRecovers);
      if (!acted && due) {
        acted = follow(run, *agent, status);
        if (acted) {
          ++tally_["after " + status.reason];
          asked.acted = base::steady_now();
          std::printf("followed %s\n", key.c_str());
        }
        // Where nothing can be run, and nothing was, it may still be about to try again by itself.
        if (!acted && !tried && now - asked.since >= kRecovers) run.no_way_on = key;
      }
      still.insert_or_assign(key, std::move(asked));
    }
  }
  if (acted && ++run.actions >= kMostActions) run.no_way_on = fmt::format("{} actions were not enough", kMostActions);
  run.asked = std::move(still);
  return acted;
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
  if (&agent == &fixture().capture()) return fix_at_source(run, status);
  bool ran = false;
  for (const auto& statement : recommended_statements(status.message)) {
    try {
      fixture().destination().query(statement);
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
  bool changed = false;
  for (const auto& table : chaos_captured_tables())
    if (status.message.find(table) != std::string::npos) fix_table(run, table, status.message, changed);
  for (auto& replica : fixture().replicas()) replica->wait_for_gtid(fixture().source().gtid());
  return changed;
}

void SchemaChaos::fix_table(Run& run, const std::string& table, const std::string& message, bool& changed) {
  const auto has = [&](const char* word) { return message.find(word) != std::string::npos; };
  const auto name = quote_name(run.database) + "." + quote_name(table);
  const auto try_one = [&](const std::string& sql) {
    try {
      fixture().source().query(sql);
      return true;
    } catch (const SqlError&) {
      return false;
    }
  };
  const auto alter = [&](const std::string& action) { return try_one("ALTER TABLE " + name + " " + action); };
  changed |= try_one("CREATE TABLE " + name + " " + kChaosBody);
  changed |= alter("DROP SYSTEM VERSIONING");
  changed |= alter("DROP FOREIGN KEY cascading");
  if (has("engine")) changed |= alter("ENGINE=InnoDB");
  if (has("secret_copy")) changed |= alter("DROP COLUMN secret_copy");
  if (has("secret"))
    changed |= alter("RENAME COLUMN secret2 TO secret") || alter("ADD COLUMN secret VARCHAR(20) NULL") ||
               alter("DROP COLUMN secret2");
  const auto keys = fixture().source().number(
      "SELECT COUNT(*) FROM information_schema.statistics WHERE index_name='PRIMARY' AND table_schema=" +
      quote(run.database) + " AND table_name=" + quote(table));
  if (keys == 0)
    changed |= alter("DROP COLUMN id, ADD COLUMN id INT PRIMARY KEY AUTO_INCREMENT FIRST") ||
               alter("ADD COLUMN id INT PRIMARY KEY AUTO_INCREMENT FIRST");
}

}  // namespace datasync::test
