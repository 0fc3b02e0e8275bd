#include "agents/destination/ledger.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/destination/destination.hpp"
#include "agents/destination/ledger_store.hpp"

namespace datasync::apply {
namespace {

constexpr std::string_view kAllTypes = "*";
constexpr std::string_view kUnknownTypes = "?";  // of a ledger from before it held them

/// Each text on a line of its own; a backslash stands before a backslash or a line end within it.
std::string lines_of(const std::vector<std::string_view>& texts) {
  std::string out;
  for (const auto text : texts) {
    for (const char c : text) {
      if (c == '\\' || c == '\n') out += '\\';
      out += c == '\n' ? 'n' : c;
    }
    out += '\n';
  }
  return out;
}

/// Nothing when the last line has no end.
std::optional<std::vector<std::string>> texts_of(std::string_view lines) {
  std::vector<std::string> out;
  std::string line;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i] == '\\' && i + 1 < lines.size()) {
      ++i;
      line += lines[i] == 'n' ? '\n' : lines[i];
    } else if (lines[i] != '\n') {
      line += lines[i];
    } else {
      out.push_back(std::exchange(line, {}));
    }
  }
  if (!line.empty()) return std::nullopt;
  return out;
}

}  // namespace

std::string to_text(const SnapshotState& state) {
  if (!state.active()) return "";
  std::vector<std::string_view> texts{state.id};
  texts.insert(texts.end(), state.tables.begin(), state.tables.end());
  return lines_of(texts);
}

base::Result<SnapshotState> parse_snapshot_state(std::string_view text) {
  auto texts = texts_of(text);
  if (!texts || (!texts->empty() && texts->front().empty()))
    return base::Error(base::Reason::LedgerInvalid, "the ledger's snapshot is damaged");
  SnapshotState state;
  if (texts->empty()) return state;
  state.id = std::move(texts->front());
  state.tables.insert(std::make_move_iterator(texts->begin() + 1), std::make_move_iterator(texts->end()));
  return state;
}

std::string to_text(const Awaited& awaited) {
  std::vector<std::string_view> texts;
  for (const auto& [table, request] : awaited) {
    texts.push_back(table);
    texts.push_back(request);
  }
  return lines_of(texts);
}

base::Result<Awaited> parse_awaited(std::string_view text) {
  auto texts = texts_of(text);
  if (!texts || texts->size() % 2 != 0)
    return base::Error(base::Reason::LedgerInvalid, "the ledger's list of awaited tables is damaged");
  Awaited out;
  for (std::size_t i = 0; i < texts->size(); i += 2) out.emplace((*texts)[i], std::move((*texts)[i + 1]));
  return out;
}

std::string types_text(const std::set<std::string>& types) {
  return types.empty() ? std::string(kAllTypes) : fmt::format("{}", fmt::join(types, ","));
}

base::Result<void> check_types(std::string_view stored, const std::set<std::string>& asked) {
  if (stored == kAllTypes || stored == kUnknownTypes) return {};
  if (asked.empty())
    return base::Error(
        base::Reason::TypeAdded,
        fmt::format("all types are requested, but this task has begun with {} only, and skipped the others. "
                    "Name these in spec.types, and store others by a DataSync of their own",
                    stored));
  std::set<std::string> begun, added;
  for (std::size_t at = 0; at <= stored.size();) {
    const auto comma = std::min(stored.find(',', at), stored.size());
    begun.emplace(stored.substr(at, comma - at));
    at = comma + 1;
  }
  std::ranges::set_difference(asked, begun, std::inserter(added, added.end()));
  if (added.empty()) return {};
  return base::Error(
      base::Reason::TypeAdded,
      fmt::format("this task has begun without the types {}, and passed their rows by so far. Take them out "
                  "of spec.types, and store them by a DataSync of their own",
                  fmt::join(added, ", ")));
}

base::Result<void> Ledger::forget(DestinationServer& connection, const std::string& database, const std::string& task) {
  return connection.ledger().forget_task(database, task);
}

base::Result<void> Ledger::create(DestinationServer& connection, const std::string& database) {
  return connection.ledger().create_ledger(database);
}

base::Error Ledger::superseded() const {
  return {base::Reason::Superseded,
          fmt::format("another instance has taken over stream {} of topic {}", key_.stream, key_.topic)};
}

/// A stream without a row begins at the start of the topic, also when a user has deleted the row. What is held and
/// which tables are known belongs to the row that was there, and would leave rows out.
base::Result<LedgerState> Ledger::first(DestinationServer& connection, std::uint64_t token) {
  DS_TRY(connection.ledger().forget_tables(database_, key_));
  if (auto made = connection.ledger().insert_row(database_, key_, token, types_text(types_), instance_); !made) {
    if (connection.last_failure() == Failure::DuplicateKey)
      return base::Error(base::Reason::DestinationBusy, "another instance made the ledger's row just now");
    return std::move(made).error();
  }
  token_ = token;
  return LedgerState{};
}

base::Result<LedgerState> Ledger::take(DestinationServer& connection, std::uint64_t first_token) {
  DS_ASSIGN(auto row, connection.ledger().lock_row(database_, key_));
  holder_.clear();
  if (!row) return first(connection, first_token);
  holder_ = row->instance;
  if (row->state.next_offset >= 0) DS_TRY(check_types(row->types, types_));
  token_ = row->token + 1;
  DS_TRY(connection.ledger().set_holder(database_, key_, token_, types_text(types_), instance_));
  return std::move(row->state);
}

base::Result<LedgerState> Ledger::take_over(DestinationServer& connection) {
  DS_TRY(connection.begin());
  auto taken = take(connection, 1);
  if (taken && !holder_.empty() && holder_ != instance_) taken = superseded();
  if (!taken) {
    connection.rollback();
    return taken;
  }
  DS_TRY(connection.commit());
  committed(*taken);
  return taken;
}

base::Result<void> Ledger::write(DestinationServer& connection, const LedgerState& state) {
  const LedgerParts parts{state.snapshot != written_snapshot_, state.awaited != written_awaited_};
  DS_ASSIGN(const bool mine, connection.ledger().write_state(database_, key_, token_, state, parts));
  if (!mine) return superseded();
  return {};
}

base::Result<void> Ledger::hold(DestinationServer& connection) {
  DS_ASSIGN(const bool mine, connection.ledger().lock_token(database_, key_, token_));
  if (!mine) return superseded();
  return {};
}

base::Result<void> Ledger::check(DestinationServer& connection) {
  DS_TRY(next_offset(connection));
  return {};
}

base::Result<std::int64_t> Ledger::next_offset(DestinationServer& connection) {
  DS_ASSIGN(const auto mine, connection.ledger().next_offset(database_, key_, token_));
  if (!mine) return superseded();
  return *mine;
}

}  // namespace datasync::apply
