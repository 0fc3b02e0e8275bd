// What must hold between fields. The CRD says the same in CEL where CEL can.
#include <algorithm>
#include <numeric>
#include <set>

#include <fmt/format.h>

#include "agents/config/orders.hpp"
#include "agents/config/patterns.hpp"
#include "operator/api/describe.hpp"
#include "operator/api/pod_shape.hpp"

namespace datasync::api {
namespace {

using config::Problem;

constexpr std::size_t kMostTablesInAll = 1000;  // an API server gives up on checking more
constexpr std::size_t kMaxName = 52;            // room for "-capture-" and what Kubernetes adds to pods, in 63

class Rules {
 public:
  explicit Rules(const DataSync& r) : r_(r), spec_(r.spec) {}

  std::vector<Problem> check() {
    metadata();
    if (!spec_.source && !spec_.destination) add("spec", "needs a source, a destination or both");
    if (spec_.source) source(*spec_.source);
    channel();
    if (spec_.destination) destination(*spec_.destination);
    target_types();
    check_pod_shape(spec_.capture, "spec.capture", problems_);
    check_pod_shape(spec_.apply, "spec.apply", problems_);
    return std::move(problems_);
  }

 private:
  template <class... Args>
  void add(std::string path, fmt::format_string<Args...> message, Args&&... args) {
    problems_.push_back({std::move(path), fmt::format(message, std::forward<Args>(args)...)});
  }

  void metadata() {
    if (r_.metadata.name.size() > kMaxName) add("metadata.name", "is longer than {} characters", kMaxName);
    annotation(kSkipOffsets, [&](const std::string& path, const std::string& value) { skip_offsets(path, value); });
    annotation(kCopyTables, [&](const std::string& path, const std::string& value) { copy_tables(path, value); });
    annotation(kAcceptGtid, [&](const std::string& path, const std::string& value) {
      if (!config::kGtidList.matches(value)) add(path, "\"{}\" is not {}", value, config::kGtidList.noun);
      if (!spec_.source) add(path, "is only allowed on the DataSync that has the source");
    });
  }

  template <class Check>
  void annotation(std::string_view name, const Check& check) {
    const auto at = r_.metadata.annotations.find(std::string(name));
    if (at != r_.metadata.annotations.end()) check(fmt::format("metadata.annotations[\"{}\"]", name), at->second);
  }

  void skip_offsets(const std::string& path, std::string_view rest) {
    while (true) {
      const auto comma = rest.find(',');
      const auto one = rest.substr(0, comma);
      if (!config::kStreamOffset.matches(one)) {
        add(path, "\"{}\" is not PARTITION:OFFSET", one);
      } else if (spec_.source && std::stoi(std::string(one.substr(0, one.find(':')))) >= spec_.channel.partitions) {
        add(path, "\"{}\" names a partition the topic does not have", one);
      }
      if (comma == rest.npos) return;
      rest.remove_prefix(comma + 1);
    }
  }

  void copy_tables(const std::string& path, const std::string& value) {
    if (!config::kCopyTables.matches(value)) return add(path, "\"{}\" is not {}", value, config::kCopyTables.noun);
    if (!spec_.source) return;
    for (const auto& table : config::copy_order(value).tables) {
      const auto names = [&](const config::Type& type) {
        return std::ranges::find(type.tables, table) != type.tables.end();
      };
      if (std::ranges::none_of(spec_.source->types, names)) add(path, "{} is in none of spec.source.types", table);
    }
  }

  void source(const Source& s) {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < s.replicas.size(); ++i) {
      if (!seen.insert(s.replicas[i].text()).second) {
        add(fmt::format("spec.source.replicas[{}]", i), "{} is listed twice", s.replicas[i].text());
      }
    }
    tls("spec.source.tls", s.tls);
    std::set<std::string> names;
    std::map<std::string, std::string> owner;
    for (std::size_t i = 0; i < s.types.size(); ++i) {
      const auto path = fmt::format("spec.source.types[{}]", i);
      if (!names.insert(s.types[i].name).second) add(path + ".name", "\"{}\" is listed twice", s.types[i].name);
      type(path, s.types[i], owner);
    }
    const auto add_tables = [](std::size_t n, const config::Type& t) { return n + t.tables.size(); };
    const auto tables = std::accumulate(s.types.begin(), s.types.end(), std::size_t{0}, add_tables);
    if (tables > kMostTablesInAll) {
      add("spec.source.types", "has {} tables in all types, more than {}", tables, kMostTablesInAll);
    }
    if (spec_.mode == config::Mode::Once && s.snapshot.mode == config::SnapshotMode::Never) {
      add("spec.source.snapshot.mode", "with Never nothing is copied; mode Once needs Initial");
    }
  }

  void type(const std::string& path, const config::Type& t, std::map<std::string, std::string>& owner) {
    const auto has = [&t](std::string_view table) { return std::ranges::find(t.tables, table) != t.tables.end(); };
    for (std::size_t i = 0; i < t.tables.size(); ++i) {
      const auto [at, is_new] = owner.emplace(t.tables[i], t.name);
      const auto here = fmt::format("{}.tables[{}]", path, i);
      if (!is_new) add(here, "\"{}\" is in type {} already", t.tables[i], at->second);
      if (t.tables[i].find('*') != std::string::npos) {
        add(here, "\"{}\" is not a table: wildcards are not supported, name each table", t.tables[i]);
      }
    }
    std::set<std::string> excluded;
    for (std::size_t i = 0; i < t.exclude_columns.size(); ++i) {
      const auto& column = t.exclude_columns[i];
      const auto here = fmt::format("{}.excludeColumns[{}]", path, i);
      if (!excluded.insert(column).second) add(here, "\"{}\" is listed twice", column);
      const auto dot = column.find('.', column.find('.') + 1);
      const auto table = std::string_view(column).substr(0, dot);
      if (!has(table)) add(here, "\"{}\" is not a table of this type", table);
    }
    for (const auto& [table, columns] : t.key_columns) {
      const auto here = fmt::format("{}.keyColumns[\"{}\"]", path, table);
      if (!has(table)) add(here, "\"{}\" is not a table of this type", table);
      std::set<std::string> seen;
      for (std::size_t i = 0; i < columns.size(); ++i) {
        if (!seen.insert(columns[i]).second) add(fmt::format("{}[{}]", here, i), "\"{}\" is listed twice", columns[i]);
        if (excluded.contains(table + "." + columns[i])) {
          add(fmt::format("{}[{}]", here, i), "\"{}\" is excluded by excludeColumns", columns[i]);
        }
      }
    }
  }

  void tls(const std::string& path, const ServerTls& t) {
    if (t.mode == config::TlsMode::Disabled && !t.ca_secret_name.empty()) {
      add(path + ".mode", "is Disabled, but caSecretName is set; choose Required, VerifyCa or VerifyIdentity");
    }
  }

  void channel() {
    const auto& c = spec_.channel;
    if (c.topic.ends_with(".state")) {
      add("spec.channel.topic", "\"{}\" ends in .state, which is the name of a state topic", c.topic);
    }
    if (!c.sasl.mechanism.empty() && !c.sasl.on()) {
      add("spec.channel.sasl.secretName", "is required when a mechanism is given");
    }
  }

  // The source's tables that this task stores, and where: only known when the source is here too.
  [[nodiscard]] std::vector<std::string> stored_tables() const {
    std::vector<std::string> out;
    if (!spec_.source) return out;
    for (const auto& t : spec_.source->types) {
      const bool wanted = spec_.types.empty() || std::ranges::find(spec_.types, t.name) != spec_.types.end();
      if (wanted) out.insert(out.end(), t.tables.begin(), t.tables.end());
    }
    return out;
  }

  void destination(const Destination& d) {
    tls("spec.destination.tls", d.tls);
    if (d.engine == config::Engine::PostgreSQL && d.schema_changes == config::SchemaChanges::ApplyAll) {
      add("spec.destination.schemaChanges", "ApplyAll is not possible with PostgreSQL; choose ApplyAdditive or Halt");
    }
    const auto stored = stored_tables();
    std::map<std::string, std::string> taken;  // destination table -> source table
    for (const auto& table : stored) {
      if (!d.rename.contains(table)) taken.emplace(table, table);
    }
    for (const auto& [from, to] : d.rename) {
      const auto path = fmt::format("spec.destination.tables.rename[\"{}\"]", from);
      if (spec_.source && std::ranges::find(stored, from) == stored.end()) {
        add(path, "\"{}\" is not a table of the types this task stores", from);
        continue;
      }
      const auto [at, is_new] = taken.emplace(to, from);
      if (!is_new) add(path, "\"{}\" already stores \"{}\"", to, at->second);
    }
    writes_back(d, taken);
  }

  // Rows stored in the table they are captured from would come round again for ever.
  void writes_back(const Destination& d, const std::map<std::string, std::string>& taken) {
    if (!spec_.source) return;
    const auto& replicas = spec_.source->replicas;
    const auto same = [&d](const config::HostPort& h) { return h.host == d.host && h.port == d.port; };
    if (std::ranges::none_of(replicas, same)) return;
    for (const auto& t : spec_.source->types) {
      for (const auto& table : t.tables) {
        if (!taken.contains(table)) continue;
        add("spec.destination.host",
            "is a replica of the source: \"{}\" would be captured from and stored in the same place", table);
        return;
      }
    }
  }

  void target_types() {
    std::set<std::string> seen;
    for (std::size_t i = 0; i < spec_.types.size(); ++i) {
      const auto path = fmt::format("spec.types[{}]", i);
      const auto& name = spec_.types[i];
      if (!seen.insert(name).second) add(path, "\"{}\" is listed twice", name);
      if (!spec_.source) continue;
      const auto& types = spec_.source->types;
      if (std::ranges::find(types, name, &config::Type::name) == types.end()) {
        add(path, "\"{}\" is not a type of spec.source.types", name);
      }
    }
  }

  const DataSync& r_;
  const Spec& spec_;
  std::vector<Problem> problems_;
};

}  // namespace

std::vector<Problem> check_rules(const DataSync& r) {
  return Rules(r).check();
}

}  // namespace datasync::api
