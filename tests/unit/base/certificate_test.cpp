#include "agents/base/certificate.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace datasync::base {
namespace {

using Fault = CertificateFault;

struct Case {
  const char* words;
  Fault fault;
};

/// As the libraries write them; the server's name and the time are shortened.
const std::vector<Case>& cases() {
  static const std::vector<Case> all{
      // librdkafka 2.0 and 2.8 with OpenSSL 3, our finding behind its words
      {"ssl://k:9092/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker "
       "certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA certificates "
       "are installed (install ca-certificates package) (after 5ms in state SSL_HANDSHAKE)",
       Fault::Unnamed},
      {"ssl://k:9092/bootstrap: SSL handshake failed: error:0A000086:SSL routines::certificate verify failed: broker "
       "certificate could not be verified, verify that ssl.ca.location is correctly configured or root CA certificates "
       "are installed (install ca-certificates package): certificate has expired",
       Fault::Expired},
      {"ssl://k:9092/1: Failed to verify broker certificate: self-signed certificate", Fault::UnknownAuthority},
      {"ssl://k:9092/1: Receive failed: SSL error: error:0A00045C:SSL routines::tlsv13 alert certificate required",
       Fault::OursRefused},
      {"error:0A000412:SSL routines::sslv3 alert bad certificate", Fault::OursRefused},
      {"error:0A000412:SSL routines::ssl/tls alert bad certificate: SSL alert number 42", Fault::OursRefused},
      {"error:0A000418:SSL routines::tlsv1 alert unknown ca", Fault::OursRefused},
      {"error:0A000416:SSL routines::sslv3 alert certificate unknown", Fault::OursRefused},
      {"error:0A000415:SSL routines::sslv3 alert certificate expired", Fault::OursRefused},
      {"ssl.ca.location failed: error:05880020:x509 certificate routines::BIO lib", Fault::Unreadable},
      {"ssl.key.location failed: error:0480006C:PEM routines::no start line", Fault::Unreadable},
      {"Private key check failed: error:05800074:x509 certificate routines::key values mismatch", Fault::Unreadable},
      // Connector/C 3.3 and 3.4
      {"TLS/SSL error: certificate has expired", Fault::Expired},
      {"TLS/SSL error: certificate is not yet valid", Fault::NotYetValid},
      {"TLS/SSL error: self-signed certificate in certificate chain", Fault::UnknownAuthority},
      {"TLS/SSL error: self signed certificate in certificate chain", Fault::UnknownAuthority},
      {"TLS/SSL error: unable to get local issuer certificate", Fault::UnknownAuthority},
      {"TLS/SSL error: unable to verify the first certificate", Fault::UnknownAuthority},
      {"TLS/SSL error: Validation of SSL server certificate failed", Fault::OtherName},
      {"TLS/SSL error: Hostname verification failed", Fault::OtherName},
      {"TLS/SSL error: Certificate revoked", Fault::Revoked},
      {"TLS/SSL error: Peer certificate is not trusted", Fault::UnknownAuthority},
      {"TLS/SSL error: Peer certificate verification failed", Fault::Unnamed},
      {"TLS/SSL error: no certificate or crl found", Fault::Unreadable},
      // About something else
      {"TLS/SSL error: SSL is required, but the server does not support it", Fault::None},
      {"SSL handshake failed: error:0A00010B:SSL routines::wrong version number: client SSL authentication might be "
       "required (see ssl.key.location and ssl.certificate.location and consult the broker logs for more information)",
       Fault::None},
      {"SSL handshake failed: Disconnected: connecting to a PLAINTEXT broker listener?", Fault::None},
      {"Disconnected while requesting ApiVersion: might be caused by incorrect security.protocol configuration "
       "(connecting to a SSL listener?) or broker version is < 0.10 (see api.version.request)",
       Fault::None},
      {"Connect to ipv4#127.0.0.1:9092 failed: Connection refused", Fault::None},
      {"", Fault::None},
  };
  return all;
}

TEST(CertificateFault, is_recognized_in_the_message_of_every_library) {
  for (const auto& c : cases()) EXPECT_EQ(certificate_fault(c.words), c.fault) << c.words;
}

TEST(CertificateFault, is_recognized_in_the_message_of_every_code) {
  for (const int code : {2, 7, 9, 10, 18, 19, 20, 21, 23, 28, 62, 64, 9999}) {
    EXPECT_NE(certificate_fault(verification_error(code)), Fault::None) << code;
  }
  EXPECT_EQ(certificate_fault(verification_error(9)), Fault::NotYetValid);
  EXPECT_EQ(certificate_fault(verification_error(10)), Fault::Expired);
  EXPECT_EQ(certificate_fault(verification_error(19)), Fault::UnknownAuthority);
  EXPECT_EQ(certificate_fault(verification_error(62)), Fault::OtherName);
  EXPECT_EQ(certificate_fault(verification_error(64)), Fault::OtherName);
}

TEST(CertificateFault, has_a_recommendation_of_its_own) {
  EXPECT_EQ(advice(Fault::None), "");
  for (int i = 1; i <= static_cast<int>(Fault::Unnamed); ++i) {
    for (int j = 0; j < i; ++j) EXPECT_NE(advice(static_cast<Fault>(i)), advice(static_cast<Fault>(j)));
  }
}

}  // namespace
}  // namespace datasync::base
