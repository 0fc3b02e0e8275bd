#include "agents/apply/schema_book.hpp"

#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "agents/base/clock.hpp"

namespace datasync::apply {
namespace {

constexpr auto kPatience = std::chrono::seconds(10);
constexpr base::Millis kPause{200};

}  // namespace

base::Result<void> SchemaBook::read_on(std::stop_token stop) {
  if (!log_) {
    DS_ASSIGN(log_, open_());
  }
  auto records = log_->read_to_end(stop);
  if (!records) {
    log_.reset();
    return std::move(records).error();
  }
  for (const auto& record : *records) {
    if (record.kind != message::Kind::SchemaBody) continue;
    auto schema = message::parse_schema(base::as_bytes(record.value));
    if (!schema) return std::move(schema).error().context(fmt::format("state topic, offset {}", record.offset));
    const auto id = schema->id();
    schemas_.try_emplace(id, std::make_shared<const message::TableSchema>(std::move(*schema)));
  }
  return {};
}

base::Result<std::shared_ptr<const message::TableSchema>> SchemaBook::find(message::SchemaId id, std::stop_token stop) {
  const std::lock_guard lock(mutex_);
  const auto deadline = base::steady_now() + kPatience;
  while (true) {
    if (const auto at = schemas_.find(id); at != schemas_.end()) return at->second;
    DS_TRY(read_on(stop));
    if (schemas_.contains(id)) continue;
    if (base::steady_now() > deadline)
      return base::Error(base::Reason::ForeignMessage,
                         fmt::format("the table schema {:016x} is not in the state topic", id.value()));
    if (!base::sleep_for(stop, kPause)) return base::Error(base::Reason::Stopping, "stopped");
  }
}

}  // namespace datasync::apply
