#include "agents/message/definition.hpp"

#include <fmt/format.h>

#include "envelope.pb.h"

namespace datasync::message {
namespace {

constexpr std::uint32_t kVersion = 1;

base::Error foreign(std::string_view what) {
  return {base::Reason::ForeignMessage, fmt::format("definition record: {}", what)};
}

}  // namespace

bool acts(std::string_view action) {
  return action != "RESTRICT" && action != "NO ACTION";
}

std::string encode(const Definition& d) {
  v1::Definition p;
  p.set_version(kVersion);
  p.set_database(d.database);
  p.set_table(d.table);
  p.set_sequence(d.sequence);
  p.set_position(d.position.text());
  p.set_exists(d.exists);
  p.set_complete(d.complete);
  if (!d.schema.columns.empty()) p.set_schema(serialize(d.schema));
  p.set_acting_keys_known(d.acting_keys.has_value());
  for (const auto& key : d.acting_keys.value_or(std::vector<ActingKey>())) {
    auto& k = *p.add_acting_keys();
    k.set_name(key.name);
    for (const auto& column : key.columns) k.add_columns(column);
    k.set_parent_database(key.parent_database);
    k.set_parent_table(key.parent_table);
    for (const auto& column : key.parent_columns) k.add_parent_columns(column);
    k.set_on_update(key.on_update);
    k.set_on_delete(key.on_delete);
  }
  for (const auto& column : d.moved) {
    auto& m = *p.add_moved();
    m.set_was(column.was);
    m.set_is(column.is);
  }
  for (const auto domain : d.domains) p.add_domains(domain);
  return p.SerializeAsString();
}

template <>
base::Result<Definition> decode(base::Bytes value) {
  v1::Definition p;
  if (value.size() > INT32_MAX || !p.ParseFromArray(value.data(), static_cast<int>(value.size())))
    return foreign("the value cannot be read");
  if (!readable(p.version(), kVersion))
    return foreign(fmt::format("version {}; this reader knows {}: upgrade it", p.version(), kVersion));
  Definition d;
  d.database = p.database();
  d.table = p.table();
  d.sequence = p.sequence();
  auto position = GtidSet::parse(p.position());
  if (!position) return foreign(position.error().what);
  d.position = std::move(*position);
  d.exists = p.exists();
  d.complete = p.complete();
  if (p.acting_keys_known()) d.acting_keys.emplace();
  for (const auto& k : p.acting_keys()) {
    if (!d.acting_keys) break;
    d.acting_keys->push_back({k.name(),
                              {k.columns().begin(), k.columns().end()},
                              k.parent_database(),
                              k.parent_table(),
                              {k.parent_columns().begin(), k.parent_columns().end()},
                              k.on_update(),
                              k.on_delete()});
  }
  for (const auto& m : p.moved()) d.moved.push_back({m.was(), m.is()});
  d.domains = {p.domains().begin(), p.domains().end()};
  if (!p.schema().empty()) {
    DS_ASSIGN(d.schema, parse_schema(base::as_bytes(p.schema())));
  }
  return d;
}

std::string definition_key(const Definition& d) {
  return fmt::format("definition/{}/{}", d.qualified(), d.sequence % kDefinitionSlots);
}

}  // namespace datasync::message
