#pragma once
// Classifies the error text of a TLS library about a certificate. OpenSSL, librdkafka and Connector/C report text, not
// numbers, and the text differs from version to version.

#include <cstdint>
#include <string_view>

namespace datasync::base {

/// The problem with a certificate.
enum class CertificateFault : std::uint8_t {
  None,         ///< the text is not about a certificate
  OursRefused,  ///< the server refuses our client certificate, or requires one
  Expired,
  NotYetValid,
  OtherName,  ///< it was issued for another host
  Revoked,
  UnknownAuthority,  ///< no authority that we trust has signed it
  Unreadable,        ///< one of our files holds no certificate or key, or the key does not match the certificate
  Unnamed,           ///< it was refused, and the library does not report why
};

/// Classifies an error text; case does not matter. Known texts: OpenSSL 1.1 to 3.5, librdkafka 2.0 to 2.8, Connector/C
/// 3.3 and 3.4.
CertificateFault certificate_fault(std::string_view words);

/// Returns what the user can do about it, for the end of a message; "" for None.
std::string_view advice(CertificateFault fault) noexcept;

/// Returns the text of an OpenSSL verification error (X509_V_ERR_*, x509_vfy.h), in a form that certificate_fault
/// recognizes.
std::string_view verification_error(int code) noexcept;

}  // namespace datasync::base
