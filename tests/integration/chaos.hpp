#pragma once
// Faults thrown at the data plane while traffic runs, and what must hold all the same.

#include <cstdint>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "tests/integration/e2e_fixture.hpp"
#include "tests/support/workload.hpp"

namespace datasync::test {

/// What can be done to one part of the environment; at most one fault of each part at a time.
enum class Part : std::uint8_t { Capture, Apply, Source, Broker, Destination };

/// The environment of the workload with its agents. One seed gives one sequence of faults (not of interleavings).
class Chaos {
 public:
  struct Options {
    int partitions = 1;
    std::uint64_t seed = 1;
    std::vector<std::string> databases = {"shop"};  ///< a workload in each
  };
  explicit Chaos(const Options& options);

  /// Starts agents and traffic and waits for the first copy.
  testing::AssertionResult begin();
  /// One round: one fault, or several at once, held for a moment and undone; every other round then waits until data
  /// moves again, the others go straight on.
  testing::AssertionResult round();
  /// Pauses the traffic and checks all that must hold: equality, nothing twice, no reader saw half a transfer, no
  /// transaction was refused as a repeat, and every instance that was replaced has ended by itself.
  testing::AssertionResult check();

  [[nodiscard]] std::string tally() const;

 private:
  using Undo = std::function<void()>;
  struct Zombie {
    Agent* agent;
    std::string name;
    Agent* successor;
  };

  Undo inject(Part part);
  Undo break_capture();
  Undo break_apply();
  Undo break_source();
  Undo break_broker();
  Undo break_destination();
  Undo break_network(Proxy& proxy, const std::string& name);
  testing::AssertionResult moves(milliseconds limit);
  testing::AssertionResult zombies_ended();
  [[nodiscard]] std::vector<TablePair> all_tables() const;
  void count(const std::string& fault) { ++tally_[fault]; }
  void remember_refusals(Agent& apply);
  [[nodiscard]] int pick(int low, int high) { return std::uniform_int_distribution<int>(low, high)(random_); }

  Options options_;
  std::mt19937_64 random_;
  Fixture fixture_;
  config::Capture capture_;
  config::Apply apply_;
  std::vector<std::unique_ptr<Workload>> traffic_;
  std::vector<std::unique_ptr<ReaderCheck>> readers_;
  std::vector<Zombie> zombies_;
  std::map<std::string, int> tally_;
  std::uint64_t refusals_ = 0;
  int rounds_ = 0;
};

}  // namespace datasync::test
