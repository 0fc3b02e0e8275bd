#pragma once
// The CustomResourceDefinition, made from the resource's own description (resource_fields): the C++ types, `datasync
// validate` and the API server cannot differ. What a description cannot say (texts, CEL, the status) stands beside it.

#include <span>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace datasync::api {

/// What a field is for, as `kubectl explain` shows it.
struct Described {
  std::string_view path;  ///< as in FieldInfo
  std::string_view text;
};
/// One text for every field of spec, no other path.
std::span<const Described> descriptions();

/// A rule that the API server evaluates (CEL, x-kubernetes-validations).
struct CelRule {
  std::string_view path;     ///< the field it stands at; empty: the whole resource
  std::string_view rule;     ///< true: it holds
  std::string_view message;  ///< what to do
  std::string_view field;    ///< the member that is at fault; empty: the field itself
};
std::span<const CelRule> cel_rules();

/// A field of the status, paths below "status".
struct StatusField {
  std::string_view path;
  std::string_view type;  ///< object, array, string, boolean, integer, number
  std::string_view text;
};
std::span<const StatusField> status_fields();

/// The definition as an object for an API server.
nlohmann::ordered_json crd();

/// The definition as the file crds/datasync.dev_datasyncs.yaml.
std::string crd_yaml();

}  // namespace datasync::api
