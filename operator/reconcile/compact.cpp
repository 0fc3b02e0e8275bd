#include "operator/reconcile/compact.hpp"

#include "operator/desired/managers.hpp"
#include "operator/desired/names.hpp"
#include "operator/runtime/informer.hpp"

namespace datasync::reconcile {
namespace {

constexpr const char* kText = "packed";

}  // namespace

void pack(Json& object) {
  auto& meta = object.at("metadata");
  // Of those who own fields only the names that have to be replaced are of use.
  auto former = desired::former_managers(meta.value("managedFields", Json::array()));
  runtime::trim_managed_fields(object);
  if (!former.empty()) meta["managedFields"] = std::move(former);
  auto kept = Json::object();
  for (const auto* key : {"name", "namespace", "uid", "resourceVersion"})
    if (meta.contains(key)) kept[key] = meta.at(key);
  const std::string label(desired::kNameLabel);
  const auto labels = meta.find("labels");
  if (labels != meta.end() && labels->contains(label)) kept["labels"] = {{label, labels->at(label)}};
  Json out{{"apiVersion", object.value("apiVersion", "")},
           {"kind", object.value("kind", "")},
           {"metadata", std::move(kept)}};
  out[kText] = object.dump(-1, ' ', false, Json::error_handler_t::replace);
  object = std::move(out);
}

Json unpack(const Json& packed) {
  return Json::parse(packed.at(kText).get_ref<const std::string&>());
}

}  // namespace datasync::reconcile
