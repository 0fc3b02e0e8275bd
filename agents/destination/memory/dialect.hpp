#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "agents/destination/dialect.hpp"
#include "agents/destination/memory/database.hpp"

namespace datasync::apply {

/// What a definition does with its table; nothing: there is none.
using MemoryAction = std::function<void(std::optional<MemoryObject>&)>;

/// Texts for messages. It remembers what each definition does, so that servers can run it. Thread-safe.
class MemoryDialect final : public Dialect {
 public:
  struct Definition {
    std::string table;  ///< qualified; empty for a database
    MemoryAction action;
  };
  /// Null for a text that it has not made.
  [[nodiscard]] const Definition* find(const std::string& text) const;

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
  [[nodiscard]] std::string cut_values(const message::Column& /*column*/) const override { return ""; }
  [[nodiscard]] std::string values_for_null(const message::Column& /*column*/) const override { return ""; }
  [[nodiscard]] std::string drop_table(std::string_view database, std::string_view table) const override;
  [[nodiscard]] std::string type_name(const message::Column& column) const override;

  [[nodiscard]] std::string delete_rows(const TargetName& name) const override;
  [[nodiscard]] std::string set_null(const TargetName& name, std::string_view column) const override;
  [[nodiscard]] std::string make_transactional(const TargetName& name) const override;
  [[nodiscard]] std::string add_foreign_key(const TargetName& name, const message::ActingKey& key,
                                            const TargetName& parent) const override;
  [[nodiscard]] std::string drop_foreign_key(const TargetName& name, std::string_view key) const override;
  [[nodiscard]] std::string drop_triggers() const override { return "drop them"; }
  [[nodiscard]] std::string drop_hidden_trigger() const override { return "Drop it"; }
  [[nodiscard]] std::string forget_topic(std::string_view database, std::string_view task,
                                         std::string_view topic) const override;
  [[nodiscard]] std::string forget_known(std::string_view database, std::string_view task,
                                         std::string_view target) const override;

 private:
  std::string define(std::string text, std::string table, MemoryAction action) const;

  mutable std::mutex mutex_;
  mutable std::map<std::string, Definition> definitions_;  ///< by text; none is removed
};

}  // namespace datasync::apply
