#include "operator/kube/http_api.hpp"

#include <algorithm>
#include <optional>
#include <random>
#include <utility>

#include <fmt/format.h>

#include "operator/kube/access.hpp"
#include "operator/kube/paths.hpp"

namespace datasync::kube {
namespace {

constexpr std::string_view kJsonType = "application/json";
constexpr std::string_view kApplyType = "application/apply-patch+yaml";  // JSON is YAML
constexpr std::string_view kJsonPatchType = "application/json-patch+json";
constexpr std::string_view kMergeType = "application/merge-patch+json";
/// All calls wait for what a busy server asked for, but never longer than this for the sake of one answer.
constexpr base::Millis kMostPause{10'000};
constexpr unsigned kMostTries = 5;

std::string doing(std::string_view verb, const Resource& kind, std::string_view what, std::string_view sub = {}) {
  return fmt::format("{} {}{}{} {}", verb, kind.plural, sub.empty() ? "" : "/", sub, what);
}

std::string dumped(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Half to the whole of `length`, so that watches of many clients do not end together.
int random_seconds(base::Millis length) {
  const auto most = std::max<std::int64_t>(2, length.count() / 1000);
  std::random_device device;
  return static_cast<int>(std::uniform_int_distribution<std::int64_t>(most / 2, most)(device));
}

/// Requested as soon as one of two is.
class EitherStop {
 public:
  EitherStop(const std::stop_token& a, const std::stop_token& b) : on_a_(a, Ask{&source_}), on_b_(b, Ask{&source_}) {}
  [[nodiscard]] std::stop_token token() const { return source_.get_token(); }

 private:
  struct Ask {
    std::stop_source* source;
    void operator()() const noexcept { source->request_stop(); }
  };
  std::stop_source source_;
  std::stop_callback<Ask> on_a_, on_b_;
};

}  // namespace

base::Result<std::unique_ptr<Api>> connect(const ConnectOptions& options) {
  DS_ASSIGN(auto access, find_access(options));
  auto credentials = std::make_shared<Credentials>(std::move(access));
  const Transport::Options transport_options{options.user_agent, std::max(options.call_deadline, options.watch_idle),
                                             options.max_body, options.max_event};
  DS_ASSIGN(auto transport, Transport::open(transport_options, credentials));
  return std::unique_ptr<Api>(std::make_unique<HttpApi>(options, std::move(credentials), std::move(transport)));
}

base::Result<std::string> default_namespace(const ConnectOptions& options) {
  DS_ASSIGN(const auto access, find_access(options));
  return access.ns;
}

HttpApi::HttpApi(ConnectOptions options, std::shared_ptr<Credentials> credentials, std::unique_ptr<Transport> transport)
    : options_(std::move(options)),
      credentials_(std::move(credentials)),
      transport_(std::move(transport)),
      rate_(options_.qps, options_.burst) {}

void HttpApi::count(std::string_view verb, int code) const {
  if (options_.on_call) options_.on_call(verb, code);
}

ApiResult<Answer> HttpApi::call_once(const Task& task, const Request& request, base::SteadyTime deadline) {
  if (task.access == Access::Write && options_.may_write && !options_.may_write()) {
    return tl::unexpected(ApiError{Code::Stopped, 0, task.doing + ": not the leader", {}});
  }
  auto answer = transport_->send(request, deadline, CallScope::current());
  count(task.verb, answer ? answer->status : 0);
  if (!answer) {
    auto error = std::move(answer).error();
    error.message = fmt::format("{}: {}", task.doing, error.message);
    return tl::unexpected(std::move(error));
  }
  if (answer->ok()) return answer;
  auto error = error_of(*answer, task.doing);
  if (error.is(Code::TooManyRequests)) rate_.pause(std::min(error.retry_after, kMostPause));
  return tl::unexpected(std::move(error));
}

ApiResult<Answer> HttpApi::call(const Task& task, const Request& request) {
  const auto stop = CallScope::current();
  const auto stopped = [&] { return tl::unexpected(ApiError{Code::Stopped, 0, task.doing + ": stopped", {}}); };
  if (!rate_.wait(stop)) return stopped();
  const auto deadline = base::steady_now() + options_.call_deadline;
  base::Backoff backoff(base::Millis(200), base::Millis(3000));
  bool asked_again = false;
  for (unsigned tries = 1;; ++tries) {
    auto answer = call_once(task, request, deadline);
    if (answer) return answer;
    const auto& error = answer.error();
    // A call that was refused for its credentials did nothing: even a write may be sent again with fresh ones.
    if (error.is(Code::Unauthorized) && error.http != 0 && !std::exchange(asked_again, true) &&
        credentials_->refused()) {
      continue;
    }
    if (task.access == Access::Write || !is_transient(error) || tries >= kMostTries) return answer;
    const auto wait = std::max(backoff.next(), error.retry_after);
    if (base::steady_now() + wait >= deadline) return answer;
    if (!base::sleep_for(stop, wait)) return stopped();
  }
}

ApiResult<Json> HttpApi::call_for_object(const Task& task, const Request& request) {
  auto answer = call(task, request);
  if (!answer) return tl::unexpected(std::move(answer).error());
  return object_of(*answer, task.doing);
}

ApiResult<Json> HttpApi::get(const Resource& kind, const ObjectKey& key) {
  return call_for_object({"get", doing("get", kind, key.text()), Access::Read},
                         {"GET", object_path(kind, key), {}, {}});
}

ApiResult<Page> HttpApi::page(const Resource& kind, const Selector& selector, unsigned limit, const std::string& next) {
  Query query;
  query.add("labelSelector", selector.labels).add("fieldSelector", selector.fields);
  if (limit != 0) query.add("limit", std::to_string(limit));
  query.add("continue", next);
  const Task task{"list", doing("list", kind, selector.ns.empty() ? "of all namespaces" : selector.ns), Access::Read};
  auto answer = call(task, {"GET", collection_path(kind, selector.ns) + query.text(), {}, {}});
  if (!answer) return tl::unexpected(std::move(answer).error());
  return page_of(*answer, kind, task.doing);
}

ApiResult<List> HttpApi::list(const Resource& kind, const Selector& selector) {
  return list_trimmed(kind, selector, [](Json&) {});
}

ApiResult<List> HttpApi::list_trimmed(const Resource& kind, const Selector& selector,
                                      const std::function<void(Json&)>& trim) {
  List all;
  std::string next;
  unsigned limit = options_.page;
  for (;;) {
    auto one = page(kind, selector, limit, next);
    if (!one && one.error().is(Code::Gone) && !next.empty()) {
      // The list grew old while it was read: once more, in one piece, which cannot expire.
      all.items.clear();
      next.clear();
      limit = 0;
      continue;
    }
    if (!one) return tl::unexpected(std::move(one).error());
    for (auto& item : one->list.items) {
      trim(item);
      all.items.push_back(std::move(item));
    }
    all.resource_version = one->list.resource_version;
    next = one->next;
    if (next.empty()) return all;
  }
}

ApiResult<void> HttpApi::watch(const Resource& kind, const Selector& selector, const std::string& from,
                               std::stop_token stop, const std::function<void(const WatchEvent&)>& on_event) {
  Query query;
  query.add("watch", "1").add("allowWatchBookmarks", "true").add("resourceVersion", from);
  query.add("timeoutSeconds", std::to_string(random_seconds(options_.watch_length)));
  query.add("labelSelector", selector.labels).add("fieldSelector", selector.fields);
  const auto what = doing("watch", kind, selector.ns.empty() ? "of all namespaces" : selector.ns);
  const EitherStop either(stop, CallScope::current());
  if (!rate_.wait(either.token())) return {};

  std::optional<ApiError> bad;
  const auto on_line = [&](std::string_view line) {
    auto event = event_of(line, what);
    if (!event) {
      bad = std::move(event).error();
      return false;
    }
    on_event(*event);
    return true;
  };
  auto end =
      transport_->stream({"GET", collection_path(kind, selector.ns) + query.text(), {}, {}},
                         base::steady_now() + options_.call_deadline, options_.watch_idle, either.token(), on_line);
  count("watch", end ? end->status : 0);
  if (bad) return tl::unexpected(std::move(*bad));
  if (!end && end.error().is(Code::Stopped)) return {};
  if (!end) {
    auto error = std::move(end).error();
    error.message = fmt::format("{}: {}", what, error.message);
    return tl::unexpected(std::move(error));
  }
  if (end->status == 200) return {};
  auto error = error_of(*end, what);
  if (error.is(Code::Unauthorized)) credentials_->refused();
  return tl::unexpected(std::move(error));
}

ApiResult<Json> HttpApi::create(const Resource& kind, const std::string& ns, const Json& object) {
  const auto& meta = object.contains("metadata") ? object["metadata"] : Json();
  const auto name = meta.is_object() ? meta.value("name", std::string()) : std::string();
  Query query;
  query.add("fieldManager", options_.field_manager);
  return call_for_object({"create", doing("create", kind, ns + "/" + name), Access::Write},
                         {"POST", collection_path(kind, ns) + query.text(), std::string(kJsonType), dumped(object)});
}

ApiResult<Json> HttpApi::apply(const Resource& kind, const ObjectKey& key, const Json& object,
                               std::string_view subresource) {
  Query query;
  query.add("fieldManager", options_.field_manager).add("force", "true");
  return call_for_object(
      {"apply", doing("apply", kind, key.text(), subresource), Access::Write},
      {"PATCH", object_path(kind, key, subresource) + query.text(), std::string(kApplyType), dumped(object)});
}

ApiResult<Json> HttpApi::merge_patch(const Resource& kind, const ObjectKey& key, const Json& patch,
                                     std::string_view subresource) {
  Query query;
  query.add("fieldManager", options_.field_manager);
  return call_for_object(
      {"patch", doing("patch", kind, key.text(), subresource), Access::Write},
      {"PATCH", object_path(kind, key, subresource) + query.text(), std::string(kMergeType), dumped(patch)});
}

ApiResult<Json> HttpApi::json_patch(const Resource& kind, const ObjectKey& key, const Json& operations) {
  Query query;
  query.add("fieldManager", options_.field_manager);
  return call_for_object(
      {"patch", doing("patch", kind, key.text()), Access::Write},
      {"PATCH", object_path(kind, key) + query.text(), std::string(kJsonPatchType), dumped(operations)});
}

ApiResult<Json> HttpApi::update(const Resource& kind, const ObjectKey& key, const Json& object) {
  Query query;
  query.add("fieldManager", options_.field_manager);
  return call_for_object({"update", doing("update", kind, key.text()), Access::Write},
                         {"PUT", object_path(kind, key) + query.text(), std::string(kJsonType), dumped(object)});
}

ApiResult<void> HttpApi::remove(const Resource& kind, const ObjectKey& key, const Preconditions& only_if) {
  Json options{{"apiVersion", "v1"}, {"kind", "DeleteOptions"}, {"propagationPolicy", "Background"}};
  if (!only_if.uid.empty()) options["preconditions"]["uid"] = only_if.uid;
  if (!only_if.resource_version.empty()) options["preconditions"]["resourceVersion"] = only_if.resource_version;
  auto answer = call({"delete", doing("delete", kind, key.text()), Access::Write},
                     {"DELETE", object_path(kind, key), std::string(kJsonType), dumped(options)});
  if (!answer && !answer.error().is(Code::NotFound)) return tl::unexpected(std::move(answer).error());
  return {};
}

}  // namespace datasync::kube
