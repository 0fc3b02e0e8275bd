#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "agents/base/backoff.hpp"
#include "operator/kube/api.hpp"
#include "operator/kube/client.hpp"
#include "operator/kube/rate_limit.hpp"
#include "operator/kube/transport.hpp"

namespace datasync::kube {

/// The Api over HTTP.
class HttpApi final : public Api {
 public:
  HttpApi(ConnectOptions options, std::shared_ptr<Credentials> credentials, std::unique_ptr<Transport> transport);

  ApiResult<Json> get(const Resource& kind, const ObjectKey& key) override;
  ApiResult<List> list(const Resource& kind, const Selector& selector) override;
  ApiResult<List> list_trimmed(const Resource& kind, const Selector& selector,
                               const std::function<void(Json&)>& trim) override;
  ApiResult<void> watch(const Resource& kind, const Selector& selector, const std::string& from, std::stop_token stop,
                        const std::function<void(const WatchEvent&)>& on_event) override;
  ApiResult<Json> create(const Resource& kind, const std::string& ns, const Json& object) override;
  ApiResult<Json> apply(const Resource& kind, const ObjectKey& key, const Json& object,
                        std::string_view subresource) override;
  ApiResult<Json> merge_patch(const Resource& kind, const ObjectKey& key, const Json& patch,
                              std::string_view subresource) override;
  ApiResult<Json> json_patch(const Resource& kind, const ObjectKey& key, const Json& operations) override;
  ApiResult<Json> update(const Resource& kind, const ObjectKey& key, const Json& object) override;
  ApiResult<void> remove(const Resource& kind, const ObjectKey& key, const Preconditions& only_if) override;

 private:
  enum class Access : std::uint8_t { Read, Write };
  struct Task {
    std::string_view verb;
    std::string doing;
    Access access;
  };
  /// A 2xx answer.
  ApiResult<Answer> call(const Task& task, const Request& request);
  ApiResult<Answer> call_once(const Task& task, const Request& request, base::SteadyTime deadline);
  ApiResult<Json> call_for_object(const Task& task, const Request& request);
  ApiResult<Page> page(const Resource& kind, const Selector& selector, unsigned limit, const std::string& next);
  void count(std::string_view verb, int code) const;

  ConnectOptions options_;
  std::shared_ptr<Credentials> credentials_;
  std::unique_ptr<Transport> transport_;
  RateLimit rate_;
};

}  // namespace datasync::kube
