#include "cli/cluster/cluster.hpp"

#include <ctime>
#include <ostream>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "agents/base/backoff.hpp"
#include "cli/cluster/report.hpp"
#include "cli/cluster/tar.hpp"
#include "cli/local/folder.hpp"
#include "cli/terminal/text.hpp"
#include "operator/api/resource.hpp"
#include "operator/api/to_yaml.hpp"

namespace datasync::cli {
namespace {

using Json = nlohmann::json;

constexpr base::Millis kWatchEvery{2'000};

std::string utc(base::WallTime now, const char* format) {
  return fmt::format(fmt::runtime(format), fmt::gmtime(std::chrono::system_clock::to_time_t(now)));
}

std::string_view hint(const kube::ApiError& e) {
  if (e.is(kube::Code::Transport) || e.is(kube::Code::Timeout)) return " (does the API server run? see --kubeconfig)";
  return {};
}

int failed(const kube::ApiError& e, std::ostream& err) {
  err << e.message << hint(e) << '\n';
  return 1;
}

// Returns the client that will overwrite spec.paused because it applies the field: by server-side apply, or by
// client-side apply, which keeps a copy of the object in an annotation.
std::string other_owner_of_paused(const Json& object) {
  const Json::json_pointer field("/fieldsV1/f:spec/f:paused");
  const auto fields = object.value("/metadata/managedFields"_json_pointer, Json::array());
  for (const auto& f : fields) {
    if (f.value("operation", "") == "Apply" && f.contains(field)) return f.value("manager", "");
  }
  const auto annotations = object.value("/metadata/annotations"_json_pointer, Json::object());
  const auto copy = annotations.value("kubectl.kubernetes.io/last-applied-configuration", "");
  return copy.find("\"paused\"") == copy.npos ? "" : "the client that applied it";
}

std::string rendered(const StatusInput& input, const StatusOptions& o, base::WallTime now) {
  if (o.output == "json") return status_document(input).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
  if (o.output == "yaml") return api::to_yaml(status_document(input));
  return status_text(input, now, o.color);
}

}  // namespace

kube::ApiResult<std::vector<Json>> pods_of(kube::Api& api, const kube::ObjectKey& key) {
  auto list = api.list(kube::kPods, {key.ns, std::string(kNameLabelIs) + key.name, {}});
  if (!list) return tl::make_unexpected(list.error());
  return std::move(list->items);
}

kube::ApiResult<std::vector<Json>> events_of(kube::Api& api, const kube::ObjectKey& key,
                                             const std::vector<Json>& pods) {
  std::vector<Json> out;
  std::vector<std::pair<std::string, std::string>> about{{"DataSync", key.name}};
  for (const auto& p : pods) about.emplace_back("Pod", p.value("/metadata/name"_json_pointer, std::string()));
  for (const auto& [kind, name] : about) {
    auto list = api.list(kube::kEvents, {key.ns, {}, fmt::format("regarding.kind={},regarding.name={}", kind, name)});
    if (!list) return tl::make_unexpected(list.error());
    out.insert(out.end(), list->items.begin(), list->items.end());
  }
  return out;
}

kube::ApiResult<StatusInput> gather(kube::Api& api, const kube::ObjectKey& key) {
  auto resource = api.get(kube::kDataSyncs, key);
  if (!resource) return tl::make_unexpected(resource.error());
  StatusInput out;
  out.resource = std::move(*resource);
  out.pods = pods_of(api, key).value_or(std::vector<Json>{});
  out.events = events_of(api, key, out.pods).value_or(std::vector<Json>{});
  return out;
}

int status(kube::Api& api, const kube::ObjectKey& key, const StatusOptions& options, std::ostream& out,
           std::ostream& err, std::stop_token stop) {
  while (true) {
    const auto input = gather(api, key);
    if (!input && !options.watch) return failed(input.error(), err);
    if (options.watch && options.color) out << "\x1b[H\x1b[2J";
    if (input) {
      out << rendered(*input, options, base::wall_now());
    } else {
      out << input.error().message << '\n';
    }
    if (!options.watch || !base::sleep_for(stop, kWatchEvery)) return 0;
    if (options.output == "yaml") out << "---\n";
    if (options.output.empty() && !options.color) out << '\n';
    out.flush();
    if (!out) return 0;
  }
}

int pause(kube::Api& api, const kube::ObjectKey& key, bool paused, std::ostream& out, std::ostream& err) {
  const auto before = api.get(kube::kDataSyncs, key);
  if (!before) return failed(before.error(), err);
  const auto done = api.merge_patch(kube::kDataSyncs, key, {{"spec", {{"paused", paused}}}});
  if (!done) return failed(done.error(), err);
  out << fmt::format("{} {}\n", key.text(), paused ? "is paused" : "is resumed");
  const auto owner = other_owner_of_paused(*before);
  if (!owner.empty()) out << fmt::format("note: {} also applies spec.paused and may revert it\n", owner);
  return 0;
}

int restart(kube::Api& api, const kube::ObjectKey& key, base::WallTime now, std::ostream& out, std::ostream& err) {
  const Json patch{{"metadata", {{"annotations", {{api::kRestart, utc(now, "{:%Y-%m-%dT%H:%M:%SZ}")}}}}}};
  const auto done = api.merge_patch(kube::kDataSyncs, key, patch);
  if (!done) return failed(done.error(), err);
  out << fmt::format("{} restarts its agents\n", key.text());
  return 0;
}

int report(kube::Api& api, const kube::ObjectKey& key, const std::filesystem::path& file, base::WallTime now,
           const std::function<std::string(const kube::ObjectKey& pod)>& log_of, std::ostream& out, std::ostream& err) {
  auto files = report_files(api, key);
  for (const auto& p : pods_of(api, key).value_or(std::vector<Json>{})) {
    const auto pod = p.value("/metadata/name"_json_pointer, std::string());
    if (!pod.empty()) files[cut(pod, 70) + ".log"] = log_of({key.ns, pod});
  }
  const auto stem = fmt::format("datasync-{}-{}", key.name, utc(now, "{:%Y%m%d-%H%M%S}"));
  const auto target = file.empty() ? std::filesystem::path(stem + ".tar") : file;
  std::map<std::string, std::string> in_folder;
  for (auto& [name, text] : files) in_folder[fmt::format("datasync-report/{}", name)] = std::move(text);
  const auto written = write_private(target, tar(in_folder, now));
  if (!written) {
    err << written.error().what << '\n';
    return 1;
  }
  out << fmt::format("{}: {} files; check it for confidential data before you share it\n", target.string(),
                     in_folder.size());
  return files.contains("resource.yaml") ? 0 : 1;
}

std::vector<std::string> names(kube::Api& api, const std::string& ns) {
  std::vector<std::string> out;
  const auto list = api.list(kube::kDataSyncs, {ns, {}, {}});
  if (!list) return out;
  for (const auto& r : list->items) out.push_back(r.value("/metadata/name"_json_pointer, std::string()));
  return out;
}

}  // namespace datasync::cli
