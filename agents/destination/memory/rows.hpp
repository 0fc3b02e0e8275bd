#pragma once
// Rows of a table of MemoryDatabase as statements find and change them. Pure.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "agents/destination/memory/database.hpp"

namespace datasync::apply {

/// Index of a column of the table by its name; nothing when there is none.
std::optional<std::size_t> memory_column(const TableInfo& info, std::string_view name);

/// How many of `rows` were found; nothing when two rows of the table would have the same value of a unique key. Then
/// the table is as it is at that moment: drop the copy.
std::optional<std::uint64_t> memory_run(MemoryObject& object, RowVerb verb, const StatementTable& table,
                                        std::span<const RowImages> rows);

/// How many rows have the key of this image.
std::uint64_t memory_count(const MemoryObject& object, const StatementTable& table, const base::Bytes* image);

}  // namespace datasync::apply
