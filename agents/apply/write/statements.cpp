#include "agents/apply/write/statements.hpp"

namespace datasync::apply {

base::Result<std::uint64_t> Statements::run(Kind kind, TableIndex table, const RowBuffer& buffer,
                                            std::span<const PlannedRow> rows, bool key_from_after) {
  const auto image = [&](ImageAt at) { return at == kNoImage ? nullptr : buffer.image(at); };
  images_.clear();
  images_.reserve(rows.size());
  for (const PlannedRow& row : rows) {
    const bool after = row.before == kNoImage || (key_from_after && row.after != kNoImage);
    images_.push_back({image(after ? row.after : row.before), image(row.after)});
  }
  const TargetTable& target = catalog_.table(table);
  auto affected = statements_->run(kind, target.serial, target.names, images_);
  if (!affected && affected.error().is(base::Reason::DestinationBusy))
    return std::move(affected).error().context("while writing to " + target.qualified());
  return affected;
}

}  // namespace datasync::apply
