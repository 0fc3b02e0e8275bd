#pragma once
// The definitions of captured tables at the place in the binlog that is being read. See
// docs/decisions/0017-definitions-of-the-time.md.
//
// The server knows the definition of now, and the dump may be far behind it. A table map says most of what a definition
// was; what it leaves out (UUID, INET, generated, hidden columns, digits of old temporal types) comes from what was
// learnt at that place, which the state topic keeps, or from the server while it is provably about the same columns.

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

/// The map is one of a table with exactly these columns, and this key when it has a primary key.
bool describes(const message::TableSchema& definition, const binlog::TableMap& map);
/// The same primary key, by its columns' names.
bool same_key(const message::TableSchema& definition, const binlog::TableMap& map);

/// The rows of the map would be carried as `carried` by this definition: the same columns, whatever is excluded, and
/// the same key.
bool carries(const message::Definition& definition, const TableChoice& table, const message::TableSchema& carried,
             const binlog::TableMap& map);

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
};

/// What a statement did to the definition of one table, as far as it says.
struct DefinitionChange {
  std::vector<std::string> columns;  ///< that were there before and may be others now
  bool all = false;                  ///< every column may be another one: another table has the name now
  message::Gtid gtid;                ///< of its transaction
  ColumnNames names = {};            ///< what it did to the names of columns
  bool replaced = false;             ///< it is proved that the table is a new one
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

  /// After `of`: the rows of the map are carried as `carried`. True: what was kept before the table's first map says
  /// otherwise, and no statement has come since that may concern the table. What is kept agrees from here on.
  base::Result<bool> met(const TableChoice& table, const binlog::TableMap& map, const message::TableSchema& carried);

  /// The server's table has these acting foreign keys now: they are published when readers do not know them yet.
  base::Result<void> acting_keys(const TableChoice& table, std::vector<message::ActingKey> keys);
  /// Acting foreign keys of the table are known, and they are not these.
  [[nodiscard]] bool knows_other_acting_keys(const TableChoice& table, const std::vector<message::ActingKey>& keys);

  /// The foreign keys of a table that act by themselves: as they are kept, else as the server has them now.
  base::Result<std::vector<message::ActingKey>> acting_keys(const TableChoice& table);
  /// Excluded columns that have other names by now.
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
    message::GtidSet executed;         ///< when the dump has come here and nothing else changed it, it is valid there
  };
  base::Result<Reading> read_again(const TableChoice& table, const DefinitionChange& change);

  /// From the transaction `gtid` on, no table has the name.
  base::Result<void> set_gone(const TableChoice& table, const message::Gtid& gtid);
  [[nodiscard]] bool gone(const TableChoice& table);
  /// This is what is known of the table at this place.
  [[nodiscard]] bool is(const TableChoice& table, const message::TableSchema& schema);
  /// Readers were given the table with exactly this schema, and no statement that was seen changed it since.
  [[nodiscard]] bool published(const TableChoice& table, const message::TableSchema& schema);

 private:
  struct Known {
    bool loaded = false;
    std::optional<message::Definition> definition;
    std::optional<message::Definition> before;   ///< as it was kept, until the first map or statement
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
  base::Result<void> learn(const TableChoice& table, Known& known, message::TableSchema schema, bool complete,
                           const source::TableInfo* server);
  base::Result<void> keep(const TableChoice& table, Known& known, message::Definition definition);

  ServerTables& server_;
  DefinitionStore store_;
  std::map<const TableChoice*, Known> known_;
};

}  // namespace datasync::capture
