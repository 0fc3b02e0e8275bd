#pragma once
// The certificates of a connection to an API server, put into OpenSSL's context.

#include <stdexcept>

#include <openssl/ssl.h>

#include "agents/base/secret.hpp"

namespace datasync::kube {

/// Thrown inside the library's connection set-up; it reaches the caller of the request as it is.
struct TlsSetup : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Trusts only these authorities (PEM), not the system's that the library put in before. Throws TlsSetup.
void trust(SSL_CTX* context, const base::Secret& pem);

/// The client's certificate with its chain, and its key, both in PEM. Throws TlsSetup.
void identify(SSL_CTX* context, const base::Secret& certificate, const base::Secret& key);

}  // namespace datasync::kube
