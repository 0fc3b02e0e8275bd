#pragma once
// Columns with values of excluded ones in tables that are not captured: such a table may get the name of a captured one
// later (gh-ost, pt-online-schema-change). The state topic keeps them, as those of captured tables.

#include <functional>
#include <optional>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/binlog/judgement.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/plan/table_moves.hpp"
#include "agents/capture/stream/definitions.hpp"

namespace datasync::capture {

/// What a captured table takes over from other tables by a statement.
struct TakenMoves {
  const TableChoice* table = nullptr;
  std::vector<message::MovedColumn> moved;
};

/// A statement as far as it concerns the values of excluded columns.
struct MovingStatement {
  const binlog::Judgement& judgement;
  const ColumnNames& names;
  std::optional<binlog::NamedTable> like;
  /// It names an excluded column or one of these, or may name one, and it is not known what it does.
  std::function<bool(const std::vector<message::MovedColumn>&)> unjudged;
  message::Gtid gtid;  ///< of its transaction
};

/// Stands for a statement that could not be judged: any column of the table may have values of an excluded one.
[[nodiscard]] bool is_unjudged(const std::vector<message::MovedColumn>& moved);
/// Without that.
[[nodiscard]] std::vector<message::MovedColumn> judged_moves(std::vector<message::MovedColumn> moved);

/// Owned by the dump thread.
class OtherTables {
 public:
  /// The selection must outlive it.
  OtherTables(const Selection& selection, DefinitionStore store);

  /// Before the captured tables learn of a statement. `known`: what is known of a captured table. Errors: those of
  /// the store.
  base::Result<std::vector<TakenMoves>> statement(
      const MovingStatement& statement,
      const std::function<std::vector<message::MovedColumn>(const TableChoice&)>& known) const;
  /// Every column that is excluded of any table.
  [[nodiscard]] const std::vector<std::string>& excluded() const noexcept { return excluded_.exclude; }

 private:
  [[nodiscard]] TableChoice choice(const binlog::NamedTable& name) const;

  const Selection& selection_;
  DefinitionStore store_;
  TableChoice excluded_;
};

}  // namespace datasync::capture
