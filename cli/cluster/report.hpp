#pragma once
// The support bundle: the content of the API server about one resource, without anything that may be a secret.

#include <map>
#include <string>

#include "operator/kube/api.hpp"

namespace datasync::cli {

/// Returns the object without managedFields and without the copy that kubectl keeps in an annotation. Every literal
/// value of an environment variable, and every text after a name like "password" or "token", is replaced with
/// "<removed>". The content of a Secret is removed, whatever its keys are.
nlohmann::json redacted(nlohmann::json object);

/// Returns the files of the bundle by name, as YAML: the resource, its children, pods, events, the definition, and what
/// could not be read. Secrets are never requested.
std::map<std::string, std::string> report_files(kube::Api& api, const kube::ObjectKey& key);

}  // namespace datasync::cli
