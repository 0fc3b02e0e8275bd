#include "operator/decide/ownership.hpp"

#include <fmt/format.h>

namespace datasync::decide {
namespace {

/// An installation that is named and lives has claimed a deleted resource by then.
constexpr std::chrono::seconds kNamedGrace{180};

std::string status_text(const Json& resource, const char* key) {
  const auto status = resource.find("status");
  return status == resource.end() || !status->is_object() ? std::string() : status->value(key, std::string());
}

/// Empty: ours.
std::string manager(const Observed& seen) {
  const auto& us = seen.settings.installation;
  const auto by = status_text(seen.resource, "operator");
  const auto in_charge = !by.empty() && by != us && seen.other_lease != OtherLease::Dead ? by : std::string();
  const auto& annotations = seen.document.resource.metadata.annotations;
  const auto named = annotations.find(std::string(api::kOperator));
  if (named == annotations.end()) return in_charge;
  if (named->second == us) return {};
  // Of a resource that goes nothing but its cleanup is left; that shall not wait for ever for somebody who is gone.
  // Who lives and is named claims it, also from us while we are at it.
  if (!is_held(seen.resource)) return named->second;
  if (by == named->second || by == us) return in_charge;
  return age_of_deletion(seen) < kNamedGrace ? named->second : in_charge;
}

/// Why nobody can tell whether the installation in status lives.
std::string unknown_lease(const Observed& seen) {
  const auto lease = status_text(seen.resource, "operatorLease");
  return lease.empty() ? "which has no Lease, so it is unknown whether it runs"
                       : fmt::format("whose Lease {} cannot be read", lease);
}

/// A person named it, so nobody else has to decide.
bool is_named(const Observed& seen, const std::string& by) {
  const auto& annotations = seen.document.resource.metadata.annotations;
  const auto named = annotations.find(std::string(api::kOperator));
  return named != annotations.end() && named->second == by;
}

}  // namespace

bool is_unwatched(const Json& lease, std::string_view ns) {
  const auto annotations = lease.value("/metadata/annotations"_json_pointer, Json::object());
  const auto watched = annotations.value(std::string(kNamespaces), Json());
  if (!watched.is_string() || watched.get_ref<const std::string&>().empty()) return false;
  return ("," + watched.get<std::string>() + ",").find(fmt::format(",{},", ns)) == std::string::npos;
}

bool claimed(const Observed& seen) {
  return status_text(seen.resource, "operator") == seen.settings.installation;
}

std::optional<Note> managed_elsewhere(const Observed& seen) {
  const auto by = manager(seen);
  if (by.empty()) return std::nullopt;
  const auto& us = seen.settings.installation;
  const bool held = is_held(seen.resource);
  const bool unknown = seen.other_lease == OtherLease::Unknown;
  if (held && unknown && age_of_deletion(seen) >= kNamedGrace)
    return Note{
        std::string(reason::CleanupAwaitsOther),
        fmt::format("its cleanup waits for installation {}, {}. If that no longer exists, annotate {}={} to run it "
                    "here, or remove the finalizer {}",
                    by, unknown_lease(seen), api::kOperator, us, api::kCleanupFinalizer)};
  if (held || !unknown || is_named(seen, by))
    return Note{std::string(reason::ManagedElsewhere),
                fmt::format("installation {} manages it; {} does not change it", by, us)};
  const auto owner = owner_of(seen.resource);
  return Note{
      std::string(reason::ManagerUnknown),
      fmt::format("installation {} manages it, {}; {} does not change it, and its status may be out of date. If "
                  "{} no longer exists: kubectl -n {} annotate datasync {} --overwrite {}={}",
                  by, unknown_lease(seen), us, by, owner.ns, owner.name, api::kOperator, us)};
}

}  // namespace datasync::decide
