#include "agents/protocol/reader_rule.hpp"

namespace datasync::protocol {
namespace {

bool belongs_on_a_stream(message::Kind kind) noexcept {
  switch (kind) {
    case message::Kind::Change:
    case message::Kind::Schema:
    case message::Kind::Snapshot:
    case message::Kind::Watermark:
    case message::Kind::Start:
    case message::Kind::Verify:
      return true;
    default:
      return false;
  }
}

}  // namespace

ReaderRule::Verdict ReaderRule::see(const message::Headers& headers) noexcept {
  if (!belongs_on_a_stream(headers.kind) || headers.epoch == message::Epoch{}) return Verdict::Foreign;
  if (headers.kind == message::Kind::Start) {
    // An append whose acknowledgement was lost is retried, so the same start may be on the stream twice.
    if (headers.epoch <= epoch_) return Verdict::Ignore;
    epoch_ = headers.epoch;
    return Verdict::NewEpoch;
  }
  if (headers.epoch < epoch_) return Verdict::Ignore;
  return headers.epoch == epoch_ ? Verdict::Take : Verdict::Foreign;
}

}  // namespace datasync::protocol
