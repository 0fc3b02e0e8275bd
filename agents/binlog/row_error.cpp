// Names a row that cannot be read in an error: table, column and position.

#include <fmt/format.h>

#include "agents/binlog/row_encoder.hpp"

namespace datasync::binlog {

using base::Error;
using base::Reason;

Error RowCursor::error() const {
  const auto& schema = encoder_->schema();
  const auto place = encoder_->layout_.columns[column_].place;
  const auto name = place ? schema.columns[*place].name : fmt::format("#{}", column_ + 1);
  const auto subject = fmt::format("column {} of {} in the rows event at {}", name, schema.qualified(), where_.text());
  switch (fault_) {
    case Fault::Decimal:
      return {Reason::BinlogCorrupt, subject + " has a DECIMAL with impossible digits"};
    case Fault::Label:
      return {Reason::UnsupportedValue, subject + " has a value beyond its last label"};
    case Fault::DateTime:
      return {Reason::UnsupportedValue, subject + " has an impossible date"};
    case Fault::TooLong:
      return {Reason::BinlogCorrupt, subject + " is longer than its type allows"};
    case Fault::Compressed:
      return {Reason::BinlogCorrupt, subject + " has a compressed value that does not inflate"};
    case Fault::TooLarge:
      return {Reason::RowTooLarge, subject + " is larger, inflated, than the agent's memory limit allows"};
    default:
      return {Reason::BinlogCorrupt, subject + " runs past the end of the event"};
  }
}

}  // namespace datasync::binlog
