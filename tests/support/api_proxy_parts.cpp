#include "tests/support/api_proxy_parts.hpp"

#include <algorithm>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace datasync::test {
namespace {

std::vector<std::string> split(const std::string& path) {
  std::vector<std::string> parts;
  for (std::size_t at = 0; at < path.size();) {
    const auto end = std::min(path.find('/', at), path.size());
    if (end > at) parts.push_back(path.substr(at, end - at));
    at = end + 1;
  }
  return parts;
}

}  // namespace

std::string ApiCall::text() const {
  return fmt::format("{} {}{}{} {}/{} {}", verb, resource, subresource.empty() ? "" : "/", subresource, ns, name,
                     status);
}

ApiCall parse_call(const httplib::Request& request) {
  ApiCall call;
  const auto question = request.target.find('?');
  call.path = request.target.substr(0, question);
  if (question != std::string::npos) call.query = request.target.substr(question + 1);
  call.body = request.body;
  auto parts = split(call.path);
  const std::size_t prefix = !parts.empty() && parts[0] == "apis" ? 3 : 2;
  parts.erase(parts.begin(), parts.begin() + static_cast<std::ptrdiff_t>(std::min(prefix, parts.size())));
  if (parts.size() > 2 && parts[0] == "namespaces") {
    call.ns = parts[1];
    parts.erase(parts.begin(), parts.begin() + 2);
  }
  if (!parts.empty()) call.resource = parts[0];
  if (parts.size() > 1) call.name = parts[1];
  if (parts.size() > 2) call.subresource = parts[2];
  if (request.method == "GET") {
    const bool watch = request.has_param("watch");
    call.verb = watch ? "watch" : call.name.empty() && !call.resource.empty() ? "list" : "get";
  } else if (request.method == "PATCH") {
    call.verb = request.get_header_value("Content-Type").find("apply-patch") != std::string::npos ? "apply" : "patch";
  } else {
    call.verb = request.method == "POST" ? "create" : request.method == "PUT" ? "update" : "delete";
  }
  return call;
}

std::string status_object(int code, const std::string& reason) {
  return nlohmann::json{{"apiVersion", "v1"},  {"kind", "Status"},
                        {"status", "Failure"}, {"message", "the test says " + reason},
                        {"reason", reason},    {"code", code}}
      .dump();
}

std::optional<Reply> begin_watch(Upstream& upstream, std::unique_ptr<httplib::SSLClient> client,
                                 const std::string& target, const httplib::Headers& headers) {
  upstream.client = std::move(client);
  upstream.thread = std::thread([&upstream, target, headers] {
    upstream.client->Get(
        target, headers,
        [&](const httplib::Response& got) {
          const std::lock_guard lock(upstream.mutex);
          upstream.status = got.status;
          upstream.changed.notify_all();
          return true;
        },
        [&](const char* data, std::size_t size) {
          const std::lock_guard lock(upstream.mutex);
          upstream.chunks.emplace_back(data, size);
          upstream.changed.notify_all();
          return !upstream.cancelled;
        });
    const std::lock_guard lock(upstream.mutex);
    upstream.ended = true;
    upstream.changed.notify_all();
  });
  std::unique_lock lock(upstream.mutex);
  upstream.changed.wait(lock, [&] { return upstream.status != 0 || upstream.ended; });
  if (upstream.status == 200) return {};
  upstream.changed.wait(lock, [&] { return upstream.ended; });
  Reply reply{upstream.status == 0 ? 502 : upstream.status, "application/json", "", ""};
  for (const auto& chunk : upstream.chunks) reply.body += chunk;
  return reply;
}

}  // namespace datasync::test
