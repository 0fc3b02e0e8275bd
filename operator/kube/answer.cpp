#include "operator/kube/answer.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "operator/api/outside_json.hpp"

namespace datasync::kube {
namespace {

constexpr std::size_t kMostWords = 2048;
constexpr std::size_t kMostDepth = 200;  ///< of objects: kinds of Kubernetes stay far below, users' fields need not
/// What a server, or a proxy before it, may ask for: a longer pause would look like a standstill.
constexpr std::chrono::milliseconds kMostRetryAfter{300'000};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.is_object() ? object.find(key) : object.end();
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// Refusals of this very object that servers answer with 500, or with 400 in later versions: a field that the schema
/// does not have, or of another type (k8s.io/apiserver, server-side apply: "failed to create typed patch object"), a
/// value that cannot be decoded, and what is larger than etcd takes. The same object is refused again each time. A
/// webhook that does not answer is a 500 too, but heals: its words are of another's making and may hold anything, so
/// they are looked at first.
bool refuses_for_ever(std::string_view message) {
  const auto says = [&](std::string_view what) { return message.find(what) != std::string_view::npos; };
  if (says("failed calling webhook")) return false;
  return says("failed to create typed patch object") || says("failed to convert new object") ||
         says("field not declared in schema") || says("cannot unmarshal ") ||
         says("quantities must match the regular expression") || says("etcdserver: request is too large") ||
         says("trying to send message larger than max");
}

/// The server answers 403 to three different things: the user lacks the right (RBAC), a quota is used up, an admission
/// webhook said no. The reason is Forbidden in all of them; only RBAC's words name the user and what he cannot do
/// (k8s.io/apiserver responsewriters ForbiddenMessage). Nothing typed tells them apart: details name the kind in all
/// three, causes are empty, and asking again by SelfSubjectAccessReview would double the calls of a server that says
/// no.
bool lacks_the_right(std::string_view message) {
  return message.find(" cannot ") != std::string_view::npos && message.find("User \"") != std::string_view::npos;
}

Code code_of(int http, std::string_view reason, std::string_view message) {
  switch (http) {
    case 401:
      return Code::Unauthorized;
    case 403:
      return lacks_the_right(message) ? Code::Forbidden : Code::Invalid;
    case 404:
      return Code::NotFound;
    case 408:
      return Code::Timeout;
    case 409:
      return reason == "AlreadyExists" ? Code::AlreadyExists : Code::Conflict;
    case 410:
      return Code::Gone;
    case 429:
      return Code::TooManyRequests;
    case 504:
      return Code::Timeout;
    default:
      break;
  }
  if (reason == "Expired" || reason == "Gone") return Code::Gone;
  if (http >= 500) return refuses_for_ever(message) ? Code::Invalid : Code::ServerError;
  return http >= 400 ? Code::Invalid : Code::Malformed;
}

template <class Duration>
std::chrono::milliseconds asked_wait(Duration asked) {
  return std::clamp<Duration>(asked, Duration(0), std::chrono::duration_cast<Duration>(kMostRetryAfter));
}

/// Without it an object has no name: nobody above could do anything with it.
bool has_metadata(const Json& object) {
  const auto meta = object.is_object() ? object.find("metadata") : object.end();
  return meta != object.end() && meta->is_object();
}

ApiError malformed(int http, std::string_view doing, std::string_view what) {
  return {Code::Malformed, http, fmt::format("{}: the server's answer {}", doing, what), {}};
}

/// A patch that names another UID than the object has is answered as a change of an immutable field. It is a
/// precondition that does not hold.
bool is_other_uid(const Json& status) {
  const auto details = status.find("details");
  if (details == status.end() || !details->is_object()) return false;
  const auto causes = details->find("causes");
  if (causes == details->end() || !causes->is_array()) return false;
  return std::ranges::any_of(*causes, [](const Json& cause) { return text_of(cause, "field") == "metadata.uid"; });
}

}  // namespace

ApiError error_of_status(const Json& status, int http, std::string_view doing) {
  const auto code = status.is_object() ? status.find("code") : status.end();
  if (code != status.end() && code->is_number_integer()) http = code->get<int>();
  auto words = text_of(status, "message");
  const auto reason = text_of(status, "reason");
  ApiError error{code_of(http, reason, words), http, {}, {}};
  if (error.is(Code::Invalid) && is_other_uid(status)) error.code = Code::Conflict;
  if (words.size() > kMostWords) {
    auto end = kMostWords;  // not within a character: the words become part of a status
    while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0U) == 0x80U) --end;
    words.resize(end);
  }
  error.message = fmt::format("{}: {}", doing, words.empty() ? fmt::format("HTTP {} {}", http, reason) : words);
  if (const auto details = status.find("details"); details != status.end() && details->is_object()) {
    const auto wait = details->find("retryAfterSeconds");
    if (wait != details->end() && wait->is_number_integer())
      error.retry_after = asked_wait(std::chrono::seconds(wait->get<std::int64_t>()));
  }
  return error;
}

ApiError error_of(const Answer& answer, std::string_view doing) {
  auto status = api::parse_pruned(answer.body, kMostDepth);
  if (!status.is_object() || text_of(status, "kind") != "Status") {
    // A proxy or load balancer in between answers in its own words.
    status = Json::object();
    const auto line = answer.body.substr(0, std::min<std::size_t>(answer.body.find('\n'), 200));
    status["message"] = fmt::format("HTTP {}{}{}", answer.status, line.empty() ? "" : ": ", line);
  }
  status.erase("code");  // what HTTP says counts
  auto error = error_of_status(status, answer.status, doing);
  if (answer.retry_after.count() > 0) error.retry_after = asked_wait(answer.retry_after);
  return error;
}

ApiResult<Json> object_of(const Answer& answer, std::string_view doing) {
  auto object = api::parse_pruned(answer.body, kMostDepth);
  if (!object.is_object()) return tl::unexpected(malformed(answer.status, doing, "is not a JSON object"));
  return object;
}

ApiResult<Page> page_of(const Answer& answer, const Resource& kind, std::string_view doing) {
  auto whole = object_of(answer, doing);
  if (!whole) return tl::unexpected(std::move(whole).error());
  Page page;
  const auto meta = whole->find("metadata");
  if (meta == whole->end() || !meta->is_object())
    return tl::unexpected(malformed(answer.status, doing, "is not a list"));
  page.list.resource_version = text_of(*meta, "resourceVersion");
  page.next = text_of(*meta, "continue");
  const auto items = whole->find("items");
  if (items == whole->end() || items->is_null()) return page;  // an empty list of Go
  if (!items->is_array()) return tl::unexpected(malformed(answer.status, doing, "has items that are not a list"));
  const auto api_version = kind.group.empty() ? kind.version : kind.group + "/" + kind.version;
  for (auto& item : *items) {
    if (!has_metadata(item)) return tl::unexpected(malformed(answer.status, doing, "has an item without metadata"));
    item.emplace("apiVersion", api_version);
    item.emplace("kind", kind.kind);
    page.list.items.push_back(std::move(item));
  }
  return page;
}

ApiResult<WatchEvent> event_of(std::string_view line, std::string_view doing) {
  auto event = api::parse_pruned(line, kMostDepth);
  if (!event.is_object()) return tl::unexpected(malformed(200, doing, "has a watch event that is not a JSON object"));
  const auto object = event.find("object");
  if (object == event.end() || !object->is_object()) {
    return tl::unexpected(malformed(200, doing, "has a watch event without an object"));
  }
  const auto type = text_of(event, "type");
  if (type == "ERROR") return tl::unexpected(error_of_status(*object, 500, doing));
  if (!has_metadata(*object)) return tl::unexpected(malformed(200, doing, "has a watch event without metadata"));
  WatchEvent result;
  if (type == "ADDED") {
    result.type = EventType::Added;
  } else if (type == "MODIFIED") {
    result.type = EventType::Modified;
  } else if (type == "DELETED") {
    result.type = EventType::Deleted;
  } else if (type == "BOOKMARK") {
    result.type = EventType::Bookmark;
  } else {
    return tl::unexpected(malformed(200, doing, fmt::format("has a watch event of type \"{}\"", type)));
  }
  result.object = std::move(*object);
  return result;
}

bool is_transient(const ApiError& error) noexcept {
  return error.is(Code::TooManyRequests) || error.is(Code::ServerError) || error.is(Code::Transport) ||
         (error.is(Code::Timeout) && error.http != 0);
}

}  // namespace datasync::kube
