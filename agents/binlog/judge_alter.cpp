// ALTER TABLE: every action is read to its end. The binlog contains the statement and no row event for it.

#include <algorithm>
#include <array>
#include <utility>

#include "agents/binlog/judge.hpp"

namespace datasync::binlog {
namespace {

using What = TableEffect::What;

class AlterReader {
 public:
  AlterReader(TokenReader& in, NamedTable table, bool ignore) : in_(in), table_(std::move(table)) {
    part_.rows = ignore;  // rows that violate a key or a type are discarded
  }

  bool run(Judgement& out) {
    in_.wait();
    const bool understood = actions() && in_.finished();
    write(out);
    return understood;
  }

 private:
  bool actions() {
    if (in_.at_end() || in_.is(';')) return true;
    do {
      if (at_partitioning(in_)) break;
      if (!action()) return false;
    } while (in_.take(','));
    return !at_partitioning(in_) || judge_partitioning(in_, part_);
  }

  bool action() {
    if (in_.after().is("PARTITION") && !in_.is("RENAME")) return partitions();
    if (in_.take("ADD")) return add();
    if (in_.take("DROP")) return drop();
    if (in_.take("MODIFY")) return modify();
    if (in_.take("CHANGE")) return change();
    if (in_.take("RENAME")) return rename();
    if (in_.take("ALTER")) return alter();
    if (in_.take("CONVERT")) return convert();
    if (in_.take("FORCE")) return true;
    if (in_.take("ENABLE", "KEYS") || in_.take("DISABLE", "KEYS")) return true;
    if (in_.take("ORDER", "BY")) return order();
    if (in_.take("DISCARD", "TABLESPACE") || in_.take("IMPORT", "TABLESPACE")) return rows();
    if (in_.is("ALGORITHM") || in_.is("LOCK")) {
      in_.advance();
      in_.take('=');
      return in_.ident().has_value();
    }
    // Options need no comma between them.
    do {
      if (!judge_table_option(in_, part_)) return false;
    } while (!in_.at_end() && !in_.is(',') && !in_.is(';') && !at_partitioning(in_));
    return true;
  }

  bool rows() {
    part_.rows = true;
    return true;
  }
  bool column_word() {
    in_.take("COLUMN");
    return in_.if_exists();
  }
  /// Skips one name of an index, a column, a partition or the like.
  bool name() { return in_.ident().has_value(); }

  bool add() {
    if (in_.take("SYSTEM", "VERSIONING")) {
      part_.values = part_.others = true;
      return true;
    }
    if (at_constraint(in_)) return judge_constraint(in_, part_);
    if (!column_word()) return false;
    if (!in_.is('(')) return new_column();
    in_.advance();
    do {
      if (at_constraint(in_) ? !judge_constraint(in_, part_) : !new_column()) return false;
    } while (in_.take(','));
    return in_.take(')');
  }
  bool new_column() {
    auto column = in_.ident();
    if (!column) return false;
    part_.added.push_back(std::move(*column));
    return judge_new_column(in_, part_);
  }

  bool drop() {
    if (in_.take("SYSTEM", "VERSIONING")) return rows();  // historical rows are discarded
    if (in_.take("PERIOD", "FOR")) {
      part_.values = part_.others = true;
      return name();
    }
    if (in_.take("PRIMARY", "KEY")) {
      part_.key = true;
      return true;
    }
    if (in_.take("FOREIGN", "KEY")) return in_.if_exists() && name();
    if (in_.is("INDEX") || in_.is("KEY") || in_.is("CONSTRAINT") || in_.is("CHECK")) {
      in_.advance();
      if (!in_.if_exists()) return false;
      const auto index = in_.ident();
      part_.key = part_.key || (index && base::same_column(*index, "PRIMARY"));
      return index.has_value();
    }
    if (!column_word()) return false;
    auto column = in_.ident();
    if (!column) return false;
    part_.columns.push_back(std::move(*column));
    if (!in_.take("RESTRICT")) in_.take("CASCADE");
    return true;
  }

  bool modify() {
    if (!column_word()) return false;
    auto column = in_.ident();
    if (!column) return false;
    part_.columns.push_back(std::move(*column));
    return judge_changed_column(in_, part_);
  }

  bool change() {
    if (!column_word()) return false;
    auto old = in_.ident();
    auto now = in_.ident();
    if (!old || !now) return false;
    renamed(std::move(*old), std::move(*now));
    return judge_changed_column(in_, part_);
  }
  void renamed(std::string old, std::string now) {
    if (!base::same_column(old, now)) part_.added.push_back(std::move(now));
    part_.columns.push_back(std::move(old));
    part_.values = true;
  }

  bool rename() {
    if (in_.take("COLUMN")) {
      if (!in_.if_exists()) return false;
      auto old = in_.ident();
      if (!old || !in_.take("TO")) return false;
      auto now = in_.ident();
      if (!now) return false;
      renamed(std::move(*old), std::move(*now));
      return true;
    }
    if (in_.take("INDEX") || in_.take("KEY")) return in_.if_exists() && name() && in_.take("TO") && name();
    if (!in_.take("TO") && !in_.take("AS")) in_.take('=');
    auto to = in_.table();
    if (!to) return false;
    to_ = std::move(*to);
    return true;
  }

  /// Reads ALTER COLUMN (a default) and ALTER INDEX (whether it is used), which affect only future rows.
  bool alter() {
    if (in_.is("INDEX") || in_.is("KEY")) {
      in_.advance();
      if (!in_.if_exists() || !name()) return false;
      in_.take("NOT");
      return in_.take("IGNORED") || in_.take("VISIBLE") || in_.take("INVISIBLE");
    }
    if (!column_word() || !name()) return false;
    if (in_.take("DROP", "DEFAULT")) return true;
    if (!in_.take("SET", "DEFAULT")) return false;
    while (!in_.at_end() && !in_.is(',') && !in_.is(';') && !at_partitioning(in_))
      if (in_.is('(') ? !in_.brackets() : (in_.advance(), false)) return false;
    return true;
  }

  bool convert() {
    if (in_.take("TABLE")) {  // x TO PARTITION p ...
      auto from = in_.table();
      if (!from || !in_.take("TO", "PARTITION")) return false;
      absorbed_.push_back(std::move(*from));
      part_.rows = true;
      return name() && definitions();
    }
    if (!in_.take("TO")) return false;
    part_.values = part_.others = true;
    if (!in_.take("CHARACTER", "SET") && !in_.take("CHARSET")) return false;
    in_.take('=');
    in_.advance();
    if (!in_.take("COLLATE")) return true;
    in_.take('=');
    return name();
  }

  /// Reads ORDER BY to the end of the statement: a comma only separates its columns.
  bool order() {
    do {
      if (!in_.table()) return false;
      if (in_.take('.') && !name()) return false;
      if (!in_.take("ASC")) in_.take("DESC");
    } while (in_.take(','));
    return true;
  }

  // Partitions. These actions are the only action of their statement.

  bool partitions() {
    const Token verb = in_.now();
    in_.advance();
    in_.advance();
    static constexpr std::array<std::string_view, 5> kKeepsRows{"REBUILD", "OPTIMIZE", "ANALYZE", "CHECK", "COALESCE"};
    if (is_any(verb, kKeepsRows)) return in_.rest();
    if (verb.is("ADD") || verb.is("REORGANIZE")) return definitions();
    part_.rows = true;
    if (verb.is("EXCHANGE")) {
      auto other = name() && in_.take("WITH", "TABLE") ? in_.table() : std::nullopt;
      if (!other) return false;
      exchanged_.push_back(std::move(*other));
      return validation();
    }
    if (verb.is("CONVERT")) {
      auto made = name() && in_.take("TO", "TABLE") ? in_.table() : std::nullopt;
      if (!made) return false;
      made_.push_back(std::move(*made));
      return in_.finished();
    }
    static constexpr std::array<std::string_view, 5> kLosesRows{"DROP", "TRUNCATE", "REPAIR", "DISCARD", "IMPORT"};
    return is_any(verb, kLosesRows) && in_.rest();
  }
  bool validation() {
    if (in_.is("WITH") || in_.is("WITHOUT")) {
      in_.advance();
      if (!in_.take("VALIDATION")) return false;
    }
    return in_.finished();
  }
  /// Reads the rest of an action on partitions that keeps rows; it may name another engine.
  bool definitions() { return judge_partitioning(in_, part_) && in_.finished(); }

  void write(Judgement& out) {
    // A column that is dropped and added again has other values, although its name is unchanged.
    const bool replaced = std::ranges::any_of(part_.added, [&](const auto& name) {
      return std::ranges::any_of(part_.columns, [&](const auto& old) { return base::same_column(old, name); });
    });
    const bool values = part_.values || replaced;
    TableEffect effect{table_, part_.rows ? What::Rows : values ? What::Values : What::Definition};
    effect.columns = std::move(part_.columns);
    effect.added = std::move(part_.added);
    effect.key = part_.key;
    effect.others = part_.others;
    out.effects.push_back(std::move(effect));
    for (auto& name : exchanged_) out.effects.push_back({std::move(name), What::Rows});
    for (auto& name : absorbed_) out.effects.push_back({std::move(name), What::Dropped});
    for (auto& name : made_) {
      out.effects.push_back({name, What::Created});
      out.effects.push_back({std::move(name), What::Rows});
    }
    if (!to_) return;
    const auto& names = in_.context().names;
    if (names.same(to_->database, table_.database) && names.same(to_->table, table_.table)) return;
    out.effects.push_back({table_, What::Dropped});
    out.renames = true;
    out.effects.push_back({std::move(*to_), What::Moved, table_});
  }

  TokenReader& in_;
  NamedTable table_;
  PartEffect part_;
  std::optional<NamedTable> to_;
  std::vector<NamedTable> exchanged_, absorbed_, made_;
};

}  // namespace

bool judge_alter_table(TokenReader& in, bool ignore, Judgement& out) {
  if (!in.if_exists()) return false;
  auto table = in.table();
  return table && AlterReader(in, std::move(*table), ignore).run(out);
}

}  // namespace datasync::binlog
