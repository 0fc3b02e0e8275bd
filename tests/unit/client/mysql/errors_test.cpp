#include "agents/client/mysql/errors.hpp"

#include <ostream>
#include <string>
#include <tuple>
#include <vector>

#include <gtest/gtest.h>

namespace datasync::sql {
namespace {

using base::Reason;

struct Case {
  unsigned number;
  const char* text;
  Reason source;
  Reason destination;
  const char* sqlstate = "HY000";
};

TEST(Errors, a_number_has_a_reason_for_each_role) {
  const std::vector<Case> cases{
      {2003, "", Reason::SourceUnreachable, Reason::DestinationUnreachable},
      {2013, "", Reason::SourceUnreachable, Reason::DestinationUnreachable},
      {1040, "Too many connections", Reason::SourceUnreachable, Reason::DestinationUnreachable},
      {1053, "Server shutdown in progress", Reason::SourceRestarted, Reason::DestinationUnreachable},
      {1045, "Access denied", Reason::CredentialsRejected, Reason::CredentialsRejected},
      {2026, "TLS/SSL error: certificate has expired", Reason::CertificateRejected, Reason::CertificateRejected},
      {2026, "TLS/SSL error: Validation of SSL server certificate failed", Reason::CertificateRejected,
       Reason::CertificateRejected},
      {2026, "SSL is required, but the server does not support it", Reason::SourceUnreachable,
       Reason::DestinationUnreachable},
      {1227, "Access denied; you need SUPER", Reason::PermissionDenied, Reason::PermissionDenied},
      {1213, "Deadlock", Reason::SourceRestarted, Reason::DestinationBusy},
      {1205, "Lock wait timeout", Reason::SourceRestarted, Reason::DestinationBusy},
      {1290, "running with the --read-only option", Reason::SourceRefused, Reason::DestinationReadOnly},
      {1290, "running with the --secure-file-priv option", Reason::SourceRefused, Reason::DestinationRefused},
      {1114, "The table is full", Reason::SourceRestarted, Reason::DestinationFull},
      {1030, "Got error 28 \"No space left on device\"", Reason::SourceRestarted, Reason::DestinationFull},
      {1030, "Got error 175", Reason::SourceRefused, Reason::DestinationRefused},
      {1062, "Duplicate entry", Reason::SourceRefused, Reason::ConstraintViolated},
      {1452, "foreign key", Reason::SourceRefused, Reason::ConstraintViolated},
      {4025, "CONSTRAINT failed", Reason::SourceRefused, Reason::ConstraintViolated},
      {1406, "Data too long", Reason::UnsupportedValue, Reason::ValueNotStorable},
      {1264, "Out of range", Reason::UnsupportedValue, Reason::ValueNotStorable},
      {1146, "no such table", Reason::TableDropped, Reason::DestinationTableMissing, "42S02"},
      {1054, "Unknown column", Reason::SchemaUnknown, Reason::DestinationSchemaMismatch},
      {1064, "syntax", Reason::Internal, Reason::Internal, "42000"},
      {2014, "Commands out of sync", Reason::Internal, Reason::Internal},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(reason_of(Role::Source, {c.number, c.sqlstate, c.text}), c.source) << c.number << " " << c.text;
    EXPECT_EQ(reason_of(Role::Destination, {c.number, c.sqlstate, c.text}), c.destination) << c.number << " " << c.text;
  }
}

// A table whose file was damaged counted as one that was dropped: preflight and copies left it out.
TEST(Errors, a_table_that_its_engine_cannot_open_is_not_a_dropped_table) {
  const ServerError damaged{1932, "42S02", "Table 'a.t' doesn't exist in engine"};
  EXPECT_EQ(reason_of(Role::Source, damaged), Reason::SourceRefused);
  EXPECT_EQ(reason_of(Role::Destination, damaged), Reason::DestinationTableMissing);
  EXPECT_EQ(without_values(damaged.number, damaged.text), damaged.text) << "the table's name is shown";
}

TEST(Errors, no_error_of_a_server_is_called_a_defect_of_this_program) {
  const std::vector<Case> cases{
      {1526, "Table has no partition for value 7", Reason::SourceRefused, Reason::ConstraintViolated},
      {1644, "raised by a trigger", Reason::SourceRefused, Reason::ConstraintViolated, "45000"},
      {1197, "more than 'max_binlog_cache_size' bytes", Reason::SourceRestarted, Reason::DestinationBusy},
      {1180, "Got error 149 during COMMIT", Reason::SourceRestarted, Reason::DestinationBusy},
      {3101, "Plugin instructed the server to rollback", Reason::SourceRestarted, Reason::DestinationBusy, "40000"},
      {1047, "WSREP has not yet prepared node for application use", Reason::SourceRestarted,
       Reason::DestinationUnreachable, "08S01"},
      {1273, "Unknown collation: 'utf8mb4_0900_ai_ci'", Reason::SchemaUnknown, Reason::DestinationSchemaMismatch},
      {1071, "Specified key was too long", Reason::SchemaUnknown, Reason::DestinationSchemaMismatch, "42000"},
      {4119, "Not allowed for system-versioned", Reason::SchemaUnknown, Reason::DestinationSchemaMismatch},
      // Numbers that no list has: the class of the SQLSTATE decides.
      {9001, "", Reason::SourceUnreachable, Reason::DestinationUnreachable, "08S01"},
      {9001, "", Reason::UnsupportedValue, Reason::ValueNotStorable, "22007"},
      {9001, "", Reason::SourceRefused, Reason::ConstraintViolated, "23000"},
      {9001, "", Reason::SourceRestarted, Reason::DestinationBusy, "40001"},
      {9001, "", Reason::TableDropped, Reason::DestinationTableMissing, "42S02"},
      {9001, "", Reason::SchemaUnknown, Reason::DestinationSchemaMismatch, "42S22"},
      {9001, "", Reason::SourceRefused, Reason::DestinationRefused, "42000"},
      {9001, "", Reason::SourceRefused, Reason::DestinationRefused, "HY000"},
      {9001, "", Reason::SourceRefused, Reason::DestinationRefused, ""},
  };
  for (const Case& c : cases) {
    EXPECT_EQ(reason_of(Role::Source, {c.number, c.sqlstate, c.text}), c.source) << c.number << " " << c.sqlstate;
    EXPECT_EQ(reason_of(Role::Destination, {c.number, c.sqlstate, c.text}), c.destination)
        << c.number << " " << c.sqlstate;
  }
}

struct DumpCase {
  unsigned number;
  const char* text;
  Reason reason;
};

// The texts are what MariaDB 10.11.19 sends.
TEST(Errors, the_message_of_a_refused_dump_gives_its_reason) {
  const std::vector<DumpCase> cases{
      {1236,
       "Could not find GTID state requested by slave in any binlog files. Probably the slave state is too old and "
       "required binlog files have been purged.",
       Reason::BinlogPurged},
      {1236, "Error: connecting slave requested to start from GTID 0-1-100, which is not in the master's binlog",
       Reason::GtidDiverged},
      {1236,
       "Error: connecting slave requested to start from GTID 0-9-2, which is not in the master's binlog. Since the "
       "master's binlog contains GTIDs with higher sequence numbers, it probably means that the slave has diverged due "
       "to executing extra erroneous transactions",
       Reason::GtidDiverged},
      {4052, "A slave with the same server_uuid/server_id is already connected; the first event '.' at 4",
       Reason::DuplicateServerId},
      {1236, "event read from binlog did not pass crc check; the first event '.' at 4", Reason::BinlogCorrupt},
      {1236, "binlog truncated in the middle of event; consider out of disk space on master", Reason::BinlogCorrupt},
      {1236, "log event entry exceeded max_allowed_packet; Increase max_allowed_packet on master",
       Reason::BinlogCorrupt},
      {1236, "bogus data in log event; the first event '.' at 4", Reason::BinlogCorrupt},
      {29, "File './b.000003' not found (Errcode: 2)", Reason::BinlogPurged},
      {1045, "Access denied", Reason::CredentialsRejected},
      {1227, "you need REPLICATION SLAVE", Reason::PermissionDenied},
  };
  for (const DumpCase& c : cases) EXPECT_EQ(dump_reason_of({c.number, "HY000", c.text}), c.reason) << c.text;
}

// https://mariadb.com/kb/en/mariadb-error-codes/
TEST(Errors, a_text_keeps_names_and_loses_values) {
  const std::vector<std::tuple<unsigned, std::string, std::string>> cases{
      {1062, "Duplicate entry 'it's 4 me' for key 'name'", "Duplicate entry ... for key 'name'"},
      {1062, "Duplicate entry 'x' for key 'y' for key 'name'", "Duplicate entry ... for key 'name'"},
      {1062, "Duplicate entry '" + std::string(480, 'x'), "Duplicate entry ..."},
      {1586, "Duplicate entry 'a-b' for key 'PRIMARY'", "Duplicate entry ... for key 'PRIMARY'"},
      {1366, R"(Incorrect string value: '\xF0' for column `d`.`t`.`c` at row 1)",
       "Incorrect string value: ... for column `d`.`t`.`c` at row 1"},
      {1292, "Truncated incorrect INTEGER value: 'secret'", "Truncated incorrect INTEGER value: ..."},
      {1292, "Incorrect datetime value: 'x' for column 'c' at row 1",
       "Incorrect datetime value: ... for column 'c' at row 1"},
      {1406, "Data too long for column 'c' at row 1", "Data too long for column 'c' at row 1"},
      {1048, "Column 'c' cannot be null", "Column 'c' cannot be null"},
      {1364, "Field 'c' doesn't have a default value", "Field 'c' doesn't have a default value"},
      {1526, "Table has no partition for value 4711", "Table has no partition for value ..."},
      {1690, "BIGINT value is out of range in '(4711 * 2)'", "BIGINT value is out of range in ..."},
      {1761, "Foreign key constraint for table 't', record 'a-b' would lead to a duplicate entry in table 'u', key 'k'",
       "Foreign key constraint for table 't', record ..."},
      {1644, "no such customer: Smith", "an error that a trigger or a routine raised"},
      {1452,
       "Cannot add or update a child row: a foreign key constraint fails (`d`.`c`, CONSTRAINT `f` FOREIGN KEY ...",
       "Cannot add or update a child row: a foreign key constraint fails (`d`.`c`, CONSTRAINT `f` FOREIGN KEY ..."},
      {1064, "You have an error near 'secret' at line 1", "You have an error near ..."},
      {1054, "Unknown column 'c' in 'field list'", "Unknown column 'c' in 'field list'"},
      {1045, "Access denied for user 'u'@'h' (using password: YES)",
       "Access denied for user 'u'@'h' (using password: YES)"},
  };
  for (const auto& [number, text, safe] : cases) EXPECT_EQ(without_values(number, text), safe);
}

TEST(Errors, a_message_has_the_servers_text_and_number) {
  const base::Error e = server_error(Reason::CredentialsRejected, {"db.example", 3307}, 1045, "Access denied");
  EXPECT_EQ(e.what, "db.example:3307: Access denied (error 1045)");
  EXPECT_EQ(e.reason, Reason::CredentialsRejected);
}

}  // namespace
}  // namespace datasync::sql
