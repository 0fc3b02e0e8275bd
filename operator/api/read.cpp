#include "operator/api/read.hpp"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "operator/api/describe.hpp"
#include "operator/api/yaml.hpp"

namespace datasync::api {
namespace {

using config::Problem;
using config::Value;

constexpr std::uint16_t kMariaDbPort = 3306;
constexpr std::uint16_t kPostgresPort = 5432;

void check_constant(const Value& tree, std::string_view name, std::string_view expected,
                    std::vector<Problem>& problems) {
  const auto* v = tree.find(name);
  if (v == nullptr || v->is_null()) {
    problems.push_back({std::string(name), "is required"});
  } else if (*v != Value{std::string(expected)}) {
    problems.push_back({std::string(name), fmt::format("{} is not {}", v->shown(), expected)});
  }
}

void fill_defaults(DataSync& r) {
  auto& d = r.spec.destination;
  if (d && d->port == 0) d->port = d->engine == config::Engine::PostgreSQL ? kPostgresPort : kMariaDbPort;
}

// What the YAML reader already told about a path is not told again by the fields' reader.
void merge(Document& document, std::vector<Problem> earlier) {
  std::erase_if(document.problems,
                [&](const Problem& p) { return std::ranges::find(earlier, p.path, &Problem::path) != earlier.end(); });
  earlier.insert(earlier.end(), document.problems.begin(), document.problems.end());
  document.problems = std::move(earlier);
}

void check_between(std::vector<Document>& documents) {
  std::map<std::string, std::size_t> names;
  std::map<std::string, std::string> captures;  // topic at brokers -> task
  for (auto& d : documents) {
    if (!d.problems.empty()) continue;
    const auto& r = d.resource;
    const auto [name, name_is_new] = names.emplace(r.id(), d.number);
    if (!name_is_new) {
      d.problems.push_back(
          {"metadata.name", fmt::format("{} is already defined by document {}", r.id(), name->second)});
    }
    if (!r.spec.source) continue;
    const auto& c = r.spec.channel;
    const auto [topic, topic_is_new] = captures.emplace(c.bootstrap_servers + " " + c.topic, r.id());
    if (!topic_is_new) {
      d.problems.push_back(
          {"spec.channel.topic", fmt::format("{} captures into \"{}\" already", topic->second, c.topic)});
    }
  }
}

}  // namespace

namespace {

Document read(const Value& tree, bool stored) {
  Document out;
  if (tree.as<Value::Map>() != nullptr) {
    check_constant(tree, "apiVersion", kApiVersion, out.problems);
    check_constant(tree, "kind", kKind, out.problems);
    if (!out.problems.empty()) return out;  // something else: its fields would only give noise
  }
  const auto fields = [&](config::Fields& f) { describe(f, out.resource); };
  out.problems = stored ? config::read_known_fields(tree, fields, out.unknown) : config::read_fields(tree, fields);
  fill_defaults(out.resource);
  if (out.problems.empty()) out.problems = check_rules(out.resource);
  return out;
}

}  // namespace

Document read_resource(const Value& tree) {
  return read(tree, false);
}

Document read_stored(const Value& tree) {
  return read(tree, true);
}

namespace {

constexpr std::string_view kGroup = "datasync.dev/";

std::string_view text_at(const Value& tree, std::string_view name) {
  const auto* v = tree.find(name);
  const auto* text = v == nullptr ? nullptr : v->as<std::string>();
  return text == nullptr ? std::string_view() : *text;
}

/// By group and kind: what comes near to a DataSync is one with a mistake.
bool is_other(const Value& tree) {
  const auto version = text_at(tree, "apiVersion");
  const auto kind = text_at(tree, "kind");
  return !version.empty() && !kind.empty() && kind != kKind && !version.starts_with(kGroup);
}

/// `v1 List`, and `DataSyncList` of older clients.
const Value::List* items_of(const Value& tree) {
  const auto kind = text_at(tree, "kind");
  const auto version = text_at(tree, "apiVersion");
  const bool is_list =
      (kind == "List" && version == "v1") || (kind == std::string(kKind) + "List" && version.starts_with(kGroup));
  const auto* items = is_list ? tree.find("items") : nullptr;
  return items == nullptr ? nullptr : items->as<Value::List>();
}

/// `at`: where the tree is in its document, as "items[2]."; empty: it is the whole.
Document document_of(const YamlDocument& from, const Value& tree, const std::string& at) {
  auto document = read_resource(tree);
  document.number = from.number;
  for (auto& p : document.problems) p.path = at + p.path;
  auto of_yaml = from.problems;
  std::erase_if(of_yaml, [&](const Problem& p) { return !p.path.starts_with(at); });
  merge(document, std::move(of_yaml));
  return document;
}

void take(const YamlDocument& from, const Value& tree, const std::string& at, Manifests& out) {
  if (const auto* items = items_of(tree)) {
    for (std::size_t i = 0; i < items->size(); ++i) take(from, (*items)[i], fmt::format("{}items[{}].", at, i), out);
    return;
  }
  if (is_other(tree)) {
    out.others.emplace_back(text_at(tree, "kind"));
    return;
  }
  out.documents.push_back(document_of(from, tree, at));
}

/// Calls `take` for each document of the text, which adds to `out`. What cannot be parsed, and a text without any
/// document, is one with that problem.
template <class Take>
void read_text(std::string_view text, std::vector<Document>& out, Take take) {
  auto parsed = parse_yaml(text);
  if (!parsed) {
    out.push_back({.number = 1, .resource = {}, .problems = {{"", parsed.error().what}}});
  } else if (parsed->empty()) {
    out.push_back({.number = 1, .resource = {}, .problems = {{"", "there is no document"}}});
  } else {
    for (const auto& document : *parsed) take(document);
    check_between(out);
  }
}

}  // namespace

std::vector<Document> read_documents(std::string_view text) {
  std::vector<Document> out;
  read_text(text, out, [&](const YamlDocument& d) { out.push_back(document_of(d, d.value, "")); });
  return out;
}

Manifests read_manifests(std::string_view text) {
  Manifests out;
  read_text(text, out.documents, [&](const YamlDocument& d) { take(d, d.value, "", out); });
  return out;
}

std::vector<Problem> not_built(const DataSync& resource) {
  constexpr std::string_view kMessage = "this version does not support this engine yet; it supports MariaDB";
  std::vector<Problem> out;
  const auto& spec = resource.spec;
  if (spec.source && spec.source->engine != config::Engine::MariaDB) {
    out.push_back({"spec.source.engine", std::string(kMessage)});
  }
  if (spec.destination && spec.destination->engine != config::Engine::MariaDB) {
    out.push_back({"spec.destination.engine", std::string(kMessage)});
  }
  return out;
}

}  // namespace datasync::api
