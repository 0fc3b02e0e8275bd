#include "tests/support/certificates.hpp"

#include <chrono>
#include <ctime>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::hours;

/// A time as `openssl ca` reads it, YYYYMMDDHHMMSSZ.
std::string time_from_now(hours later) {
  const auto time = std::chrono::system_clock::to_time_t(std::chrono::system_clock::now() + later);
  return fmt::format("{:%Y%m%d%H%M%S}Z", fmt::gmtime(time));
}

std::pair<hours, hours> from_and_until(Validity validity) {
  switch (validity) {
    case Validity::Expired:
      return {hours(-48), hours(-1)};
    case Validity::NotYet:
      return {hours(24), hours(240)};
    case Validity::Valid:
      break;
  }
  return {hours(-1), hours(720)};
}

std::vector<std::string> new_key(const std::string& key) {
  return {"openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key};
}

}  // namespace

CertificateAuthority::CertificateAuthority(const std::filesystem::path& folder, const std::string& common_name)
    : folder_(folder) {
  std::filesystem::create_directories(folder_);
  auto make = new_key(file("ca.key"));
  for (const auto& word : {std::string("-x509"), std::string("-out"), file("ca.crt"), std::string("-days"),
                           std::string("30"), std::string("-subj"), "/CN=" + common_name}) {
    make.push_back(word);
  }
  run(make);
  // `openssl x509 -req` knows -days alone; only `openssl ca` sets both ends, and it wants a configuration and an index.
  write_file(folder_ / "index", "");
  write_file(
      folder_ / "ca.conf",
      fmt::format(
          "[ca]\ndefault_ca = it\n[it]\ndatabase = {0}/index\nnew_certs_dir = {0}\ncertificate = "
          "{0}/ca.crt\nprivate_key = {0}/ca.key\ndefault_md = sha256\nunique_subject = no\nrand_serial = yes\npolicy = "
          "any\n[any]\norganizationName = optional\ncommonName = supplied\n",
          folder_.string()));
}

Certificate CertificateAuthority::issue(const std::string& name, const std::vector<std::string>& alternative_names,
                                        const IssueOptions& options) const {
  auto request = new_key(file(name + ".key"));
  for (const auto& word : {std::string("-out"), file(name + ".csr"), std::string("-subj"),
                           options.subject.empty() ? "/CN=" + name : options.subject}) {
    request.push_back(word);
  }
  run(request);
  write_file(folder_ / (name + ".ext"),
             fmt::format("extendedKeyUsage=serverAuth,clientAuth\n{}{}\n",
                         alternative_names.empty() ? "" : "subjectAltName=", fmt::join(alternative_names, ",")));
  const auto [from, until] = from_and_until(options.validity);
  run({"openssl", "ca", "-config", file("ca.conf"), "-batch", "-notext", "-preserveDN", "-startdate",
       time_from_now(from), "-enddate", time_from_now(until), "-extfile", file(name + ".ext"), "-in",
       file(name + ".csr"), "-out", file(name + ".crt")});
  return {folder_ / (name + ".crt"), folder_ / (name + ".key")};
}

}  // namespace datasync::test
