#pragma once
// Capture instances over the two logs: every interleaving of their steps, of crashes and of records that land late.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/model/records.hpp"
#include "tests/model/search.hpp"

namespace datasync::model {

struct CaptureLimits {
  Source source{2, 1};
  int instances = 3;
  int tries = 1;  ///< claims one instance makes
  std::size_t most_states = 5'000'000;
};

/// One capture process. Every step is optional, so a crash needs no step of its own: a crashed instance is one that
/// takes no more steps, and what it has sent may land later or never. What an instance learns from a record of its own
/// that has landed (who has the epoch, what recovery finds, what is acknowledged) depends only on what stood before
/// that record, so it learns it at the landing. It never looks at the state topic while it runs: the worst zombie.
struct CaptureInstance {
  enum class Phase : std::uint8_t { Idle, Claiming, Starting, Running, Over };
  Phase phase = Phase::Idle;
  std::uint8_t epoch = 0;
  std::uint8_t tries = 0;
  StateRecord origin;                     ///< the checkpoint it recovers from; epoch 0: none
  std::uint8_t start = 0;                 ///< offset of its start
  std::uint8_t published = 0;             ///< what recovery found
  StateRecord written;                    ///< its newest checkpoint
  std::vector<std::uint8_t> landed;       ///< offsets of its records that landed: these are acknowledged
  std::vector<StreamRecord> wire;         ///< on the way to the stream: all it will ever send, and lands in order
  std::optional<StateRecord> state_wire;  ///< on the way to the state topic
};

/// All that a state topic says to whoever reads it, now or with more records behind it.
struct Facts {
  std::uint8_t highest = 0;
  std::vector<std::uint8_t> owner;  ///< by epoch
  StateRecord checkpoint;           ///< epoch 0: none
};

struct CaptureState {
  std::vector<StateRecord> state_log;
  const Facts* facts = nullptr;  ///< of `state_log`
  std::vector<StreamRecord> stream;
  std::vector<CaptureInstance> instances;
};

class CaptureModel {
 public:
  CaptureModel(CaptureLimits limits, Mutation mutation) : limits_(std::move(limits)), mutation_(mutation) {}
  Found run();
  /// Every stream that stood in a state that was seen.
  [[nodiscard]] const std::vector<std::vector<StreamRecord>>& streams() const noexcept { return streams_; }

 private:
  enum class Step : std::uint8_t { Lands, StateLands, Claims, Writes };
  using Emit = std::function<void(Step, const CaptureState&)>;

  /// A state with the key the search knows it by.
  struct Keyed : CaptureState {
    std::string text;
    std::size_t shared_length = 0;  ///< so much of it is shared; the rest is the instances' own state
    [[nodiscard]] const std::string& key() const { return text; }
  };

  const Facts* facts(const std::vector<StateRecord>& state_log);
  void steps(const CaptureState& state, std::size_t i, const Emit& emit);
  [[nodiscard]] std::string description(Step step, const CaptureState& before, std::size_t i) const;
  std::optional<std::string> check(const Keyed& state);
  std::optional<std::string> finish(CaptureState state, int variant);

  static void claim(CaptureState& s, std::size_t i);
  void settle_claim(CaptureState& s, std::size_t i);
  void recover(CaptureState& s, std::size_t i);
  static Keyed keyed(const CaptureState& s);
  void land(CaptureState& s, std::size_t i);
  void land_state(CaptureState& s, std::size_t i);
  [[nodiscard]] std::vector<StreamRecord> plan(const CaptureInstance& c) const;
  [[nodiscard]] StateRecord position(const CaptureInstance& c) const;

  CaptureLimits limits_;
  Mutation mutation_;
  std::unordered_map<std::string, Facts> facts_;
  DigestSet judged_;  ///< states that were found right
  std::vector<std::vector<StreamRecord>> streams_;
  DigestSet known_streams_;
};

}  // namespace datasync::model
