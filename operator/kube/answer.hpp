#pragma once
// What the server's answers mean.

#include <chrono>
#include <string>
#include <string_view>

#include "operator/kube/api.hpp"

namespace datasync::kube {

/// One HTTP answer, whole.
struct Answer {
  int status = 0;
  std::chrono::milliseconds retry_after{0};  ///< of the header, in whole seconds; 0: none
  std::string body;
  [[nodiscard]] bool ok() const noexcept { return status >= 200 && status < 300; }
};

/// What an answer that is not 2xx says. `doing` stands first in the message: "get deployments ns/name".
ApiError error_of(const Answer& answer, std::string_view doing);
/// What a Status object says, as an ERROR event of a watch carries it.
ApiError error_of_status(const Json& status, int http, std::string_view doing);

/// The object in a 2xx answer. Errors: Malformed.
ApiResult<Json> object_of(const Answer& answer, std::string_view doing);
/// One page: its items (each with metadata; apiVersion and kind added), resourceVersion, and the token of the next page
/// (empty: last).
struct Page {
  List list;
  std::string next;
};
ApiResult<Page> page_of(const Answer& answer, const Resource& kind, std::string_view doing);
/// One line of a watch; its object has metadata. Errors: Gone and others as an ERROR event tells them; Malformed.
ApiResult<WatchEvent> event_of(std::string_view line, std::string_view doing);

/// Whether a read may simply be tried again.
bool is_transient(const ApiError& error) noexcept;

}  // namespace datasync::kube
