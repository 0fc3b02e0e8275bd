#pragma once
// From text to a checked resource: strictly for what users write, with unknown fields for what an API server stores.

#include <string_view>
#include <vector>

#include "agents/config/fields.hpp"
#include "operator/api/resource.hpp"

namespace datasync::api {

/// One YAML document. The resource is usable only when there are no problems.
struct Document {
  std::size_t number = 0;  ///< its place in the file, from 1
  DataSync resource;
  std::vector<config::Problem> problems;
  std::vector<config::Problem> unknown;  ///< of `read_stored`: fields that this version does not know
};

/// Reads every document of a YAML (or JSON) text; empty ones are passed over. A text that is no YAML gives one document
/// with that problem, a text without any document too. Rules between documents are checked as well: no two resources of
/// one name, no two captures on one topic.
std::vector<Document> read_documents(std::string_view text);

/// What files of a cluster hold: DataSyncs among other objects.
struct Manifests {
  std::vector<Document> documents;  ///< as `read_documents`, without those below
  std::vector<std::string> others;  ///< the kinds of objects of other API groups, which are not checked
};
/// The same for files that hold Secrets, Namespaces... too, and for lists of objects, as `kubectl get -o yaml` prints
/// them: an item's problems have its place in their path. The same rules between DataSyncs hold.
Manifests read_manifests(std::string_view text);

/// Reads one resource from a tree, with every rule between its fields, and fills the defaults.
Document read_resource(const config::Value& tree);

/// The same for a resource that an API server stores. Its definition may be a later one than ours, with fields and
/// defaults that we do not know: they are in `unknown` and no problem, or every resource would stop with the operator
/// that is put back to an earlier version.
Document read_stored(const config::Value& tree);

/// What this resource asks for that the agents of this version do not have; empty when they can run it.
std::vector<config::Problem> not_built(const DataSync& resource);

/// Every field of the resource with its type, default and rules; the CRD is held against it.
std::vector<config::FieldInfo> resource_fields();

}  // namespace datasync::api
