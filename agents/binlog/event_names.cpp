// Names of event types, as in the server's documentation.

#include <array>
#include <string_view>

#include <fmt/format.h>

#include "agents/binlog/event.hpp"

namespace datasync::binlog {
namespace {

struct TypeName {
  EventType type;
  std::string_view name;
};
constexpr std::array kTypeNames{
    TypeName{EventType::StartV3, "START_V3"},
    TypeName{EventType::Query, "QUERY"},
    TypeName{EventType::Stop, "STOP"},
    TypeName{EventType::Rotate, "ROTATE"},
    TypeName{EventType::IntVar, "INTVAR"},
    TypeName{EventType::Load, "LOAD"},
    TypeName{EventType::Slave, "SLAVE"},
    TypeName{EventType::CreateFile, "CREATE_FILE"},
    TypeName{EventType::AppendBlock, "APPEND_BLOCK"},
    TypeName{EventType::ExecLoad, "EXEC_LOAD"},
    TypeName{EventType::DeleteFile, "DELETE_FILE"},
    TypeName{EventType::NewLoad, "NEW_LOAD"},
    TypeName{EventType::Rand, "RAND"},
    TypeName{EventType::UserVar, "USER_VAR"},
    TypeName{EventType::FormatDescription, "FORMAT_DESCRIPTION"},
    TypeName{EventType::Xid, "XID"},
    TypeName{EventType::BeginLoadQuery, "BEGIN_LOAD_QUERY"},
    TypeName{EventType::ExecuteLoadQuery, "EXECUTE_LOAD_QUERY"},
    TypeName{EventType::TableMap, "TABLE_MAP"},
    TypeName{EventType::WriteRowsV1, "WRITE_ROWS_V1"},
    TypeName{EventType::UpdateRowsV1, "UPDATE_ROWS_V1"},
    TypeName{EventType::DeleteRowsV1, "DELETE_ROWS_V1"},
    TypeName{EventType::Incident, "INCIDENT"},
    TypeName{EventType::Heartbeat, "HEARTBEAT"},
    TypeName{EventType::Ignorable, "IGNORABLE"},
    TypeName{EventType::RowsQuery, "ROWS_QUERY"},
    TypeName{EventType::WriteRowsV2, "WRITE_ROWS"},
    TypeName{EventType::UpdateRowsV2, "UPDATE_ROWS"},
    TypeName{EventType::DeleteRowsV2, "DELETE_ROWS"},
    TypeName{EventType::XaPrepare, "XA_PREPARE"},
    TypeName{EventType::HeartbeatV2, "HEARTBEAT_V2"},
    TypeName{EventType::AnnotateRows, "ANNOTATE_ROWS"},
    TypeName{EventType::BinlogCheckpoint, "BINLOG_CHECKPOINT"},
    TypeName{EventType::Gtid, "GTID"},
    TypeName{EventType::GtidList, "GTID_LIST"},
    TypeName{EventType::StartEncryption, "START_ENCRYPTION"},
    TypeName{EventType::QueryCompressed, "QUERY_COMPRESSED"},
    TypeName{EventType::WriteRowsCompressedV1, "WRITE_ROWS_COMPRESSED_V1"},
    TypeName{EventType::UpdateRowsCompressedV1, "UPDATE_ROWS_COMPRESSED_V1"},
    TypeName{EventType::DeleteRowsCompressedV1, "DELETE_ROWS_COMPRESSED_V1"},
    TypeName{EventType::WriteRowsCompressedV2, "WRITE_ROWS_COMPRESSED"},
    TypeName{EventType::UpdateRowsCompressedV2, "UPDATE_ROWS_COMPRESSED"},
    TypeName{EventType::DeleteRowsCompressedV2, "DELETE_ROWS_COMPRESSED"},
};

}  // namespace

std::string to_string(EventType type) {
  for (const auto& n : kTypeNames) {
    if (n.type == type) return std::string(n.name);
  }
  return fmt::format("event type {}", static_cast<unsigned>(type));
}

}  // namespace datasync::binlog
