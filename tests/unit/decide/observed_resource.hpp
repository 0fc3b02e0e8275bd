#pragma once
// A resource with its children as a cluster would show them.

#include <string>

#include "operator/api/read.hpp"
#include "operator/decide/decide.hpp"
#include "operator/desired/merge.hpp"

namespace datasync::decide::testing {

inline const char* const kResource = R"({"apiVersion":"datasync.dev/v1alpha1","kind":"DataSync",
  "metadata":{"name":"shop","namespace":"sync","uid":"u-1","generation":3,"annotations":{}},
  "spec":{
    "source":{"replicas":[{"host":"db-1"}],"credentials":{"secretName":"reader"},
              "types":[{"name":"orders","tables":["shop.orders"]}]},
    "channel":{"bootstrapServers":"kafka:9092","topic":"shop"},
    "destination":{"host":"dr","credentials":{"secretName":"writer"}}},
  "status":{"operator":"one"}})";

inline void reread(Observed& seen) {
  seen.document = api::read_resource(config::parse_json(seen.resource.dump()).value());
}

/// As it is when everything was applied; `change` is what the resource says differently from the sample.
inline Observed settled(const char* change = "{}") {
  Observed seen;
  seen.resource = Json::parse(kResource);
  seen.resource.merge_patch(Json::parse(change));
  reread(seen);
  seen.settings = {.installation = "one", .image = "i"};
  seen.now = Time{std::chrono::seconds(1'700'000'000)};
  int uid = 100;
  if (seen.document.problems.empty())
    for (auto child : desired::children(owner_of(seen.resource), seen.document.resource, seen.settings)) {
      child["metadata"]["uid"] = "c-" + std::to_string(uid++);
      child["metadata"]["resourceVersion"] = "1";
      if (child.at("kind") == "Deployment") child["metadata"]["generation"] = 1;
      seen.children.push_back(std::move(child));
    }
  return seen;
}

inline Json& child(Observed& seen, std::string_view kind, std::string_view name) {
  for (auto& c : seen.children)
    if (c.at("kind") == kind && c.at("metadata").at("name") == name) return c;
  throw std::runtime_error("no such child");
}

/// A pod of the agent's present template, running and ready.
inline Json pod(Observed& seen, const std::string& agent, const std::string& name = {}) {
  const auto& of = child(seen, "Deployment", "shop-" + agent).at("spec").at("template").at("metadata");
  Json out{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", of}};
  out["metadata"]["name"] = name.empty() ? agent + "-pod" : name;
  out["metadata"]["namespace"] = "sync";
  out["metadata"]["uid"] = "p-" + out["metadata"]["name"].get<std::string>();
  out["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z";
  out["status"] = Json::parse(R"({"phase":"Running","podIP":"127.0.0.1",
    "conditions":[{"type":"Ready","status":"True"}],
    "containerStatuses":[{"name":"agent","ready":true,"restartCount":0,"state":{"running":{}}}]})");
  return out;
}

inline std::vector<std::string> applied(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& a : plan.applies)
    out.push_back(a.at("kind").get<std::string>() + " " + a.at("metadata").at("name").get<std::string>());
  return out;
}

inline std::vector<std::string> deleted(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& d : plan.deletes) out.push_back(d.kind + " " + d.name);
  return out;
}

inline std::vector<std::string> reasons(const Plan& plan) {
  std::vector<std::string> out;
  for (const auto& f : plan.findings) out.push_back(f.reason);
  return out;
}

}  // namespace datasync::decide::testing
