#pragma once
// Reads rows of a table with SELECT into the message layout, bit for bit what the binlog would give: used by the
// snapshot, by verification, and when a conflict is explained.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

/// The definition of a table as the server has it now, in the terms of messages; nullopt when there is no such table.
/// `key` is the primary key. `generated` is set on generated columns. Equal to what a table map with full metadata
/// says, refined by UUID, INET4, INET6. Labels beyond the basic multilingual plane, which information_schema and SHOW
/// CREATE TABLE both damage, are read through a variable of the column's type. Views and sequences are no tables.
/// Complete, or an error: what the user's privileges hide is never read as not there.
struct TableInfo {
  message::TableSchema schema;
  std::string engine;                                   ///< InnoDB, ...
  std::vector<std::vector<std::uint16_t>> unique_keys;  ///< secondary unique keys, by column index
  bool unique_by_prefix = false;  ///< a unique key covers only the front of a value: different values may clash in it
  struct ForeignKey {
    std::string name;
    std::vector<std::string> columns;
    std::string parent_database, parent_table;
    std::vector<std::string> parent_columns;
    std::string on_update, on_delete;  ///< RESTRICT, CASCADE, SET NULL, NO ACTION
  };
  std::vector<ForeignKey> foreign_keys;
  std::uint64_t rows_estimate = 0;
  std::vector<std::string> invisible_columns;
  std::vector<std::string> unread_columns;  ///< excluded ones of a type that messages do not carry; not in `schema`
  bool system_versioned = false;
};
/// `excluded`: columns that are not carried, so that their type does not matter unless they are in the primary key.
/// Errors: UnsupportedType naming the column; PermissionDenied when the user has no privilege on the whole table; as
/// Connection.
base::Result<std::optional<TableInfo>> read_table_info(Connection& connection, std::string_view database,
                                                       std::string_view table,
                                                       const std::vector<std::string>& excluded = {});

/// Streams rows of `schema`'s table in key order. The statement is unbuffered: no other call on the connection until
/// the reader is finished or destroyed. Binary protocol: floats keep their bits.
class TableReader {
 public:
  struct Range {
    std::string after_key;    ///< image bytes of the key columns (schema of `key_schema`); empty: from the start
    std::string up_to_key;    ///< inclusive; empty: to the end
    std::uint64_t limit = 0;  ///< rows; 0: all
    /// By the key. Where the key is no index, or one over prefixes, the server sorts the whole table before it sends
    /// the first row, for longer than a read may take.
    bool ordered = true;
  };
  /// `database`/`table` may differ from the schema's (renamed at a destination).
  static base::Result<std::unique_ptr<TableReader>> open(Connection& connection, const message::TableSchema& schema,
                                                         std::string_view database, std::string_view table,
                                                         const Range& range);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  /// Appends the image of the next row to `out`. False at the end.
  base::Result<bool> next(base::Buffer& out);

 private:
  struct Impl;
  explicit TableReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// True when two rows in `range` (its limit counts for nothing) have the same key, as the server compares: NULLs are
/// the same. Errors: as Connection.
base::Result<bool> repeats_a_key(Connection& connection, const message::TableSchema& schema, std::string_view database,
                                 std::string_view table, const TableReader::Range& range);

/// The key columns of a table as a schema of their own, in key order: images of it are what Range holds.
message::TableSchema key_schema(const message::TableSchema& schema);

}  // namespace datasync::sql
