#include "agents/client/mysql/errors.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include <fmt/core.h>

#include "agents/base/certificate.hpp"

namespace datasync::sql {
namespace {

using base::Reason;

/// Error numbers with the same meaning. Source and destination have different reasons for it.
struct Class {
  std::span<const unsigned> numbers;
  Reason source;
  Reason destination;
};

// Client: cannot connect, unknown host, server has gone away, connection lost, handshake, TLS, read and write errors.
// Server: too many connections, host blocked, shutting down, connection killed, network read or write failed.
constexpr std::array<unsigned, 22> kUnreachable{2002, 2003, 2004, 2005, 2006, 2012, 2013, 2026, 2055, 5013, 5014,
                                                1040, 1129, 1152, 1158, 1159, 1160, 1161, 1203, 1226, 5000, 5001};
constexpr std::array<unsigned, 8> kEnded{1053, 1077, 1079, 1317, 1927, 3169, 4052, 1080};
constexpr std::array<unsigned, 12> kCredentials{1045, 1130, 1251, 1275, 1698, 1820, 1862, 3118, 4151, 2049, 2059, 2061};
constexpr std::array<unsigned, 8> kPermission{1044, 1142, 1143, 1211, 1227, 1370, 1410, 3530};
// Deadlock, lock wait, record changed, statement time, definition changed during the transaction. A transaction too
// large for the binlog cache is included: it is retried in smaller batches. Galera and group replication roll back a
// transaction at COMMIT when another node changed the same rows (1180, 3101).
constexpr std::array<unsigned, 13> kBusy{1205, 1213, 1020, 1412, 1614, 1637, 1969, 3024, 3572, 1180, 1197, 3101, 1615};
constexpr std::array<unsigned, 2> kReadOnly{1792, 1836};
constexpr std::array<unsigned, 3> kFull{1021, 1114, 3};
// Keys, NOT NULL, foreign keys, CHECK, a row outside all partitions, an error that a trigger raised (1644).
constexpr std::array<unsigned, 19> kConstraint{1022, 1048, 1062, 1169, 1216, 1217, 1364, 1451, 1452, 1526,
                                               1586, 1591, 1644, 1748, 1761, 1762, 1834, 3819, 4025};
constexpr std::array<unsigned, 19> kValue{1118, 1153, 1162, 1264, 1265, 1292, 1301, 1366, 1367, 1406,
                                          1411, 1416, 1441, 1525, 1690, 2020, 3140, 3141, 4078};
constexpr std::array<unsigned, 3> kTableMissing{1049, 1051, 1146};
// The server has the definition, and its engine cannot open the table: its file is damaged or missing.
constexpr std::array<unsigned, 1> kNotInEngine{1932};
// Columns, views, keys and rows too long for a definition, unknown character sets and collations, system-versioned
// tables.
constexpr std::array<unsigned, 23> kSchema{1054, 1072, 1136, 1348, 1356, 1471, 1906, 3105, 1176, 1347, 1071, 1115,
                                           1170, 1253, 1267, 1273, 1503, 1709, 1845, 1846, 4119, 1060, 1091};

constexpr std::array<Class, 12> kClasses{{
    {kUnreachable, Reason::SourceUnreachable, Reason::DestinationUnreachable},
    {kEnded, Reason::SourceRestarted, Reason::DestinationUnreachable},
    {kCredentials, Reason::CredentialsRejected, Reason::CredentialsRejected},
    {kPermission, Reason::PermissionDenied, Reason::PermissionDenied},
    {kBusy, Reason::SourceRestarted, Reason::DestinationBusy},
    {kReadOnly, Reason::SourceRefused, Reason::DestinationReadOnly},
    {kFull, Reason::SourceRestarted, Reason::DestinationFull},
    {kConstraint, Reason::SourceRefused, Reason::ConstraintViolated},
    {kValue, Reason::UnsupportedValue, Reason::ValueNotStorable},
    {kTableMissing, Reason::TableDropped, Reason::DestinationTableMissing},
    {kNotInEngine, Reason::SourceRefused, Reason::DestinationTableMissing},
    {kSchema, Reason::SchemaUnknown, Reason::DestinationSchemaMismatch},
}};

/// Classes of SQLSTATE, for numbers that are in no list above, including those of servers newer than this program.
struct StateClass {
  std::string_view prefix;
  Reason source;
  Reason destination;
};
constexpr std::array<StateClass, 9> kStates{{
    {"08", Reason::SourceUnreachable, Reason::DestinationUnreachable},
    {"22", Reason::UnsupportedValue, Reason::ValueNotStorable},
    {"23", Reason::SourceRefused, Reason::ConstraintViolated},
    {"28", Reason::CredentialsRejected, Reason::CredentialsRejected},
    {"40", Reason::SourceRestarted, Reason::DestinationBusy},
    {"42S02", Reason::TableDropped, Reason::DestinationTableMissing},
    {"42S", Reason::SchemaUnknown, Reason::DestinationSchemaMismatch},
    {"45", Reason::SourceRefused, Reason::ConstraintViolated},
    {"70100", Reason::SourceRestarted, Reason::DestinationUnreachable},
}};

bool has(std::string_view text, std::string_view part) noexcept {
  return text.find(part) != std::string_view::npos;
}

constexpr unsigned kTlsError = 2026;        // CR_SSL_CONNECTION_ERROR: any TLS failure
constexpr unsigned kUnknownCommand = 1047;  // also a Galera node that is not synchronized
constexpr unsigned kSyntax = 1064;
constexpr unsigned kFirstClientError = 2000, kLastClientError = 2999;
constexpr unsigned kOptionPreventsStatement = 1290;
constexpr unsigned kErrorOnFile = 1026;
constexpr unsigned kGotErrno = 1030;
constexpr unsigned kDumpFatal = 1236;
constexpr unsigned kSlaveSameId = 4052;
constexpr unsigned kFileNotFound = 29;

/// The text is that of a trigger or a routine (SIGNAL).
constexpr unsigned kSignal = 1644;
/// The server may have truncated a text of this length or more.
constexpr std::size_t kLongText = 480;

/// The text before a quoted name. Any other quoted text is a value.
constexpr std::array<std::string_view, 12> kBeforeNames{"column ",   "Column ",     "key ",       "Field ",
                                                        "field ",    "table ",      "Table ",     "constraint ",
                                                        "function ", "Constraint ", "partition ", "trigger "};
/// The text after a quoted value, including its closing quote.
constexpr std::array<std::string_view, 4> kAfterValues{"' for key '", "' for column '", "' for column `",
                                                       "' for function "};

bool is_name(std::string_view before) {
  return std::ranges::any_of(kBeforeNames, [&](auto words) { return before.ends_with(words); });
}

/// Errors that do not concern a row: their texts quote only names.
bool has_no_values(unsigned number) {
  const auto contains = [&](const auto& numbers) { return std::ranges::find(numbers, number) != numbers.end(); };
  return contains(kUnreachable) || contains(kEnded) || contains(kCredentials) || contains(kPermission) ||
         contains(kBusy) || contains(kReadOnly) || contains(kFull) || contains(kTableMissing) ||
         contains(kNotInEngine) || contains(kSchema) || (number >= kFirstClientError && number <= kLastClientError) ||
         number == kDumpFatal || number == kSlaveSameId || number == kFileNotFound ||
         number == kOptionPreventsStatement;
}

/// A part of the text of error 1236, and its reason.
struct Words {
  std::string_view part;
  Reason reason;
};
constexpr std::array<Words, 15> kDumpWords{{
    {"required binlog files have been purged", Reason::BinlogPurged},
    {"Could not find first log file name", Reason::BinlogPurged},
    {"which is not in the master's binlog", Reason::GtidDiverged},
    {"is not present in the master's binlog", Reason::GtidDiverged},
    {"Could not find GTID state requested", Reason::BinlogPurged},
    {kBinlogHole, Reason::BinlogPurged},
    {"same server_uuid/server_id", Reason::DuplicateServerId},
    {"same server id", Reason::DuplicateServerId},
    {"event read from binlog did not pass crc check", Reason::BinlogCorrupt},
    {"bogus data in log event", Reason::BinlogCorrupt},
    {"binlog truncated in the middle of event", Reason::BinlogCorrupt},
    {"log event entry exceeded max_allowed_packet", Reason::BinlogCorrupt},
    {"Could not open log file", Reason::BinlogCorrupt},
    {"memory allocation failed", Reason::SourceRestarted},
    // RESET MASTER during a dump: a new dump shows which binlogs remain.
    {"could not find next log", Reason::SourceRestarted},
}};

}  // namespace

Reason reason_of(Role role, const ServerError& error) {
  const auto [number, sqlstate, text] = error;
  const bool source = role == Role::Source;
  const auto refused = source ? Reason::SourceRefused : Reason::DestinationRefused;
  if (number == kOptionPreventsStatement && has(text, "read-only")) {
    return source ? refused : Reason::DestinationReadOnly;
  }
  if ((number == kGotErrno || number == kErrorOnFile) && (has(text, "28") || has(text, "No space left"))) {
    return source ? Reason::SourceRestarted : Reason::DestinationFull;
  }
  if (number == kUnknownCommand && has(text, "WSREP"))
    return source ? Reason::SourceRestarted : Reason::DestinationUnreachable;
  if (number == kTlsError && base::certificate_fault(text) != base::CertificateFault::None)
    return Reason::CertificateRejected;
  for (const Class& c : kClasses) {
    if (std::ranges::find(c.numbers, number) != c.numbers.end()) return source ? c.source : c.destination;
  }
  if (number == kDumpFatal) return dump_reason_of(error);
  for (const auto& state : kStates) {
    if (sqlstate.starts_with(state.prefix)) return source ? state.source : state.destination;
  }
  // The statements that this program composes are correct for the servers that it supports, so a syntax error is a
  // defect; misuse of the client library is a defect as well.
  const bool ours = number == kSyntax || (number >= kFirstClientError && number <= kLastClientError);
  return ours ? Reason::Internal : refused;
}

Reason dump_reason_of(const ServerError& error) {
  const auto [number, sqlstate, text] = error;
  if (number == kSlaveSameId) return Reason::DuplicateServerId;
  if (number == kFileNotFound) return Reason::BinlogPurged;  // a file of the binlog index no longer exists
  if (number != kDumpFatal) return reason_of(Role::Source, error);
  for (const Words& w : kDumpWords) {
    if (text.find(w.part) != std::string_view::npos) return w.reason;
  }
  return Reason::BinlogCorrupt;
}

std::string without_values(unsigned number, std::string_view text) {
  if (has_no_values(number)) return std::string(text);
  if (number == kSignal) return "an error that a trigger or a routine raised";
  for (std::size_t at = 0; (at = text.find_first_of("'\"", at)) != std::string_view::npos; ++at) {
    if (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0) continue;  // an apostrophe
    if (is_name(text.substr(0, at))) {
      at = text.find(text[at], at + 1);
      if (at == std::string_view::npos) break;
      continue;
    }
    std::size_t end = std::string_view::npos;  // the end of the value, which may contain any of these texts itself
    for (const auto words : kAfterValues)
      if (const auto found = text.rfind(words); found != std::string_view::npos && found >= at)
        end = end == std::string_view::npos ? found : std::max(end, found);
    const std::string front(text.substr(0, at));
    if (end == std::string_view::npos || text.size() >= kLongText) return front + "...";
    return front + "..." + std::string(text.substr(end + 1));
  }
  constexpr std::string_view kUnquoted = " for value ";  // a row outside all partitions
  if (const auto at = text.find(kUnquoted); at != std::string_view::npos)
    return std::string(text.substr(0, at + kUnquoted.size())) + "...";
  return std::string(text);
}

base::Error server_error(Reason reason, const config::HostPort& server, unsigned number, std::string_view text,
                         std::source_location at) {
  const auto fix = reason == Reason::CertificateRejected ? base::advice(base::certificate_fault(text)) : "";
  return {reason,
          fmt::format("{}: {} (error {}){}{}", server.text(), without_values(number, text), number,
                      fix.empty() ? "" : "; ", fix),
          at};
}

}  // namespace datasync::sql
