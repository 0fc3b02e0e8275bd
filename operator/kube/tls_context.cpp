#include "operator/kube/tls_context.hpp"

#include <memory>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

namespace datasync::kube {
namespace {

struct BioFree {
  void operator()(BIO* bio) const noexcept { BIO_free(bio); }
};
struct X509Free {
  void operator()(X509* cert) const noexcept { X509_free(cert); }
};
struct KeyFree {
  void operator()(EVP_PKEY* key) const noexcept { EVP_PKEY_free(key); }
};
using BioPtr = std::unique_ptr<BIO, BioFree>;
using X509Ptr = std::unique_ptr<X509, X509Free>;
using KeyPtr = std::unique_ptr<EVP_PKEY, KeyFree>;

BioPtr bio_of(const base::Secret& pem) {
  return BioPtr(BIO_new_mem_buf(pem.reveal().data(), static_cast<int>(pem.reveal().size())));
}

void require(bool ok, const char* what) {
  if (ok) return;
  ERR_clear_error();
  throw TlsSetup(what);
}

}  // namespace

void trust(SSL_CTX* context, const base::Secret& pem) {
  X509_STORE* store = X509_STORE_new();
  SSL_CTX_set_cert_store(context, store);  // owns it now
  const auto bio = bio_of(pem);
  int count = 0;
  while (const X509Ptr cert{PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr)}) {
    X509_STORE_add_cert(store, cert.get());
    ++count;
  }
  ERR_clear_error();
  require(count > 0, "the certificate authority contains no PEM certificate");
}

void identify(SSL_CTX* context, const base::Secret& certificate, const base::Secret& key) {
  const auto bio = bio_of(certificate);
  const X509Ptr leaf(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
  require(leaf && SSL_CTX_use_certificate(context, leaf.get()) == 1, "the client certificate is not a PEM certificate");
  for (;;) {
    X509Ptr link(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (!link) break;
    require(SSL_CTX_add0_chain_cert(context, link.get()) == 1, "the client certificate's chain cannot be used");
    (void)link.release();  // the context owns it now
  }
  ERR_clear_error();
  const auto key_bio = bio_of(key);
  const KeyPtr private_key(PEM_read_bio_PrivateKey(key_bio.get(), nullptr, nullptr, nullptr));
  require(private_key && SSL_CTX_use_PrivateKey(context, private_key.get()) == 1,
          "the client key is not a PEM key, or does not belong to the certificate");
}

}  // namespace datasync::kube
