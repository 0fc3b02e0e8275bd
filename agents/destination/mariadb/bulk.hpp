#pragma once
// Prepared statements run for many rows at once: array binding where the server has it (MariaDB,
// STMT_ATTR_ARRAY_SIZE, COM_STMT_BULK_EXECUTE), values taken straight from the message layout.

#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/client/mysql/connection.hpp"
#include "agents/message/row.hpp"
#include "agents/message/schema.hpp"

namespace datasync::sql {

/// One parameter of a statement: which column's value goes there. Shapes the bind type and the placeholder.
struct Parameter {
  const message::Column* column = nullptr;
};

/// What to write for the placeholder of a column so that the server takes exactly the bytes of the message:
/// "?" mostly; text compared in WHERE must be `CONVERT(? USING cs) COLLATE coll`; Geometry, Uuid, Timestamp, Bit, Enum
/// and Set get what they need.
std::string placeholder(const message::Column& column, bool in_where);

/// A prepared statement over a fixed list of parameters. Not thread-safe; must not outlive its connection or the
/// columns.
class BulkStatement {
 public:
  static base::Result<std::unique_ptr<BulkStatement>> prepare(Connection& connection, std::string_view sql,
                                                              std::vector<Parameter> parameters);
  ~BulkStatement();
  BulkStatement(const BulkStatement&) = delete;
  BulkStatement& operator=(const BulkStatement&) = delete;

  /// Appends one value to the current row, parameter after parameter. The bytes (a value of the message layout) must
  /// stay valid until `execute` returns.
  void bind(base::Bytes value);
  void bind_null();
  [[nodiscard]] std::size_t rows() const noexcept;  ///< complete rows bound

  /// Runs all bound rows in their order and forgets them; returns affected rows summed over them (matched rows for
  /// UPDATE when the connection was opened with found_rows). Errors as Connection; the rows are forgotten then too.
  base::Result<std::uint64_t> execute();
  void clear() noexcept;

 private:
  struct Impl;
  explicit BulkStatement(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace datasync::sql
