#pragma once
// The parts of judge(). Each reads one kind of statement from its first word that is not yet read, adds its effects and
// returns false when it did not understand something: then nothing is proved.

#include "agents/binlog/judgement.hpp"
#include "agents/binlog/token_reader.hpp"

namespace datasync::binlog {

bool judge_truncate(TokenReader& in, Judgement& out);
bool judge_drop(TokenReader& in, Judgement& out);
bool judge_rename(TokenReader& in, Judgement& out);
bool judge_create(TokenReader& in, Judgement& out);
bool judge_alter(TokenReader& in, Judgement& out);
/// ALTER TABLE, from the table's name on.
bool judge_alter_table(TokenReader& in, bool ignore, Judgement& out);

/// What a part of a definition means for the rows of its table.
struct PartEffect {
  bool rows = false;
  bool values = false;
  bool key = false;
  std::vector<std::string> columns, added;
};

/// One option of a table (ENGINE=..., COMMENT '...'). An option that is not known counts as one that may change rows.
bool judge_table_option(TokenReader& in, PartEffect& out);
/// A column's definition after its name, up to a comma, a closing bracket, a partition clause or the end: a column that
/// is added to rows that are there.
bool judge_new_column(TokenReader& in, PartEffect& out);
/// The same for a column that is there already.
bool judge_changed_column(TokenReader& in, PartEffect& out);
/// An index, a constraint or a period, up to a comma, a closing bracket, a partition clause or the end.
bool judge_constraint(TokenReader& in, PartEffect& out);
/// PARTITION BY ... or REMOVE PARTITIONING begins here.
bool at_partitioning(const TokenReader& in) noexcept;
bool judge_partitioning(TokenReader& in, PartEffect& out);
/// An index, a constraint or a period begins here, not a column.
bool at_constraint(const TokenReader& in) noexcept;

}  // namespace datasync::binlog
