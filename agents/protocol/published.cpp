#include "agents/protocol/capture_epoch.hpp"

namespace datasync::protocol {

base::Result<void> PublishedFold::take(const message::Headers& headers, base::Bytes value) {
  const bool ends = headers.end == message::End::Transaction;
  switch (headers.kind) {
    case message::Kind::Watermark: {
      DS_ASSIGN(const auto watermark, message::decode<message::Watermark>(value));
      if (fresh()) dump_from_ = watermark.position;
      published_.unite(watermark.position);
      seen_ = true;
      return {};
    }
    case message::Kind::Change: {
      if (!ends) return {};
      DS_ASSIGN(const auto change, message::decode<message::Change>(value));
      published_.add(change.gtid);
      seen_ = true;
      return {};
    }
    case message::Kind::Schema: {
      if (!ends) return {};
      DS_ASSIGN(const auto note, message::decode<message::SchemaNote>(value));
      published_.add(note.gtid);
      seen_ = true;
      return {};
    }
    case message::Kind::Snapshot:
      seen_ = true;
      return {};
    default:
      return {};
  }
}

}  // namespace datasync::protocol
