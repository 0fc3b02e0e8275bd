#include "agents/config/patterns.hpp"

#include <algorithm>
#include <charconv>

#include "agents/config/orders.hpp"

namespace datasync::config {
namespace {

constexpr std::size_t kMaxIdentifier = 64;
constexpr std::size_t kMaxCopyTables = 65536, kMaxGtidList = 4096;

bool digit(char c) {
  return c >= '0' && c <= '9';
}
bool lower(char c) {
  return c >= 'a' && c <= 'z';
}
bool alnum(char c) {
  return digit(c) || lower(c) || (c >= 'A' && c <= 'Z');
}

// Counts the characters of UTF-8 text, as the servers do.
std::size_t characters(std::string_view s) {
  return static_cast<std::size_t>(std::ranges::count_if(s, [](char c) { return (c & 0xC0) != 0x80; }));
}

bool identifier(std::string_view s) {
  return !s.empty() && characters(s) <= kMaxIdentifier && s.find('\0') == s.npos && s.find('\n') == s.npos;
}

bool table_name(std::string_view s) {
  const auto dot = s.find('.');
  return dot != s.npos && identifier(s.substr(0, dot)) && identifier(s.substr(dot + 1)) &&
         s.find('.', dot + 1) == s.npos;
}

bool column_name(std::string_view s) {
  const auto first = s.find('.');
  if (first == s.npos) return false;
  const auto second = s.find('.', first + 1);
  return second != s.npos && table_name(s.substr(0, second)) && identifier(s.substr(second + 1));
}

bool made_of(std::string_view s, std::string_view extra, std::size_t most) {
  return !s.empty() && s.size() <= most &&
         std::ranges::all_of(s, [extra](char c) { return alnum(c) || extra.find(c) != extra.npos; });
}

bool type_name(std::string_view s) {
  return made_of(s, "-_.", 63) && alnum(s.front());
}

bool dns_label(std::string_view s) {
  const auto inner = [](char c) { return lower(c) || digit(c) || c == '-'; };
  return !s.empty() && s.size() <= 63 && std::ranges::all_of(s, inner) && s.front() != '-' && s.back() != '-';
}

bool dns_name(std::string_view s) {
  if (s.size() > 253) return false;
  while (true) {
    const auto dot = s.find('.');
    if (!dns_label(s.substr(0, dot))) return false;
    if (dot == s.npos) return true;
    s.remove_prefix(dot + 1);
  }
}

bool host(std::string_view s) {
  return made_of(s, "-_.:%", 253) && s.front() != '-' && s.front() != '.';
}

bool topic(std::string_view s) {
  constexpr std::size_t kMost = 249 - std::string_view(".state").size();
  return made_of(s, "-_.", kMost) && s != "." && s != "..";
}

bool port(std::string_view s) {
  if (s.starts_with('0')) return false;
  unsigned value = 0;
  const auto [end, error] = std::from_chars(s.data(), s.data() + s.size(), value);
  return error == std::errc() && end == s.data() + s.size() && s.size() <= 5 && value >= 1 && value <= 65535;
}

constexpr std::size_t kMaxBootstrap = 2048;

bool bootstrap(std::string_view s) {
  if (s.size() > kMaxBootstrap) return false;
  while (true) {
    const auto comma = s.find(',');
    const auto one = s.substr(0, comma);
    const auto colon = one.rfind(':');
    if (colon == one.npos || !port(one.substr(colon + 1))) return false;
    auto name = one.substr(0, colon);
    if (name.size() > 2 && name.front() == '[' && name.back() == ']') name = name.substr(1, name.size() - 2);
    if (!host(name)) return false;
    if (comma == s.npos) return true;
    s.remove_prefix(comma + 1);
  }
}

bool secret_key(std::string_view s) {
  return made_of(s, "-_.", 253) && s != "." && s != "..";
}

bool database(std::string_view s) {
  return identifier(s) && s.find_first_of("./\\") == s.npos;
}

bool key_column(std::string_view s) {
  return identifier(s);
}

bool stream_offset(std::string_view s) {
  const auto colon = s.find(':');
  const auto digits = [](std::string_view n, std::size_t most) {
    return !n.empty() && n.size() <= most && std::ranges::all_of(n, digit);
  };
  return colon != s.npos && digits(s.substr(0, colon), 4) && digits(s.substr(colon + 1), 18);
}

bool copy_tables(std::string_view s) {
  if (s.size() > kMaxCopyTables || s.find('\n') != s.npos) return false;
  const auto tables = copy_order(s).tables;
  return !tables.empty() && std::ranges::all_of(tables, [](const std::string& table) { return table_name(table); });
}

bool gtid(std::string_view s) {
  const auto first = s.find('-');
  const auto second = first == s.npos ? s.npos : s.find('-', first + 1);
  if (second == s.npos) return false;
  const auto number = [](std::string_view n, std::size_t most) {
    return !n.empty() && n.size() <= most && std::ranges::all_of(n, digit);
  };
  return number(s.substr(0, first), 10) && number(s.substr(first + 1, second - first - 1), 10) &&
         number(s.substr(second + 1), 20);
}

bool gtid_list(std::string_view s) {
  return !s.empty() && s.size() <= kMaxGtidList && std::ranges::all_of(names_by_comma(s), gtid);
}

}  // namespace

#define DS_PORT "([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
#define DS_BROKER R"((\[[A-Za-z0-9_:%][A-Za-z0-9_.:%-]*\]|[A-Za-z0-9_:%][A-Za-z0-9_.:%-]*):)" DS_PORT

const Pattern kTableName{R"(^[^.\n]{1,64}\.[^.\n]{1,64}$)", "DATABASE.TABLE", table_name, 129};
const Pattern kColumnName{R"(^[^.\n]{1,64}\.[^.\n]{1,64}\.[^\n]{1,64}$)", "DATABASE.TABLE.COLUMN", column_name, 194};
const Pattern kKeyColumn{R"(^[^\n]{1,64}$)", "a column name", key_column, 64};
const Pattern kTypeName{R"(^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$)",
                        "a name of letters, digits, '-', '_' and '.', at most 63", type_name, 63};
const Pattern kDnsLabel{R"(^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$)",
                        "a DNS label (lower case letters, digits and '-', at most 63)", dns_label, 63};
const Pattern kDnsName{R"(^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$)",
                       "a DNS name (lower case letters, digits, '-' and '.')", dns_name, 253};
const Pattern kHost{R"(^[A-Za-z0-9_:%][A-Za-z0-9_.:%-]{0,252}$)", "a host name or address", host, 253};
const Pattern kTopic{R"(^(\.{0,2}[A-Za-z0-9_-]|\.{3})[A-Za-z0-9._-]*$)",
                     "a topic name (letters, digits, '-', '_' and '.', at most 243)", topic, 243};
const Pattern kBootstrap{"^" DS_BROKER "(," DS_BROKER ")*$", "HOST:PORT[,HOST:PORT...]", bootstrap, kMaxBootstrap};
const Pattern kSecretKey{R"(^(\.{0,2}[A-Za-z0-9_-]|\.{3})[A-Za-z0-9._-]*$)",
                         "a key of a secret (letters, digits, '-', '_' and '.')", secret_key, 253};
const Pattern kDatabase{R"(^[^./\\\n]{1,64}$)", "a database name", database, 64};
const Pattern kStreamOffset{R"(^[0-9]{1,4}:[0-9]{1,18}$)", "PARTITION:OFFSET", stream_offset, 23};
const Pattern kCopyTables{R"(^[^.\n]{1,64}\.[^\n]+$)", "DATABASE.TABLE[,DATABASE.TABLE...][#TOKEN]", copy_tables,
                          kMaxCopyTables};
const Pattern kGtidList{R"(^[0-9]{1,10}-[0-9]{1,10}-[0-9]{1,20}(,[0-9]{1,10}-[0-9]{1,10}-[0-9]{1,20})*$)",
                        "DOMAIN-SERVER-SEQUENCE[,...]", gtid_list, kMaxGtidList};

}  // namespace datasync::config
