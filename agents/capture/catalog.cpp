#include "agents/capture/catalog.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "agents/binlog/lexer.hpp"
#include "agents/capture/preflight.hpp"
#include "agents/message/row.hpp"

namespace datasync::capture {
namespace {

using base::Reason;
using message::ColumnType;

// Since 10.10 a collation belongs to several character sets and its full name and id stand in the second table.
constexpr std::string_view kCollations =
    "SELECT ID, FULL_COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATION_CHARACTER_SET_APPLICABILITY "
    "WHERE ID IS NOT NULL";
constexpr std::string_view kOldCollations =
    "SELECT ID, COLLATION_NAME, CHARACTER_SET_NAME FROM information_schema.COLLATIONS WHERE ID IS NOT NULL";
constexpr std::uint32_t kUuidBytes = 16, kInet4Bytes = 4;

std::optional<ColumnType> refined_type(const binlog::WireColumn& wire, ColumnType server) {
  if (wire.type != binlog::WireType::String) return std::nullopt;
  if (wire.length == kInet4Bytes && server == ColumnType::Inet4) return server;
  if (wire.length == kUuidBytes && (server == ColumnType::Uuid || server == ColumnType::Inet6)) return server;
  return std::nullopt;
}

bool old_temporal(binlog::WireType type) noexcept {
  return type == binlog::WireType::Time || type == binlog::WireType::DateTime || type == binlog::WireType::Timestamp;
}

std::string hex(std::string_view text) {
  std::string out;
  for (const char c : text) out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  return out;
}

}  // namespace

std::vector<binlog::Refinement> refine(const binlog::TableMap& map, const message::TableSchema& server) {
  std::vector<binlog::Refinement> out;
  for (std::size_t i = 0; i < map.columns.size(); ++i) {
    const auto& wire = map.columns[i];
    const auto at = std::ranges::find_if(server.columns,
                                         [&](const auto& c) { return binlog::same_ignoring_case(c.name, wire.name); });
    if (at == server.columns.end()) continue;
    binlog::Refinement r;
    r.column = static_cast<std::uint16_t>(i);
    r.type = refined_type(wire, at->type);
    r.generated = at->generated;
    if (old_temporal(wire.type)) r.fractional_digits = at->scale;
    if (r.type || r.generated || r.fractional_digits) out.push_back(r);
  }
  return out;
}

Catalog::Catalog(Connect connect, Publish publish) : connect_(std::move(connect)), publish_(std::move(publish)) {}

base::Result<sql::Connection*> Catalog::connection() {
  if (!connection_) {
    DS_ASSIGN(connection_, connect_());
  }
  return connection_.get();
}

base::Result<void> Catalog::read_collations() {
  if (!collations_.empty()) return {};
  DS_ASSIGN(auto* c, connection());
  auto rows = c->query(kCollations);
  if (!rows) rows = c->query(kOldCollations);
  if (!rows) return base::Error(std::move(rows).error());
  for (const auto& row : *rows) {
    std::uint32_t id = 0;
    const auto text = row.at(0).value_or("");
    std::from_chars(text.data(), text.data() + text.size(), id);
    collations_[id] = {row.at(1).value_or(""), row.at(2).value_or("")};
  }
  return {};
}

// A connection idle for hours is closed by the server: a failed one is opened anew, once.
base::Result<std::optional<sql::TableInfo>> Catalog::info(const TableChoice& choice) {
  for (int tries = 0;; ++tries) {
    DS_ASSIGN(auto* c, connection());
    auto info = sql::read_table_info(*c, choice.database, choice.table);
    if (info || tries > 0 || info.error().outcome() != base::Outcome::Retry) return info;
    connection_.reset();
  }
}

std::optional<std::string> Catalog::to_utf8(std::string_view charset, std::string_view text) {
  if (!connection_) return std::nullopt;
  auto row = connection_->query_one(fmt::format("SELECT CONVERT(_{} X'{}' USING utf8mb4)", charset, hex(text)));
  return row ? *row : std::nullopt;
}

base::Result<std::uint32_t> Catalog::add(const TableChoice& choice, binlog::TableMap map) {
  map.id = {};
  binlog::SchemaOptions options;
  auto info = this->info(choice);
  // A table that is gone or changed by now is read by its table map alone.
  if (info && *info)
    options.refinements = refine(map, (*info)->schema);
  else if (!info && info.error().outcome() == base::Outcome::Retry)
    return base::Error(std::move(info).error());
  const auto same = std::ranges::find_if(tables_, [&](const CapturedTable& t) {
    return t.choice == &choice && t.map == map && t.refinements == options.refinements;
  });
  if (same != tables_.end()) return newest_[&choice] = static_cast<std::uint32_t>(same - tables_.begin());
  DS_TRY(read_collations());
  options.collation_of = [this](std::uint32_t id) -> std::optional<binlog::Collation> {
    const auto at = collations_.find(id);
    return at == collations_.end() ? std::nullopt : std::optional(at->second);
  };
  options.to_utf8 = [this](std::string_view charset, std::string_view text) { return to_utf8(charset, text); };
  options.excluded = choice.exclude;
  options.declared_key = choice.key_columns;
  DS_ASSIGN(auto encoder, binlog::RowEncoder::make(map, options));
  const auto id = encoder.schema().id();
  if (schemas_.try_emplace(id, encoder.schema()).second) DS_TRY(publish_(encoder.schema()));
  tables_.push_back({&choice, id, std::move(encoder), std::move(map), std::move(options.refinements)});
  return newest_[&choice] = static_cast<std::uint32_t>(tables_.size() - 1);
}

base::Result<message::SchemaId> Catalog::schema_of(const TableChoice& choice) {
  if (const auto newest = newest_.find(&choice); newest != newest_.end()) return tables_[newest->second].schema;
  DS_ASSIGN(const auto server, info(choice));
  if (!server) return base::Error(Reason::TableDropped, choice.qualified() + " is not there any more");
  DS_ASSIGN(auto schema, captured_schema(choice, server->schema));
  const auto id = schema.id();
  DS_TRY(publish_(schema));
  schemas_.try_emplace(id, std::move(schema));
  return id;
}

bool Catalog::may_be_key(const TableChoice& choice, std::string_view column) {
  const auto in_key = [&](const message::TableSchema& schema) {
    return std::ranges::any_of(
        schema.key, [&](auto index) { return binlog::same_ignoring_case(schema.columns[index].name, column); });
  };
  if (const auto newest = newest_.find(&choice); newest != newest_.end())
    return in_key(tables_[newest->second].encoder.schema());
  const auto server = info(choice);
  if (!server || !*server) return true;
  const auto schema = captured_schema(choice, (*server)->schema);
  const auto named = [&](const message::Column& c) { return binlog::same_ignoring_case(c.name, column); };
  // The server tells of now: under its old name a column is not found.
  return !schema || std::ranges::none_of(schema->columns, named) || in_key(*schema);
}

std::string Catalog::name_row(message::SchemaId schema, base::Bytes row) const {
  const auto at = schemas_.find(schema);
  if (at == schemas_.end()) return "a row";
  message::RowReader reader(at->second, row);
  message::RowView view;
  const auto read = reader.next(view);
  if (!read || !*read || view.op == message::Op::Truncate) return "a row of " + at->second.qualified();
  const auto& image = view.op == message::Op::Delete ? view.before : view.after;
  return fmt::format("row {} of {}", message::display_key(at->second, image), at->second.qualified());
}

}  // namespace datasync::capture
