#pragma once
// What readers need of the state topic: table schemas by id, which type a table is of, and the requests for copies.

#include <functional>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/message/definition.hpp"
#include "agents/message/record.hpp"
#include "agents/message/schema.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::apply {

/// Reads the state topic as far as it must. Thread-safe; shared by the streams.
class SchemaBook {
 public:
  using OpenLog = std::function<base::Result<std::unique_ptr<protocol::StateLog>>()>;
  /// `most_bytes`: so much of schemas, as they are on the topic, is kept. One that is asked for again after others took
  /// its place is read from the topic again.
  explicit SchemaBook(OpenLog open, std::size_t most_bytes = kMostBytes)
      : open_(std::move(open)), most_bytes_(most_bytes) {}
  static constexpr std::size_t kMostBytes = 16U << 20U;

  /// The schema with this id. It stands in the state topic before any row that needs it, so that reading on for a while
  /// must find it. Errors: ForeignMessage when it does not; those of the log; Stopping.
  base::Result<std::shared_ptr<const message::TableSchema>> find(message::SchemaId id, std::stop_token stop);
  /// The same without waiting for it: null when the state topic does not have it. Errors: those of the log; Stopping.
  base::Result<std::shared_ptr<const message::TableSchema>> look(message::SchemaId id, std::stop_token stop);

  /// Reads the state topic to its end. Errors: those of the log; ForeignMessage; Stopping.
  base::Result<void> refresh(std::stop_token stop);
  // As the state topic was last read:
  /// The type of a captured table; nothing: it was never copied.
  [[nodiscard]] std::optional<std::string> type_of(const std::string& table);
  [[nodiscard]] std::vector<std::string> tables_of(const std::string& type);
  /// All that were ever copied or have a schema.
  [[nodiscard]] std::vector<std::string> tables();
  /// The foreign keys of a source table that act by themselves; nothing: capture has not said it.
  [[nodiscard]] std::optional<std::vector<message::ActingKey>> acting_keys(const std::string& table);
  /// Somebody asked for this copy, or capture has answered.
  [[nodiscard]] bool asked(const std::string& request);
  /// A user asked for it on the DataSync with the source: a request whose annotation ends with '#' and this token.
  [[nodiscard]] bool asked_by_token(const std::string& token);
  /// Capture said that no copy of the table comes, for this request or for one with the token, see `asked_by_token`.
  [[nodiscard]] bool is_absent(const std::string& table, const std::string& request, const std::string& token);

  /// Asks capture for copies, unless that is asked already. Errors: those of the log, PermissionDenied among them.
  base::Result<void> ask(const message::Request& request, std::stop_token stop);

 private:
  using Schema = std::shared_ptr<const message::TableSchema>;
  struct Kept {
    Schema schema;
    std::size_t bytes = 0;
    std::list<message::SchemaId>::iterator used;
  };
  base::Result<void> read_on(std::stop_token stop);
  base::Result<Schema> read_for(message::SchemaId id, const std::stop_token& stop);
  base::Result<void> take(const protocol::StateRecord& record);
  void keep(Schema schema, std::size_t bytes);
  [[nodiscard]] Schema kept(message::SchemaId id);

  OpenLog open_;
  std::mutex mutex_;
  std::unique_ptr<protocol::StateLog> log_;
  std::size_t most_bytes_;
  std::size_t bytes_ = 0;  ///< of schemas_
  std::unordered_map<message::SchemaId, Kept> schemas_;
  std::list<message::SchemaId> used_;            ///< those of schemas_, the one asked for last in front
  std::unordered_set<message::SchemaId> known_;  ///< all that were read, kept or not
  std::set<std::string> tables_;                 ///< of all schemas that were read
  std::optional<message::SchemaId> wanted_;      ///< while the topic is read for it,
  Schema found_;                                 ///< and when it came
  std::map<std::string, std::string> types_;     ///< by qualified table name
  struct Keys {
    std::uint64_t sequence = 0;
    std::vector<message::ActingKey> keys;
  };
  std::map<std::string, Keys> acting_keys_;             ///< by qualified table name
  std::map<std::string, std::set<std::string>> asked_;  ///< by request: its absent tables
};

}  // namespace datasync::apply
