#pragma once
// Proves that a dump gives every transaction after a position, in order. Pure.

#include "agents/base/result.hpp"
#include "agents/message/gtid.hpp"

namespace datasync::capture {

/// One dump, by its thread.
class GtidOrder {
 public:
  GtidOrder() = default;
  /// The dump begins after `from`. `in_hole`: the server does not have the transactions at `from` itself, so that only
  /// unbroken numbers prove that nothing is missing after them.
  GtidOrder(message::GtidSet from, bool in_hole) : seen_(std::move(from)), from_(seen_), in_hole_(in_hole) {}

  /// A transaction begins. Errors: GtidDiverged when its number is not above those before it in its domain (they fell:
  /// the server ran without gtid_strict_mode); BinlogPurged when the first one after a hole is not the next one.
  base::Result<void> transaction(const message::Gtid& gtid);
  /// The last one was cut off in the binlog; it may come again.
  void broken_off();
  /// A binlog file begins, with everything in `list` before it. Errors: SourceRestarted when some of it was not seen:
  /// the file that was read is not the one before this one.
  base::Result<void> file(const message::GtidSet& list);

 private:
  message::GtidSet seen_, from_, before_;
  bool in_hole_ = false;
  bool first_file_ = true;
};

}  // namespace datasync::capture
