#pragma once
// Table schemas by id, from the state topic.

#include <functional>
#include <memory>
#include <mutex>
#include <stop_token>
#include <unordered_map>

#include "agents/base/result.hpp"
#include "agents/message/schema.hpp"
#include "agents/protocol/log.hpp"

namespace datasync::apply {

/// Reads the state topic as far as it must. Thread-safe; shared by the streams.
class SchemaBook {
 public:
  using OpenLog = std::function<base::Result<std::unique_ptr<protocol::StateLog>>()>;
  explicit SchemaBook(OpenLog open) : open_(std::move(open)) {}

  /// The schema with this id. It stands in the state topic before any row that needs it, so that reading on for a while
  /// must find it. Errors: ForeignMessage when it does not; those of the log; Stopping.
  base::Result<std::shared_ptr<const message::TableSchema>> find(message::SchemaId id, std::stop_token stop);

 private:
  base::Result<void> read_on(std::stop_token stop);

  OpenLog open_;
  std::mutex mutex_;
  std::unique_ptr<protocol::StateLog> log_;
  std::unordered_map<message::SchemaId, std::shared_ptr<const message::TableSchema>> schemas_;
};

}  // namespace datasync::apply
