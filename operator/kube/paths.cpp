#include "operator/kube/paths.hpp"

namespace datasync::kube {
namespace {

std::string encoded(std::string_view text) {
  static constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kHex[byte >> 4U];
      out += kHex[byte & 15U];
    }
  }
  return out;
}

}  // namespace

std::string collection_path(const Resource& kind, const std::string& ns) {
  std::string path = kind.group.empty() ? "/api/" : "/apis/" + encoded(kind.group) + "/";
  path += encoded(kind.version);
  if (!ns.empty()) path += "/namespaces/" + encoded(ns);
  return path + "/" + encoded(kind.plural);
}

std::string object_path(const Resource& kind, const ObjectKey& key, std::string_view subresource) {
  auto path = collection_path(kind, key.ns) + "/" + encoded(key.name);
  if (!subresource.empty()) path += "/" + encoded(subresource);
  return path;
}

Query& Query::add(std::string_view name, std::string_view value) {
  if (value.empty()) return *this;
  text_ += text_.empty() ? '?' : '&';
  text_ += name;
  text_ += '=';
  text_ += encoded(value);
  return *this;
}

}  // namespace datasync::kube
