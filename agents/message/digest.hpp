#pragma once
// The checksum of a table in a verify record, computed by the same method at the source and at the destination.

#include <cstdint>

#include "agents/base/bytes.hpp"

namespace datasync::message {

/// Count and checksum of a set of row images in any order: the sum modulo 2^128 of XXH3-128 of each image. Equal sets
/// of rows have equal digests; a row that occurs twice counts twice. Digests of parts can be added.
struct TableDigest {
  std::uint64_t rows = 0;
  std::uint64_t low = 0, high = 0;

  /// Adds one row image.
  void add(base::Bytes image) noexcept;
  /// Adds the digest of another part of the table.
  void add(const TableDigest& part) noexcept;
  bool operator==(const TableDigest&) const = default;
};

}  // namespace datasync::message
