#include "agents/destination/ledger.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "agents/destination/held_tables.hpp"
#include "agents/destination/instances.hpp"
#include "agents/destination/known_tables.hpp"
#include "agents/destination/ledger_tables.hpp"

namespace datasync::apply {
namespace {

constexpr std::string_view kTable = "ledger";
constexpr std::string_view kAllTypes = "*";
constexpr std::string_view kUnknownTypes = "?";  // of a ledger from before it held them

template <class T>
base::Result<T> number(const std::optional<std::string>& field, std::string_view name) {
  T value{};
  const std::string_view text = field ? *field : std::string_view{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size())
    return base::Error(base::Reason::LedgerInvalid, fmt::format("the ledger's {} is '{}'", name, text));
  return value;
}

base::Result<LedgerState> read_row(const sql::Row& row) {
  LedgerState state;
  DS_ASSIGN(state.next_offset, number<std::int64_t>(row[0], "next_offset"));
  DS_ASSIGN(const auto epoch, number<std::uint64_t>(row[1], "epoch"));
  state.epoch = message::Epoch(epoch);
  auto gtids = message::GtidSet::parse(row[2].value_or(""));
  if (!gtids) return base::Error(base::Reason::LedgerInvalid, "the ledger's gtids: " + gtids.error().what);
  state.gtids = std::move(*gtids);
  DS_ASSIGN(state.snapshot, parse_snapshot_state(row[3].value_or("")));
  DS_ASSIGN(state.last_record, number<std::uint64_t>(row[4], "last_record"));
  DS_ASSIGN(state.awaited, parse_awaited(row[8].value_or("")));
  return state;
}

}  // namespace

namespace {

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

namespace {

/// A ledger that an older agent made lacks some columns: what they would have held is unknown or nothing there.
base::Result<void> add_column(sql::Connection& connection, const std::string& database, std::string_view column,
                              const std::string& statement) {
  DS_ASSIGN(const auto there, connection.query_one(fmt::format(
                                  "SELECT 1 FROM information_schema.columns WHERE table_schema={} AND "
                                  "table_name={} AND column_name={}",
                                  sql::quote_text(database), sql::quote_text(kTable), sql::quote_text(column))));
  if (there) return {};
  auto added = connection.execute(statement);
  // Who made the ledger for this agent can widen it, too.
  if (!added) return base::Error(added.error().reason, fmt::format("{} (for: {})", added.error().what, statement));
  return {};
}

base::Result<void> add_columns(sql::Connection& connection, const Dialect& dialect, const std::string& database) {
  DS_TRY(add_column(connection, database, "types", dialect.add_types_to_ledger(database)));
  DS_TRY(add_column(connection, database, "awaited", dialect.add_awaited_to_ledger(database)));
  return add_column(connection, database, "held", dialect.add_held_to_ledger(database));
}

}  // namespace

base::Result<void> Ledger::forget(sql::Connection& connection, const Dialect& dialect, const std::string& database,
                                  const std::string& task) {
  DS_TRY(HeldTables::forget(connection, dialect, database, task));
  DS_TRY(KnownTables::forget(connection, dialect, database, task));
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database, kTable));
  if (!there) return {};
  DS_TRY(connection.execute(
      fmt::format("DELETE FROM {} WHERE task={}", dialect.quote(database, kTable), sql::quote_text(task))));
  return Instances::forget(connection, dialect, database, task);
}

base::Result<void> Ledger::create(sql::Connection& connection, const Dialect& dialect, const std::string& database) {
  // Asked first: an agent whose user may not create anything can work with a ledger made by somebody else, if that has
  // all columns.
  DS_ASSIGN(const auto there, ledger_table_exists(connection, database, kTable));
  if (there) {
    DS_TRY(add_columns(connection, dialect, database));
  } else {
    DS_TRY(connection.execute(dialect.create_database(database)));
    DS_TRY(connection.execute(dialect.create_ledger(database)));
  }
  return Instances::create(connection, dialect, database);
}

std::string Ledger::where() const {
  return fmt::format(" WHERE task={} AND topic={} AND stream={}", sql::quote_text(key_.task),
                     sql::quote_text(key_.topic), key_.stream);
}

base::Error Ledger::superseded() const {
  return {base::Reason::Superseded,
          fmt::format("another instance has taken over stream {} of topic {}", key_.stream, key_.topic)};
}

/// A stream without a row begins at the start of the topic, also when a user has deleted the row. What is held and
/// which tables are known belongs to the row that was there, and would leave rows out.
base::Result<LedgerState> Ledger::first(sql::Connection& connection, const Dialect& dialect, std::uint64_t token) {
  DS_TRY(HeldTables::forget_stream(connection, dialect, database_, where()));
  DS_TRY(KnownTables::forget_stream(connection, dialect, database_, where()));
  const auto table = dialect.quote(database_, kTable);
  auto made = connection.execute(
      fmt::format("INSERT INTO {} SET task={}, topic={}, stream={}, next_offset=-1, epoch=0, gtids='', token={}, "
                  "snapshot='', last_record=0, types={}, instance={}, awaited='', held=''",
                  table, sql::quote_text(key_.task), sql::quote_text(key_.topic), key_.stream, token,
                  sql::quote_text(types_text(types_)), sql::quote_text(instance_)));
  if (!made) {
    constexpr unsigned kDuplicate = 1062;
    if (connection.last_errno() == kDuplicate)
      return base::Error(base::Reason::DestinationBusy, "another instance made the ledger's row just now");
    return std::move(made).error();
  }
  token_ = token;
  return LedgerState{};
}

base::Result<LedgerState> Ledger::take(sql::Connection& connection, const Dialect& dialect, std::uint64_t first_token) {
  const auto table = dialect.quote(database_, kTable);
  DS_ASSIGN(const auto rows,
            connection.query(fmt::format(
                "SELECT next_offset, epoch, gtids, snapshot, last_record, token, instance, types, awaited FROM {}{} "
                "FOR UPDATE",
                table, where())));
  holder_.clear();
  if (rows.empty()) return first(connection, dialect, first_token);
  DS_ASSIGN(auto state, read_row(rows.front()));
  holder_ = rows.front()[6].value_or("");
  if (state.next_offset >= 0) DS_TRY(check_types(rows.front()[7].value_or(""), types_));
  DS_ASSIGN(token_, number<std::uint64_t>(rows.front()[5], "token"));
  ++token_;
  DS_TRY(connection.execute(fmt::format("UPDATE {} SET token={}, types={}, instance={}{}", table, token_,
                                        sql::quote_text(types_text(types_)), sql::quote_text(instance_), where())));
  return state;
}

base::Result<LedgerState> Ledger::take_over(sql::Connection& connection, const Dialect& dialect) {
  DS_TRY(connection.begin());
  auto taken = take(connection, dialect, 1);
  if (taken && !holder_.empty() && holder_ != instance_) taken = superseded();
  if (!taken) {
    connection.rollback();
    return taken;
  }
  DS_TRY(connection.commit());
  committed(*taken);
  return taken;
}

base::Result<void> Ledger::write(sql::Connection& connection, const Dialect& dialect, const LedgerState& state) {
  std::string snapshot;
  if (state.snapshot != written_snapshot_) snapshot = ", snapshot=" + sql::quote_text(to_text(state.snapshot));
  if (state.awaited != written_awaited_) snapshot += ", awaited=" + sql::quote_text(to_text(state.awaited));
  DS_ASSIGN(const auto matched,
            connection.execute(fmt::format("UPDATE {} SET next_offset={}, epoch={}, gtids='{}', last_record={}{}{} "
                                           "AND token={}",
                                           dialect.quote(database_, kTable), state.next_offset, state.epoch.value(),
                                           state.gtids.text(), state.last_record, snapshot, where(), token_)));
  if (matched != 1) return superseded();
  return {};
}

base::Result<void> Ledger::hold(sql::Connection& connection, const Dialect& dialect) {
  DS_ASSIGN(const auto mine, connection.query_one(fmt::format("SELECT token FROM {}{} AND token={} FOR UPDATE",
                                                              dialect.quote(database_, kTable), where(), token_)));
  if (!mine) return superseded();
  return {};
}

base::Result<void> Ledger::check(sql::Connection& connection, const Dialect& dialect) {
  DS_TRY(next_offset(connection, dialect));
  return {};
}

base::Result<std::int64_t> Ledger::next_offset(sql::Connection& connection, const Dialect& dialect) {
  DS_ASSIGN(const auto mine, connection.query_one(fmt::format("SELECT next_offset FROM {}{} AND token={}",
                                                              dialect.quote(database_, kTable), where(), token_)));
  if (!mine) return superseded();
  return number<std::int64_t>(mine, "next_offset");
}

}  // namespace datasync::apply
