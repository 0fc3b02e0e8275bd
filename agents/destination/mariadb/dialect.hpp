#pragma once
// The SQL of MariaDB for tables and their rows.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "agents/destination/destination.hpp"
#include "agents/destination/dialect.hpp"

namespace datasync::apply {

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
class MariaDbDialect final : public Dialect {
 public:
  [[nodiscard]] static StatementText statement(RowVerb verb, const StatementTable& table);
  [[nodiscard]] static StatementText insert(const StatementTable& table);
  /// See RowVerb::Upsert. Error 1048 when another row has one of its other unique values.
  [[nodiscard]] static StatementText upsert(const StatementTable& table);
  [[nodiscard]] static StatementText update(const StatementTable& table);
  [[nodiscard]] static StatementText move(const StatementTable& table);
  [[nodiscard]] static StatementText erase(const StatementTable& table);

  [[nodiscard]] std::string quote(std::string_view database, std::string_view table) const override;
  [[nodiscard]] std::string names(const std::vector<std::string>& columns) const override;
  [[nodiscard]] std::string create_database(std::string_view database) const override;
  [[nodiscard]] std::string create_table(const message::TableSchema& schema, std::string_view database,
                                         std::string_view table) const override;
  [[nodiscard]] std::string add_column(const message::Column& column, std::string_view database,
                                       std::string_view table) const override;
  [[nodiscard]] std::string modify_column(const message::Column& column, std::string_view attributes,
                                          std::string_view database, std::string_view table) const override;
  [[nodiscard]] std::string replace_column(const message::Column& column, std::string_view database,
                                           std::string_view table) const override;
  [[nodiscard]] std::string replace_key(const message::TableSchema& schema, std::string_view database,
                                        std::string_view table) const override;
  [[nodiscard]] std::string cut_values(const message::Column& column) const override;
  [[nodiscard]] std::string values_for_null(const message::Column& column) const override;
  [[nodiscard]] std::string drop_table(std::string_view database, std::string_view table) const override;
  [[nodiscard]] std::string type_name(const message::Column& column) const override;

  [[nodiscard]] std::string delete_rows(const TargetName& name) const override;
  [[nodiscard]] std::string set_null(const TargetName& name, std::string_view column) const override;
  [[nodiscard]] std::string make_transactional(const TargetName& name) const override;
  [[nodiscard]] std::string add_foreign_key(const TargetName& name, const message::ActingKey& key,
                                            const TargetName& parent) const override;
  [[nodiscard]] std::string drop_foreign_key(const TargetName& name, std::string_view key) const override;
  [[nodiscard]] std::string drop_triggers() const override;
  [[nodiscard]] std::string drop_hidden_trigger() const override;
  [[nodiscard]] std::string forget_topic(std::string_view database, std::string_view task,
                                         std::string_view topic) const override;
  [[nodiscard]] std::string forget_known(std::string_view database, std::string_view task,
                                         std::string_view target) const override;
};

}  // namespace datasync::apply
