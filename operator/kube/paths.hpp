#pragma once

#include <string>
#include <string_view>

#include "operator/kube/api.hpp"

namespace datasync::kube {

/// "/apis/apps/v1/namespaces/NS/deployments"; the core group is "/api/v1/...". Without namespace: all of them, or a
/// kind that has none.
std::string collection_path(const Resource& kind, const std::string& ns);
std::string object_path(const Resource& kind, const ObjectKey& key, std::string_view subresource = {});

/// Builds "?a=b&c=d", values percent-encoded; what is empty is left out.
class Query {
 public:
  Query& add(std::string_view name, std::string_view value);
  [[nodiscard]] const std::string& text() const noexcept { return text_; }

 private:
  std::string text_;
};

}  // namespace datasync::kube
