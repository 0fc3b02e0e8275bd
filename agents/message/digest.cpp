#include "agents/message/digest.hpp"

#include <xxhash.h>

namespace datasync::message {
namespace {

void add_128(TableDigest& sum, std::uint64_t low, std::uint64_t high) noexcept {
  sum.low += low;
  sum.high += high + (sum.low < low ? 1U : 0U);
}

}  // namespace

void TableDigest::add(base::Bytes image) noexcept {
  const XXH128_hash_t hash = XXH3_128bits(image.data(), image.size());
  add_128(*this, hash.low64, hash.high64);
  ++rows;
}

void TableDigest::add(const TableDigest& part) noexcept {
  add_128(*this, part.low, part.high);
  rows += part.rows;
}

}  // namespace datasync::message
