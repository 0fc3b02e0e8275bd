#pragma once
// Random schema changes at the source, mixed with rows of several sessions, restarts, failovers and a lagging capture.
// What must hold: source and destination become equal, or an agent is Stalled with a reason whose recommended action,
// run as it is written, leads to equal.

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "tests/integration/e2e_fixture.hpp"

namespace datasync::test {

/// One thing that happens. Text uses ~ for the script's database and ~x for a second one, so that a script can be run
/// again under other names.
struct ChaosStep {
  enum class What : std::uint8_t {
    Policy,    ///< at the beginning: `text` has the values of schemaChanges and onTableError
    Sql,       ///< `text` in session `session`; an error of the server is fine
    Kill,      ///< kill -9 of one agent and a new start: capture, or apply
    Failover,  ///< the replica that capture reads is killed and started again
    Lag,       ///< capture is frozen: the next steps happen before it reads them
    CatchUp,   ///< capture continues, and all replicas have what the source has
  };
  What what = What::Sql;
  int session = 0;
  std::string text;
  bool ddl = false;
  [[nodiscard]] std::string shown() const;
};
using ChaosScript = std::vector<ChaosStep>;

/// Sessions of a script, each with its own settings: 0 has utf8mb4, others latin1, ANSI_QUOTES, a default database, and
/// whatever character set the script gives it.
constexpr int kChaosLatin1 = 1, kChaosAnsi = 2, kChaosAtHome = 3, kChaosCharset = 4, kChaosSessions = 5;

/// The tables that every script starts with: the first ones are captured, the others only take part in statements.
const std::vector<std::string>& chaos_captured_tables();

/// A script of about `statements` schema changes. The same seed gives the same script. `any_case`: for a source that
/// compares the names of tables without case.
ChaosScript make_chaos_script(std::uint64_t seed, int statements, bool any_case);

/// Runs scripts, each in databases and on a topic of its own, on servers that all of them share.
class SchemaChaos {
 public:
  /// `any_case`: the source has lower_case_table_names=1.
  explicit SchemaChaos(bool any_case) : any_case_(any_case) {}

  /// Runs one script from an empty environment and compares at its end and, now and then, in between. Empty: all equal.
  /// After a failure the next script has other servers.
  std::string run(const ChaosScript& script);
  /// The shortest script found within `tries` runs that still fails.
  ChaosScript shrink(ChaosScript script, int tries);

  [[nodiscard]] std::string tally() const;
  [[nodiscard]] int statements() const { return statements_; }

 private:
  struct Run;
  std::string run_script(const ChaosScript& script);
  std::string step(Run& run, const ChaosStep& step);
  void execute(Run& run, const ChaosStep& step);
  std::string in_charset(const std::string& text, const std::string& charset);
  void create_tables(const std::string& database);
  std::string settle(Run& run);
  bool act(Run& run);
  bool settled(Run& run);
  bool follow(Run& run, Agent& agent, const AgentStatus& status);
  bool fix_at_source(Run& run, const AgentStatus& status);
  void fix_table(Run& run, const std::string& table, const std::string& message, bool& changed);
  void restart_capture(Run& run);
  void restart_apply(Run& run);
  [[nodiscard]] std::vector<TablePair> existing(const Run& run);
  [[nodiscard]] std::string leaked(const Run& run);

  [[nodiscard]] Fixture& fixture() { return *fixture_; }

  bool any_case_;
  std::unique_ptr<Fixture> fixture_;
  int runs_ = 0;
  int statements_ = 0;
  std::map<std::string, int> tally_;
};

}  // namespace datasync::test
