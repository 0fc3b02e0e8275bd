#pragma once
// The definitions of captured tables at the place in the binlog that is being read. See
// docs/decisions/0017-definitions-of-the-time.md.
//
// The server knows the definition of now, and the dump may be far behind it. A table map says most of what a definition
// was; what it leaves out (UUID, INET, generated, hidden columns, digits of old temporal types) comes from what was
// learnt at that place, which the state topic keeps, or from the server while it is provably about the same columns.

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/binlog/schema.hpp"
#include "agents/capture/plan/exclusions.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/server_tables.hpp"
#include "agents/message/definition.hpp"

namespace datasync::capture {

/// What a definition says of columns and a table map does not, matched by name and only where the binlog's type fits.
/// Without a definition only hidden columns are told, by their name.
std::vector<binlog::Refinement> refine(const binlog::TableMap& map, const message::TableSchema* definition);

/// The map is one of a table with exactly these columns, and this key when it has a primary key. Excluded columns that
/// the definition lacks do not count: their types need not be known.
bool describes(const message::TableSchema& definition, const TableChoice& table, const binlog::TableMap& map);
/// The same primary key, by its columns' names.
bool same_key(const message::TableSchema& definition, const binlog::TableMap& map);

/// What statements may have changed in a definition since it was known.
struct Announced {
  std::vector<std::string> columns;  ///< names of before and of after
  bool key = false;
};

/// The rows of a table would be carried as `carried` by this definition: the same columns, whatever is excluded, and
/// the same key. Columns, and the key, that statements `announced` may differ. `keyless`: the table has no primary key.
bool carries(const message::Definition& definition, const TableChoice& table, const message::TableSchema& carried,
             bool keyless, const Announced& announced = {});

/// Without a primary key the server writes the first UNIQUE key of NOT NULL columns as the map's primary key, which its
/// definition does not have. `known`: the definition of this place, null: not known; `now`: the server's, null: none.
bool promoted_key(const TableChoice& table, const binlog::TableMap& map, const message::TableSchema* known,
                  const message::TableSchema* now);

/// Of what is known of one table, the newest that is valid at a place.
std::optional<message::Definition> newest_at(const std::vector<message::Definition>& known,
                                             const message::GtidSet& place);

/// Where definitions are kept beyond one connection.
struct DefinitionStore {
  /// Everything that was read so far, the open transaction left out.
  std::function<message::GtidSet()> place;
  std::function<std::optional<message::Definition>(const TableChoice&, const message::GtidSet& place)> load;
  std::function<base::Result<void>(const message::Definition&)> save;
  /// What readers were given for a table with these columns.
  std::function<std::optional<message::TableSchema>(const TableChoice&, const std::vector<std::string>& columns)>
      published;
  std::function<std::uint64_t()> saved;  ///< how many definitions were saved, by whomever: copies save some too
};

/// What a statement did to the definition of one table, as far as it says.
struct DefinitionChange {
  std::vector<std::string> columns;              ///< that were there before and may be others now
  bool all = false;                              ///< every column may be another one: another table has the name now
  message::Gtid gtid;                            ///< of its transaction
  ColumnNames names = {};                        ///< what it did to the names of columns
  bool replaced = false;                         ///< it is proved that the table is a new one
  std::vector<std::string> added = {};           ///< columns that are new
  bool others = false;                           ///< columns that are not named here may be others too
  bool key = false;                              ///< the key may be another one
  std::vector<message::MovedColumn> taken = {};  ///< what it has from other tables, see TableMoves
};

/// Owned by the dump thread. Errors of all: those of the server and of the store.
class Definitions {
 public:
  Definitions(ServerTables& server, DefinitionStore store);

  /// What to read a table map by. `schema` is nothing where it cannot be known: then bytes are carried as they are.
  struct Basis {
    const message::TableSchema* schema = nullptr;
    std::string unknown;     ///< a column that neither what is known nor the server's table has; empty: none
    bool other_key = false;  ///< neither what is known nor the server's table has the key of the map
  };
  base::Result<Basis> of(const TableChoice& table, const binlog::TableMap& map);

  /// Clears the map's primary key when the declared key counts instead, see `promoted_key`.
  base::Result<void> settle_key(const TableChoice& table, binlog::TableMap& map);
  /// After `of`: the rows of the map are carried as `carried`. `keyless`: the map has no primary key. True: what was
  /// known says otherwise, also on a connection before, and no statement that came since said so. Then, and when the
  /// caller has seen such a change (`unannounced`), what is known now is kept by `noted` only; else it is kept here.
  base::Result<bool> met(const TableChoice& table, bool keyless, const message::TableSchema& carried, bool unannounced);
  /// Statements explain that the table is carried as `carried` at this place; so does not knowing what it was before.
  [[nodiscard]] bool explained(const TableChoice& table, const message::TableSchema& carried);
  /// A change that no statement announced is written down: from here on the definition may count as known. Before that,
  /// an error or a crash would leave a definition that agrees, and rows that nobody copies.
  base::Result<void> noted(const TableChoice& table);

  /// The server's table has these acting foreign keys now: they are published when readers do not know them yet.
  base::Result<void> acting_keys(const TableChoice& table, std::vector<message::ActingKey> keys);
  /// Acting foreign keys of the table are known, and they are not these.
  [[nodiscard]] bool knows_other_acting_keys(const TableChoice& table, const std::vector<message::ActingKey>& keys);

  /// The foreign keys of a table that act by themselves: as they are kept, else as the server has them now.
  base::Result<std::vector<message::ActingKey>> acting_keys(const TableChoice& table);
  /// Columns that have values of excluded ones by now.
  [[nodiscard]] const std::vector<message::MovedColumn>& moved(const TableChoice& table) { return known(table).moved; }
  /// The table as it is known to be at this place; null: it is not known as a whole.
  [[nodiscard]] const message::TableSchema* whole(const TableChoice& table);
  /// Rows of the table are published that were written in this GTID domain.
  base::Result<void> wrote(const TableChoice& table, std::uint32_t domain);
  [[nodiscard]] const std::vector<std::uint32_t>& domains(const TableChoice& table) { return known(table).domains; }
  base::Result<void> forget_domains(const TableChoice& table, const std::vector<std::uint32_t>& domains);

  /// After a statement that may concern the definition of a table: what the server says now.
  struct Reading {
    TableFacts facts;
    bool of_this_place = false;        ///< nothing later stands in the binlog: it is the definition of this place
    bool acting_keys_changed = false;  ///< its foreign keys that act by themselves are not those that readers knew
    bool unannounced = false;          ///< it differs in what no statement said, see `met`
    message::GtidSet executed;         ///< when the dump has come here and nothing else changed it, it is valid there
  };
  base::Result<Reading> read_again(const TableChoice& table, const DefinitionChange& change);

  /// From the transaction `gtid` on, no table has the name. `proved`: rows of one that no statement has brought are
  /// those of another table.
  base::Result<void> set_gone(const TableChoice& table, const message::Gtid& gtid, bool proved);
  [[nodiscard]] bool gone(const TableChoice& table);
  /// This is what is known of the table at this place.
  [[nodiscard]] bool is(const TableChoice& table, const message::TableSchema& schema);
  /// Readers were given the table with exactly this schema, and no statement that was seen changed it since.
  [[nodiscard]] bool published(const TableChoice& table, const message::TableSchema& schema);

 private:
  /// What the next map or definition must agree with.
  struct Expected {
    message::Definition definition;
    Announced announced;  ///< by statements since
  };
  struct Known {
    std::optional<std::uint64_t> saved;  ///< how many definitions were saved when the store was asked last
    std::optional<message::Definition> definition;
    bool kept = true;  ///< the definition is in the store
    std::optional<Expected> expected;
    std::optional<message::TableSchema> merged;  ///< by which the newest map is read, when `definition` lacks some
    std::vector<message::MovedColumn> moved;
    std::vector<std::uint32_t> domains;
    std::optional<std::vector<message::ActingKey>> server_keys;  ///< as the server had them, while none are kept
    message::GtidSet since;                                      ///< the definition is valid from here on
    // While no definition is known, what readers were given counts, for columns that no statement changed since.
    bool replaced = false;
    std::vector<std::string> touched;
  };
  Known& known(const TableChoice& table);
  void load(const TableChoice& table, Known& known);
  void learn(const TableChoice& table, Known& known, message::TableSchema schema, bool complete,
             const source::TableInfo* server);
  void know(const TableChoice& table, Known& known, message::Definition definition);
  base::Result<void> keep(Known& known);
  base::Result<void> agree(const TableChoice& table, Known& known, bool keyless, const message::TableSchema& carried);

  ServerTables& server_;
  DefinitionStore store_;
  std::map<const TableChoice*, Known> known_;
};

}  // namespace datasync::capture
