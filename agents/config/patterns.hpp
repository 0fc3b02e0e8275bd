#pragma once
// The required forms of names and addresses.

#include "agents/config/fields.hpp"

namespace datasync::config {

extern const Pattern kTableName;     ///< "shop.orders": exactly one dot, each part 1 to 64 characters
extern const Pattern kColumnName;    ///< "shop.orders.note": a table name, a dot and a column name
extern const Pattern kKeyColumn;     ///< a column of a declared key, 1 to 64 characters
extern const Pattern kTypeName;      ///< letters, digits, '-', '_', '.', at most 63, starting with a letter or digit
extern const Pattern kDnsLabel;      ///< RFC 1123 label: lower case letters, digits and '-', at most 63
extern const Pattern kDnsName;       ///< RFC 1123 subdomain, at most 253
extern const Pattern kHost;          ///< a host name or an IPv4 or IPv6 address
extern const Pattern kTopic;         ///< a Kafka topic name, short enough to append ".state" (249 in all)
extern const Pattern kBootstrap;     ///< "host:port,host:port"
extern const Pattern kSecretKey;     ///< a key of a Kubernetes secret
extern const Pattern kDatabase;      ///< a database name of 1 to 64 characters without '.', '/' or '\'
extern const Pattern kStreamOffset;  ///< "0:123"
extern const Pattern kCopyTables;    ///< "shop.orders,shop.items#token", see orders.hpp
extern const Pattern kGtidList;      ///< "0-1-7,0-1-9"

}  // namespace datasync::config
