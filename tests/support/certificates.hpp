#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

namespace datasync::test {

/// PEM files: a certificate and its key (PKCS#8, not encrypted; P-256).
struct Certificate {
  std::filesystem::path certificate, key;
};

enum class Validity : std::uint8_t { Valid, Expired, NotYet };

struct IssueOptions {
  Validity validity = Validity::Valid;
  std::string subject;  ///< "/O=x/CN=y"; empty: /CN=name
};

/// An authority of its own with files in `folder`, made by the program openssl. About 50 ms for each certificate.
/// Throws with openssl's words. One thread at a time.
class CertificateAuthority {
 public:
  /// Makes the folder, a key and a certificate valid for 30 days.
  CertificateAuthority(const std::filesystem::path& folder, const std::string& common_name);

  /// The authority's own certificate: what clients and servers trust.
  [[nodiscard]] std::filesystem::path certificate() const { return folder_ / "ca.crt"; }
  /// Makes folder/NAME.crt and folder/NAME.key, good for servers and clients; the same name again replaces the files.
  /// Alternative names as openssl writes them: "DNS:kafka.example", "IP:127.0.0.1".
  Certificate issue(const std::string& name, const std::vector<std::string>& alternative_names = {},
                    const IssueOptions& options = {}) const;

 private:
  [[nodiscard]] std::string file(const std::string& name) const { return (folder_ / name).string(); }

  std::filesystem::path folder_;
};

}  // namespace datasync::test
