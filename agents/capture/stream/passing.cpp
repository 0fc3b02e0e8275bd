#include "agents/capture/stream/passing.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "agents/config/orders.hpp"
#include "agents/protocol/request_ids.hpp"

namespace datasync::capture {
namespace {

using protocol::request_ids::kAccept, protocol::request_ids::kAcceptPrepare;

}  // namespace

bool poisons(base::Reason reason) noexcept {
  using base::Reason;
  constexpr Reason kPoison[] = {Reason::StatementFormat,  Reason::PartialRowImage, Reason::MetadataMissing,
                                Reason::UnsupportedEvent, Reason::UnsupportedType, Reason::UnsupportedValue,
                                Reason::BinlogCorrupt,    Reason::SchemaUnknown,   Reason::RowTooLarge,
                                Reason::XaTooLarge};
  return std::ranges::find(kPoison, reason) != std::end(kPoison);
}

base::Error with_way_past(base::Error error, const std::string& gtid) {
  if (!poisons(error.reason) || gtid.empty()) return error;
  error.what = fmt::format(
      "{}; to continue without this transaction, annotate the DataSync that has the source with "
      "datasync.dev/accept-gtid={} and the tables that it may have changed are copied again",
      error.what, gtid);
  return error;
}

message::Request request_of(const std::string& gtid, const std::string& at, const Passed& passed,
                            const config::Capture& config) {
  message::Request request;
  request.id = fmt::format("{}{}{}", kAccept, gtid, at.empty() ? "" : "@" + at);
  request.from = config.common.name;
  if (!passed.all) request.tables = {passed.tables.begin(), passed.tables.end()};
  return request;
}

std::string prepare_id(const std::string& xid) {
  return std::string(kAcceptPrepare) + xid;
}

AcceptedTransactions::AcceptedTransactions(const config::Capture& config, const protocol::StateView& view)
    : named_(config.accept_gtid) {
  for (auto& name : config::names_by_comma(named_)) names_.insert(std::move(name));
  for (const auto& id : view.served_requests())
    if (id.starts_with(kAccept) || id.starts_with(kAcceptPrepare)) passed_.insert(id);
}

std::optional<Passed> AcceptedTransactions::of_prepare(const std::string& xid) const {
  if (const auto at = prepares_.find(xid); at != prepares_.end()) return at->second;
  return passed_.contains(prepare_id(xid)) ? std::optional(Passed{true, {}}) : std::nullopt;
}

bool AcceptedTransactions::accepts(const message::Gtid& gtid) const {
  if (names_.empty() && passed_.empty()) return false;
  const auto text = gtid.text();
  return names_.contains(text) || passed_.contains(std::string(kAccept) + text);
}

}  // namespace datasync::capture
