#include "agents/base/certificate.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <utility>

namespace datasync::base {
namespace {

using Fault = CertificateFault;

struct Words {
  std::string_view part;  ///< in lower case
  Fault fault;
};

// The first entry that matches decides. The server's alerts mention the same faults but concern our certificate, so
// they come first; specific texts come before general ones.
constexpr std::array<Words, 30> kWords{{
    {"alert bad certificate", Fault::OursRefused},
    {"alert certificate", Fault::OursRefused},  // required, expired, unknown, revoked
    {"alert unknown ca", Fault::OursRefused},
    {"alert unsupported certificate", Fault::OursRefused},
    {"alert no certificate", Fault::OursRefused},
    {"has expired", Fault::Expired},
    {"certificate expired", Fault::Expired},
    {"not yet valid", Fault::NotYetValid},
    {"hostname mismatch", Fault::OtherName},
    {"ip address mismatch", Fault::OtherName},
    {"hostname verification failed", Fault::OtherName},
    {"validation of ssl server certificate failed", Fault::OtherName},  // Connector/C 3.3, only for the name
    {"certificate revoked", Fault::Revoked},
    {"self-signed certificate", Fault::UnknownAuthority},
    {"self signed certificate", Fault::UnknownAuthority},
    {"unable to get local issuer", Fault::UnknownAuthority},
    {"unable to get issuer", Fault::UnknownAuthority},
    {"unable to verify the first certificate", Fault::UnknownAuthority},
    {"certificate signature failure", Fault::UnknownAuthority},
    {"certificate is not trusted", Fault::UnknownAuthority},
    {"no certificate or crl found", Fault::Unreadable},
    {"no start line", Fault::Unreadable},
    {"bad base64 decode", Fault::Unreadable},
    {"pem lib", Fault::Unreadable},
    {"key values mismatch", Fault::Unreadable},
    {"ssl.ca.location", Fault::Unreadable},
    {"certificate verify failed", Fault::Unnamed},
    {"certificate verification fail", Fault::Unnamed},
    {"failed to verify broker certificate", Fault::Unnamed},
    {"certificate rejected", Fault::Unnamed},
}};

constexpr std::array<std::pair<int, std::string_view>, 12> kCodes{{
    {2, "unable to get issuer certificate"},
    {7, "certificate signature failure"},
    {9, "certificate is not yet valid"},
    {10, "certificate has expired"},
    {18, "self-signed certificate"},
    {19, "self-signed certificate in certificate chain"},
    {20, "unable to get local issuer certificate"},
    {21, "unable to verify the first certificate"},
    {23, "certificate revoked"},
    {28, "certificate rejected"},
    {62, "hostname mismatch"},
    {64, "IP address mismatch"},
}};

}  // namespace

// An error text of librdkafka can include advice that names settings to check. The advice does not mean that our files
// are faulty, so it is removed.
CertificateFault certificate_fault(std::string_view words) {
  std::string lower(words);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  constexpr std::string_view kHint = "verify that ssl.ca.location is correctly configured";
  if (const auto at = lower.find(kHint); at != std::string::npos) lower.erase(at, kHint.size());
  const auto found =
      std::ranges::find_if(kWords, [&](const Words& w) { return lower.find(w.part) != std::string::npos; });
  return found == kWords.end() ? Fault::None : found->fault;
}

std::string_view advice(CertificateFault fault) noexcept {
  switch (fault) {
    case Fault::None:
      return "";
    case Fault::OursRefused:
      return "the server refuses the client certificate or requires one: fix the secret with the client certificate";
    case Fault::Expired:
      return "the server's certificate has expired: renew it at the server";
    case Fault::NotYetValid:
      return "the server's certificate is not valid yet: check both clocks, or renew it at the server";
    case Fault::OtherName:
      return "the server's certificate is for another name: connect by a name it holds, or issue it for this one";
    case Fault::Revoked:
      return "the server's certificate is revoked: renew it at the server";
    case Fault::UnknownAuthority:
      return "the server's certificate is not signed by an authority of the CA file: fix the secret with the CA";
    case Fault::Unreadable:
      return "a certificate or key of a secret cannot be read, or the two do not match: fix the secret";
    case Fault::Unnamed:
      return "the server's certificate is refused: check the CA, its dates and its names";
  }
  return "";
}

std::string_view verification_error(int code) noexcept {
  const auto* const at = std::ranges::find(kCodes, code, &std::pair<int, std::string_view>::first);
  return at == kCodes.end() ? "certificate verify failed" : at->second;
}

}  // namespace datasync::base
