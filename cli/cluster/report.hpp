#pragma once
// The support bundle: what the API server knows about one resource, without what may be a secret.

#include <map>
#include <string>

#include "operator/kube/api.hpp"

namespace datasync::cli {

/// Without managedFields, without the copy that kubectl keeps in an annotation, and with every literal value of an
/// environment variable and every text that a name like "password" or "token" stands before replaced by "<removed>".
/// The content of a Secret is dropped whatever its keys are called.
nlohmann::json redacted(nlohmann::json object);

/// The files of the bundle by name, as YAML: the resource, its children, pods, events, the definition, and what could
/// not be read. Secrets are never asked for.
std::map<std::string, std::string> report_files(kube::Api& api, const kube::ObjectKey& key);

}  // namespace datasync::cli
