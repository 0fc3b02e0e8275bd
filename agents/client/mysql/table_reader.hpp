#pragma once
// Reads rows of a table with SELECT into the message layout, bit for bit as the binlog would contain them: used by the
// snapshot, by verification, and to describe a conflict.

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/message/definition.hpp"
#include "agents/message/key_schema.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

/// The current definition of a table on the server, in the form of messages; nullopt when the table does not exist.
/// `key` is the primary key. `generated` is set on generated columns. Equal to a table map with full metadata, refined
/// by UUID, INET4, INET6. Labels beyond the basic multilingual plane, which both information_schema and SHOW CREATE
/// TABLE damage, are read through a variable of the column's type. Views and sequences are not tables. The definition
/// is complete, or an error is returned: parts that the user's privileges hide are never treated as missing.
struct TableInfo {
  message::TableSchema schema;
  std::string engine;                                   ///< InnoDB, ...
  std::vector<std::vector<std::uint16_t>> unique_keys;  ///< secondary unique keys, by column index
  bool unique_by_prefix = false;  ///< a unique key covers only a prefix of a value: different values may collide in it
  struct ForeignKey {
    std::string name;
    std::vector<std::string> columns;
    std::string parent_database, parent_table;
    std::vector<std::string> parent_columns;
    std::string on_update, on_delete;  ///< RESTRICT, CASCADE, SET NULL, SET DEFAULT, NO ACTION
    /// The server changes rows of this table when rows of the parent change.
    [[nodiscard]] bool acts() const;
  };
  std::vector<ForeignKey> foreign_keys;
  std::uint64_t rows_estimate = 0;
  std::vector<std::string> invisible_columns;
  std::vector<std::string>
      unread_columns;  ///< excluded columns with a type that messages do not support; not in `schema`
  bool system_versioned = false;
};

using message::acts;  // ON UPDATE or ON DELETE of a foreign key

/// Reads the definition of a table. `excluded`: columns that are not replicated, so that their type does not matter
/// unless they are in the primary key. Errors: UnsupportedType naming the column; PermissionDenied when the user has no
/// privilege on the whole table; those of Connection.
base::Result<std::optional<TableInfo>> read_table_info(Connection& connection, std::string_view database,
                                                       std::string_view table,
                                                       const std::vector<std::string>& excluded = {});

/// Streams rows of `schema`'s table in key order. The statement is unbuffered: make no other call on the connection
/// until the reader is finished or destroyed. Binary protocol: floats keep their bits.
class TableReader {
 public:
  struct Range {
    std::string after_key;    ///< image bytes of the key columns (schema of `key_schema`); empty: from the start
    std::string up_to_key;    ///< inclusive; empty: to the end
    std::uint64_t limit = 0;  ///< rows; 0: all
    /// Sorts the rows by the key. When the key has no index, or only one over prefixes, the server sorts the whole
    /// table before it sends the first row, which may take longer than the read timeout.
    bool ordered = true;
  };
  /// Starts to read. `database` and `table` may differ from the schema's (renamed at a destination).
  static base::Result<std::unique_ptr<TableReader>> open(Connection& connection, const message::TableSchema& schema,
                                                         std::string_view database, std::string_view table,
                                                         const Range& range);
  ~TableReader();
  TableReader(const TableReader&) = delete;
  TableReader& operator=(const TableReader&) = delete;

  /// Appends the image of the next row to `out`. Returns false at the end.
  base::Result<bool> next(base::Buffer& out);

 private:
  struct Impl;
  explicit TableReader(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// The server ended a statement at its time limit. False after any other error.
bool ended_by_time(const Connection& connection) noexcept;

/// Returns true when two rows in `range` (its limit is ignored) have the same key in the server's comparison; NULLs are
/// equal. nullopt: the server could not say it within `time`, which may be longer than the read timeout. It works no
/// longer than that, also when the connection is closed. Errors: those of Connection.
base::Result<std::optional<bool>> repeats_a_key(Connection& connection, const message::TableSchema& schema,
                                                std::string_view database, std::string_view table,
                                                const TableReader::Range& range, std::chrono::milliseconds time);

using message::key_schema;  // images of it are what Range holds

}  // namespace datasync::sql
