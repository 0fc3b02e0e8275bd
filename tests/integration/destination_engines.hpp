#pragma once
// The engines of destinations that the conformance suite runs against, each with a server of its own.

#include <memory>

#include "agents/config/config.hpp"
#include "agents/destination/destination.hpp"

namespace datasync::test {

/// A server of one engine.
class DestinationUnderTest {
 public:
  DestinationUnderTest() = default;
  DestinationUnderTest(const DestinationUnderTest&) = delete;
  DestinationUnderTest& operator=(const DestinationUnderTest&) = delete;
  virtual ~DestinationUnderTest() = default;

  [[nodiscard]] virtual const apply::DestinationEngine& engine() const = 0;
  /// Where it is, and where its ledger is.
  [[nodiscard]] virtual config::Apply config() const = 0;
};

std::unique_ptr<DestinationUnderTest> mariadb_destination();
std::unique_ptr<DestinationUnderTest> memory_destination();

}  // namespace datasync::test
