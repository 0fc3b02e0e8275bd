#pragma once
// The checksum of a table: what a verify record carries, computed alike at the source and at the destination.

#include <cstdint>

#include "agents/base/bytes.hpp"

namespace datasync::message {

/// Count and checksum of a set of row images, whatever their order: the sum modulo 2^128 of XXH3-128 of each image.
/// Equal sets of rows have equal digests; a row that is there twice counts twice. Digests of parts are added up.
struct TableDigest {
  std::uint64_t rows = 0;
  std::uint64_t low = 0, high = 0;

  void add(base::Bytes image) noexcept;
  void add(const TableDigest& part) noexcept;
  bool operator==(const TableDigest&) const = default;
};

}  // namespace datasync::message
