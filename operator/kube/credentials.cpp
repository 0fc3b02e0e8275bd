#include "operator/kube/credentials.hpp"

#include <charconv>
#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace datasync::kube {
namespace {

using base::Error;
using base::Reason;
using base::Result;
using Json = nlohmann::json;

/// A credential is renewed this long before it expires, so that none expires on its way.
constexpr std::chrono::seconds kEarly{20};
constexpr base::Millis kPluginLimit{120'000};

std::string text_of(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

std::optional<int> digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  if (at + count > text.size()) return {};
  const auto* begin = text.data() + at;
  const auto [end, bad] = std::from_chars(begin, begin + count, value);
  if (bad != std::errc{} || end != begin + count) return {};
  return value;
}

}  // namespace

std::optional<std::chrono::sys_seconds> parse_time(std::string_view text) {
  using namespace std::chrono;
  const auto year = digits(text, 0, 4);
  const auto month = digits(text, 5, 2);
  const auto day = digits(text, 8, 2);
  const auto hour = digits(text, 11, 2);
  const auto minute = digits(text, 14, 2);
  const auto second = digits(text, 17, 2);
  if (!year || !month || !day || !hour || !minute || !second) return {};
  const auto date = year_month_day(std::chrono::year(*year) / *month / *day);
  if (!date.ok()) return {};
  sys_seconds time = sys_days(date) + hours(*hour) + minutes(*minute) + seconds(*second);
  auto zone = text.find_first_of("Zz+-", 19);
  if (zone == std::string_view::npos) return {};
  if (text[zone] == '+' || text[zone] == '-') {
    const auto h = digits(text, zone + 1, 2);
    const auto m = digits(text, zone + 4, 2);
    if (!h || !m) return {};
    const auto offset = hours(*h) + minutes(*m);
    time += text[zone] == '+' ? -offset : offset;
  }
  return time;
}

Result<ExecCredential> parse_exec_credential(std::string_view text) {
  const auto answer = Json::parse(text, nullptr, false);
  if (!answer.is_object() || text_of(answer, "kind") != "ExecCredential" || !answer.contains("status") ||
      !answer["status"].is_object()) {
    return Error(Reason::ConfigInvalid, "the plugin printed no ExecCredential with a status");
  }
  const auto& status = answer["status"];
  ExecCredential credential;
  credential.token = base::Secret(text_of(status, "token"));
  credential.certificate = base::Secret(text_of(status, "clientCertificateData"));
  credential.key = base::Secret(text_of(status, "clientKeyData"));
  if (credential.certificate.empty() != credential.key.empty()) {
    return Error(Reason::ConfigInvalid,
                 "the plugin returned a certificate without its key, or a key without certificate");
  }
  if (credential.token.empty() && credential.certificate.empty()) {
    return Error(Reason::ConfigInvalid, "the plugin returned neither a token nor a certificate");
  }
  if (const auto expires = text_of(status, "expirationTimestamp"); !expires.empty()) {
    credential.expires = parse_time(expires);
    if (!credential.expires) {
      return Error(Reason::ConfigInvalid,
                   fmt::format("the plugin's expirationTimestamp \"{}\" is not a time", expires));
    }
  }
  return credential;
}

std::string exec_info(const ExecPlugin& plugin, const Access& access) {
  Json spec{{"interactive", plugin.interactive}};
  if (plugin.provide_cluster_info) {
    spec["cluster"] = {{"server", access.server}, {"insecure-skip-tls-verify", access.skip_verify}};
  }
  return Json{{"apiVersion", plugin.api_version}, {"kind", "ExecCredential"}, {"spec", std::move(spec)}}.dump();
}

Credentials::Credentials(Access access, RunPlugin run, Wall wall)
    : access_(std::move(access)), run_(std::move(run)), wall_(std::move(wall)) {
  if (!run_) {
    run_ = [](const ExecPlugin& plugin, const std::string& info) { return run_plugin(plugin, info, kPluginLimit); };
  }
}

Result<ExecCredential> Credentials::from_plugin() {
  const std::lock_guard lock(mutex_);
  // In seconds: the year 9999, as plugins write "never", is beyond the nanoseconds of the system's clock.
  const auto now = std::chrono::floor<std::chrono::seconds>(wall_());
  const bool fresh = cached_ && (!cached_->expires || now + kEarly < *cached_->expires);
  if (!fresh) {
    DS_ASSIGN(cached_, run_(*access_.exec, exec_info(*access_.exec, access_)));
  }
  return *cached_;
}

Result<base::Secret> Credentials::token() {
  if (!access_.token_file.empty()) return base::read_secret(access_.token_file);
  if (!access_.exec) return access_.token;
  DS_ASSIGN(const auto credential, from_plugin());
  return credential.token;
}

Result<TlsMaterial> Credentials::tls() {
  TlsMaterial material;
  material.skip_verify = access_.skip_verify;
  DS_ASSIGN(material.authority, access_.authority.read());
  DS_ASSIGN(material.certificate, access_.certificate.read());
  DS_ASSIGN(material.key, access_.key.read());
  if (access_.exec) {
    DS_ASSIGN(const auto credential, from_plugin());
    if (!credential.certificate.empty()) {
      material.certificate = credential.certificate;
      material.key = credential.key;
    }
  }
  return material;
}

bool Credentials::refused() {
  if (!access_.token_file.empty()) return true;  // it may have been replaced between reading and use
  const std::lock_guard lock(mutex_);
  if (!access_.exec || !cached_) return false;
  cached_.reset();
  return true;
}

}  // namespace datasync::kube
