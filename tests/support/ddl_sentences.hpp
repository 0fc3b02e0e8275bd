#pragma once
// The sentences of ddl_grammar.hpp, one method for each kind of statement.

#include <random>
#include <span>
#include <string>

#include "tests/support/ddl_grammar.hpp"
#include "tests/support/ddl_writer.hpp"

namespace datasync::test {

class DdlSentences {
 public:
  DdlSentences(std::mt19937_64& random, const DdlOptions& options, std::span<const DdlTable> tables, DdlStatement& out)
      : options_(options), tables_(tables), out_(out), w_(random, out, options.noise) {}

  void begin();  ///< sometimes SET STATEMENT ... FOR
  void end();

  void create_table();
  void drop_table();
  void truncate();
  void rename();
  void alter();
  void partitions();
  void index();
  void maintenance();
  void program();
  void temporary();
  void database();
  void exotic();

 private:
  struct Name {
    std::string database, table;
  };
  const DdlTable& any_table() { return tables_[w_.below(tables_.size())]; }
  const DdlTable& any_partitioned();
  Name any_name();       ///< of a table that exists or not
  Name existing_name();  ///< mostly
  std::string column(const DdlTable& table);
  std::string new_column();
  void put(const Name& name) { w_.table(name.database, name.table); }
  void put(const DdlTable& table) { w_.table(table.database, table.name); }
  void type(bool plain);
  void action(const DdlTable& table);
  void columns();
  void partitioning();
  void wait();
  template <class... T>
  std::string_view one_of(T... texts) {
    const std::string_view all[]{texts...};
    return all[w_.below(sizeof...(texts))];
  }

  const DdlOptions& options_;
  std::span<const DdlTable> tables_;
  DdlStatement& out_;
  DdlWriter w_;
};

}  // namespace datasync::test
