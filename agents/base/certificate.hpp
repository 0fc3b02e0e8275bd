#pragma once
// What the words of a TLS library say about a certificate. OpenSSL, librdkafka and Connector/C give words, not numbers,
// and the words differ from version to version.

#include <cstdint>
#include <string_view>

namespace datasync::base {

enum class CertificateFault : std::uint8_t {
  None,         ///< the words are about something else
  OursRefused,  ///< the server refuses our certificate, or misses one
  Expired,
  NotYetValid,
  OtherName,  ///< it was issued for another host
  Revoked,
  UnknownAuthority,  ///< no authority that we trust has signed it
  Unreadable,        ///< a file of ours holds no certificate or key, or the two do not fit
  Unnamed,           ///< it was refused, and the library does not say why
};

/// Case does not matter. Words known: OpenSSL 1.1 to 3.5, librdkafka 2.0 to 2.8, Connector/C 3.3 and 3.4.
CertificateFault certificate_fault(std::string_view words);

/// What to do about it, for the end of a message; "" for None.
std::string_view advice(CertificateFault fault) noexcept;

/// The words of an OpenSSL verification error (X509_V_ERR_*, x509_vfy.h), as certificate_fault knows them.
std::string_view verification_error(int code) noexcept;

}  // namespace datasync::base
