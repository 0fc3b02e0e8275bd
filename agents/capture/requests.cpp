#include "agents/capture/requests.hpp"

#include <algorithm>

#include "agents/config/orders.hpp"
#include "agents/protocol/request_ids.hpp"

namespace datasync::capture {

std::optional<message::Request> own_request(const config::Capture& config) {
  if (config.copy_tables.empty()) return std::nullopt;
  message::Request request;
  request.id = std::string(protocol::request_ids::kCopy) + config.common.name + "/" + config.copy_tables;
  request.from = config.common.name;
  request.tables = config::copy_order(config.copy_tables).tables;
  return request;
}

Requested resolve(const message::Request& request, const Selection& selection) {
  Requested out;
  if (request.tables.empty()) {
    for (const auto& table : selection.tables()) out.tables.push_back(&table);
    return out;
  }
  for (const auto& name : request.tables) {
    const auto* table = selection.find(name);
    // A reader that asked by another spelling waits for that one, which no row names.
    if (table == nullptr || table->qualified() != name) out.absent.push_back(name);
    if (table != nullptr && std::ranges::find(out.tables, table) == out.tables.end()) out.tables.push_back(table);
  }
  return out;
}

}  // namespace datasync::capture
