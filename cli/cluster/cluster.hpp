#pragma once
// The commands of `kubectl datasync` that use an API server. Each takes the Api as a parameter, so that tests can pass
// their own.

#include <filesystem>
#include <functional>
#include <iosfwd>
#include <stop_token>
#include <string>
#include <vector>

#include "cli/cluster/status_text.hpp"
#include "operator/kube/api.hpp"

namespace datasync::cli {

/// The label selector for the objects of one resource: this text and the resource's name.
inline constexpr std::string_view kNameLabelIs = "datasync.dev/name=";

/// Returns the pods of the resource's agents.
kube::ApiResult<std::vector<nlohmann::json>> pods_of(kube::Api& api, const kube::ObjectKey& key);
/// Returns the events about the resource and these pods.
kube::ApiResult<std::vector<nlohmann::json>> events_of(kube::Api& api, const kube::ObjectKey& key,
                                                       const std::vector<nlohmann::json>& pods);
/// Reads what the status command shows. Objects that may not be read (pods, events: RBAC) are omitted.
kube::ApiResult<StatusInput> gather(kube::Api& api, const kube::ObjectKey& key);

struct StatusOptions {
  std::string output;  ///< empty: text; json, yaml
  bool watch = false;  ///< shown again every two seconds until `stop`
  bool color = false;
};
/// Each command returns the exit code: 0, or 1 with the server's message on `err`.
int status(kube::Api& api, const kube::ObjectKey& key, const StatusOptions& options, std::ostream& out,
           std::ostream& err, std::stop_token stop);
/// Sets spec.paused.
int pause(kube::Api& api, const kube::ObjectKey& key, bool paused, std::ostream& out, std::ostream& err);
/// Sets the annotation datasync.dev/restart to the time `now`.
int restart(kube::Api& api, const kube::ObjectKey& key, base::WallTime now, std::ostream& out, std::ostream& err);
/// Writes the bundle as a tar archive of mode 0600; `log_of` returns the log of a pod.
int report(kube::Api& api, const kube::ObjectKey& key, const std::filesystem::path& file, base::WallTime now,
           const std::function<std::string(const kube::ObjectKey& pod)>& log_of, std::ostream& out, std::ostream& err);
/// Returns the names of the resources of a namespace; none when they cannot be read.
std::vector<std::string> names(kube::Api& api, const std::string& ns);

}  // namespace datasync::cli
