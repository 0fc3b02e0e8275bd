#pragma once
// What differs between destination engines: the words of SQL. A new engine is a new Dialect.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "agents/config/config.hpp"
#include "agents/message/schema.hpp"

namespace datasync::apply {

/// A table of the destination as statements need it. Column indexes are those of the message schema.
struct StatementTable {
  const message::TableSchema* schema = nullptr;
  std::string database, table;         ///< at the destination
  std::vector<std::uint16_t> written;  ///< columns that are stored (not those the destination computes)
  std::vector<std::uint16_t> key;      ///< columns that find the row
  std::vector<message::Column> there;  ///< the destination's columns, by column of the schema
  /// A column of the key would take the current time at every update that does not set it.
  bool key_updates_itself = false;
  std::vector<std::uint16_t> numbered;  ///< columns with AUTO_INCREMENT at the destination
};

/// A statement and where its parameters come from, in order.
struct StatementText {
  enum class Image : std::uint8_t { Key, After };  ///< Key: the image that finds the row
  struct Parameter {
    Image image = Image::After;
    std::uint16_t column = 0;
  };
  std::string sql;
  std::vector<Parameter> parameters;
};

/// Pure; thread-safe.
class Dialect {
 public:
  Dialect() = default;
  Dialect(const Dialect&) = delete;
  Dialect& operator=(const Dialect&) = delete;
  virtual ~Dialect() = default;

  [[nodiscard]] virtual std::string quote(std::string_view database, std::string_view table) const = 0;
  /// Run once on every new connection that writes.
  [[nodiscard]] virtual std::vector<std::string> session() const = 0;
  [[nodiscard]] virtual std::string foreign_key_checks(bool on) const = 0;

  [[nodiscard]] virtual StatementText insert(const StatementTable& table) const = 0;
  /// Stores every written column in the row of this key, or inserts it. The key must be unique at the destination.
  /// Columns that only the destination has keep their values. Error 1048 when another row has one of its other unique
  /// values: that row is never changed. Where the destination has other unique keys, `takes_upsert` must be true.
  [[nodiscard]] virtual StatementText upsert(const StatementTable& table) const = 0;
  /// Every written column but the key, found by the key; every written column when there are no others.
  [[nodiscard]] virtual StatementText update(const StatementTable& table) const = 0;
  /// Every written column, found by the key.
  [[nodiscard]] virtual StatementText move(const StatementTable& table) const = 0;
  [[nodiscard]] virtual StatementText erase(const StatementTable& table) const = 0;
  /// Deletes some rows; run it until it deletes none.
  [[nodiscard]] virtual std::string delete_batch(std::string_view database, std::string_view table) const = 0;

  [[nodiscard]] virtual std::string create_database(std::string_view database) const = 0;
  /// The source's table with its exact types; columns generated at the source are plain ones here.
  [[nodiscard]] virtual std::string create_table(const message::TableSchema& schema, std::string_view database,
                                                 std::string_view table) const = 0;
  /// Nothing happens when the column is there.
  [[nodiscard]] virtual std::string add_column(const message::Column& column, std::string_view database,
                                               std::string_view table) const = 0;
  /// Gives a column that is there another type. `attributes`: what it keeps (default, AUTO_INCREMENT), as ALTER TABLE
  /// wants it; empty: those of a new column.
  [[nodiscard]] virtual std::string modify_column(const message::Column& column, std::string_view attributes,
                                                  std::string_view database, std::string_view table) const = 0;
  /// Puts a column in the place of one of its name, whose values are lost, where no value of the old type can become
  /// one of the new.
  [[nodiscard]] virtual std::string replace_column(const message::Column& column, std::string_view database,
                                                   std::string_view table) const = 0;
  /// Gives a table that has a primary key the one of `schema`.
  [[nodiscard]] virtual std::string replace_key(const message::TableSchema& schema, std::string_view database,
                                                std::string_view table) const = 0;
  /// For a column that was altered: a condition that is true for the values that may be what is left of longer or
  /// larger ones, where the server was not strict; empty when they do not differ from others.
  [[nodiscard]] virtual std::string cut_values(const message::Column& column) const = 0;
  /// The same for the values that such a server stores in place of NULL.
  [[nodiscard]] virtual std::string values_for_null(const message::Column& column) const = 0;
  [[nodiscard]] virtual std::string drop_table(std::string_view database, std::string_view table) const = 0;
  /// "DECIMAL(10,2) UNSIGNED"; for messages too.
  [[nodiscard]] virtual std::string type_name(const message::Column& column) const = 0;
  /// The table of the tables that were written (known_tables.hpp).
  [[nodiscard]] virtual std::string create_known_tables(std::string_view database) const = 0;
  [[nodiscard]] virtual std::string create_ledger(std::string_view database) const = 0;
  /// The table of held tables (held.hpp).
  [[nodiscard]] virtual std::string create_held(std::string_view database) const = 0;
  [[nodiscard]] virtual std::string create_instances(std::string_view database) const = 0;
  /// For a ledger from before it held the types: the column, with "?" in every row.
  [[nodiscard]] virtual std::string add_types_to_ledger(std::string_view database) const = 0;
  /// For a ledger from before it held the awaited tables.
  [[nodiscard]] virtual std::string add_awaited_to_ledger(std::string_view database) const = 0;
  /// For a ledger from before it held the names of the held tables: the column, with "?" in every row.
  [[nodiscard]] virtual std::string add_held_to_ledger(std::string_view database) const = 0;
};

/// The column of the key that makes the statement of Dialect::upsert fail for a row of another key: one that refuses
/// NULL at the destination. A unique key may be nullable, and in place of NULL a column with AUTO_INCREMENT stores 0
/// and a TIMESTAMP may store the current time. The first one when there is no such column.
std::uint16_t upsert_guard(const StatementTable& table) noexcept;
/// False when no column of the key can do that.
bool takes_upsert(const StatementTable& table) noexcept;

/// Null for an engine this version does not write to.
std::unique_ptr<Dialect> make_dialect(config::Engine engine);

/// Bytes of the longest character of a character set known to MariaDB or MySQL.
std::uint64_t bytes_per_character(std::string_view charset) noexcept;

}  // namespace datasync::apply
