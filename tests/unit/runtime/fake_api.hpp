#pragma once
// An API server of a few lines: objects with resourceVersions in memory, and scripts for lists and watches.

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "operator/kube/api.hpp"

namespace datasync::runtime {

using kube::ApiError;
using kube::ApiResult;
using kube::Code;
using kube::Json;
using kube::List;
using kube::ObjectKey;
using kube::WatchEvent;

inline tl::unexpected<ApiError> api_error(Code code, int http = 0) {
  return tl::unexpected(ApiError{code, http, std::string(to_string(code)), {}});
}

class FakeApi : public kube::Api {
 public:
  using ListScript = std::function<ApiResult<List>()>;
  using WatchScript =
      std::function<ApiResult<void>(const std::string& from, const std::function<void(const WatchEvent&)>&)>;
  std::deque<ListScript> lists;
  std::deque<WatchScript> watches;
  std::function<void()> script_over = [] {};
  Code refuse = Code::Stopped;  ///< anything else: every other call fails with it
  std::map<ObjectKey, Json> objects;
  std::vector<std::string> calls;
  std::mutex mutex;

  ApiResult<Json> get(const kube::Resource& kind, const ObjectKey& key) override {
    const std::lock_guard lock(mutex);
    if (refuse != Code::Stopped) return api_error(refuse);
    calls.push_back("get " + kind.plural);
    const auto found = objects.find(key);
    if (found == objects.end()) return api_error(Code::NotFound, 404);
    return found->second;
  }
  ApiResult<List> list(const kube::Resource&, const kube::Selector&) override {
    if (lists.empty()) {
      script_over();
      return api_error(Code::Stopped);
    }
    const auto next = std::move(lists.front());
    lists.pop_front();
    return next();
  }
  ApiResult<void> watch(const kube::Resource&, const kube::Selector&, const std::string& from, std::stop_token,
                        const std::function<void(const WatchEvent&)>& on_event) override {
    if (watches.empty()) {
      script_over();
      return {};
    }
    const auto next = std::move(watches.front());
    watches.pop_front();
    return next(from, on_event);
  }
  ApiResult<Json> create(const kube::Resource& kind, const std::string& ns, const Json& object) override {
    const std::lock_guard lock(mutex);
    if (refuse != Code::Stopped) return api_error(refuse);
    calls.push_back("create " + kind.plural);
    const ObjectKey key{ns, object.at("metadata").at("name").get<std::string>()};
    if (objects.contains(key)) return api_error(Code::AlreadyExists, 409);
    return store(key, object);
  }
  ApiResult<Json> apply(const kube::Resource&, const ObjectKey&, const Json&, std::string_view) override {
    return api_error(Code::Invalid);
  }
  ApiResult<Json> merge_patch(const kube::Resource& kind, const ObjectKey& key, const Json& patch,
                              std::string_view) override {
    const std::lock_guard lock(mutex);
    if (refuse != Code::Stopped) return api_error(refuse);
    calls.push_back("patch " + kind.plural);
    if (!objects.contains(key)) return api_error(Code::NotFound, 404);
    auto object = objects[key];
    object.merge_patch(patch);
    return store(key, object);
  }
  ApiResult<Json> json_patch(const kube::Resource&, const ObjectKey&, const Json&) override {
    return api_error(Code::Invalid);
  }
  ApiResult<Json> update(const kube::Resource& kind, const ObjectKey& key, const Json& object) override {
    const std::lock_guard lock(mutex);
    if (refuse != Code::Stopped) return api_error(refuse);
    calls.push_back("update " + kind.plural);
    if (!objects.contains(key)) return api_error(Code::NotFound, 404);
    if (objects[key]["metadata"]["resourceVersion"] != object["metadata"]["resourceVersion"]) {
      return api_error(Code::Conflict, 409);
    }
    return store(key, object);
  }
  ApiResult<void> remove(const kube::Resource&, const ObjectKey& key, const kube::Preconditions&) override {
    const std::lock_guard lock(mutex);
    objects.erase(key);
    return {};
  }

 private:
  Json store(const ObjectKey& key, Json object) {
    object["metadata"]["resourceVersion"] = std::to_string(++version_);
    return objects[key] = std::move(object);
  }
  int version_ = 0;
};

}  // namespace datasync::runtime
