#pragma once
// The statements of an engine that users read too: apply shows them in messages, and has DestinationServer::define run
// those that change definitions. It never takes them apart.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/destination/table.hpp"
#include "agents/message/definition.hpp"
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

/// Pure; thread-safe.
class Dialect {
 public:
  Dialect() = default;
  Dialect(const Dialect&) = delete;
  Dialect& operator=(const Dialect&) = delete;
  virtual ~Dialect() = default;

  [[nodiscard]] virtual std::string quote(std::string_view database, std::string_view table) const = 0;
  /// Columns as a list of them in a statement.
  [[nodiscard]] virtual std::string names(const std::vector<std::string>& columns) const = 0;

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

  // What a user does at the destination; apply does not run these.

  [[nodiscard]] virtual std::string delete_rows(const TargetName& name) const = 0;
  [[nodiscard]] virtual std::string set_null(const TargetName& name, std::string_view column) const = 0;
  /// Has what is stored in the table rolled back with its transaction.
  [[nodiscard]] virtual std::string make_transactional(const TargetName& name) const = 0;
  /// The foreign key `key` of the source, from the table to its `parent` here.
  [[nodiscard]] virtual std::string add_foreign_key(const TargetName& name, const message::ActingKey& key,
                                                    const TargetName& parent) const = 0;
  [[nodiscard]] virtual std::string drop_foreign_key(const TargetName& name, std::string_view key) const = 0;
  /// How triggers that were named are dropped: the beginning of a sentence that ends with "at the destination".
  [[nodiscard]] virtual std::string drop_triggers() const = 0;
  /// How a trigger is found and dropped that the agent's user may not see: a whole sentence without its full stop.
  [[nodiscard]] virtual std::string drop_hidden_trigger() const = 0;
  /// Deletes the ledger's rows of a task for a topic.
  [[nodiscard]] virtual std::string forget_topic(std::string_view database, std::string_view task,
                                                 std::string_view topic) const = 0;
  /// Deletes what the ledger knows of a task's table.
  [[nodiscard]] virtual std::string forget_known(std::string_view database, std::string_view task,
                                                 std::string_view target) const = 0;
};

/// The column of the key that makes RowVerb::Upsert fail for a row of another key: one that refuses
/// NULL at the destination. A unique key may be nullable, and in place of NULL a column with AUTO_INCREMENT stores 0
/// and a TIMESTAMP may store the current time. The first one when there is no such column.
std::uint16_t upsert_guard(const StatementTable& table) noexcept;
/// False when no column of the key can do that.
bool takes_upsert(const StatementTable& table) noexcept;

/// Bytes of the longest character of a character set known to MariaDB or MySQL.
std::uint64_t bytes_per_character(std::string_view charset) noexcept;

}  // namespace datasync::apply
