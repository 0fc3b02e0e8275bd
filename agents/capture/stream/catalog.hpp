#pragma once
// The captured tables as one binlog connection sees them: from table maps to encoders and known schemas.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/binlog/judgement.hpp"
#include "agents/binlog/row_encoder.hpp"
#include "agents/capture/plan/selection.hpp"
#include "agents/capture/replica/server_tables.hpp"
#include "agents/capture/replica/verdict.hpp"
#include "agents/capture/stream/definitions.hpp"
#include "agents/capture/stream/other_tables.hpp"

namespace datasync::capture {

/// One version of one captured table.
struct CapturedTable {
  const TableChoice* choice = nullptr;
  message::SchemaId schema;
  binlog::RowEncoder encoder;
  binlog::TableMap map;  ///< without its id, which is another one whenever the server opens the table again
  std::vector<binlog::Refinement> refinements;
  std::vector<std::uint32_t> domains;   ///< GTID domains in which its rows were written, as far as that is kept
  std::vector<std::uint16_t> wire_key;  ///< of the map, before Definitions::settle_key
};

/// Owned by the dump thread.
class Catalog {
 public:
  using Connect = ServerTables::Connect;
  using Publish = std::function<base::Result<void>(const message::TableSchema&)>;

  /// `publish` makes a schema known to readers before the first row that needs it is sent. The selection's choices must
  /// outlive the catalog.
  Catalog(const Selection& selection, const source::Rules& rules, Connect connect, Publish publish,
          DefinitionStore store);

  /// A version of a table, by its number.
  struct Added {
    std::uint32_t number = 0;
    bool unannounced = false;  ///< it differs from the one before it, also on a connection before, and no statement
                               ///< said so
  };
  /// Makes the table of a map ready: the version known from a map before it, when they differ in nothing but the id and
  /// no statement came between them. Errors: those of RowEncoder::make, SchemaUnknown for a key that is neither the one
  /// known nor the server's, PreflightFailed when the map lacks an excluded column; those of the server and of publish.
  base::Result<Added> add(const TableChoice& choice, binlog::TableMap map);
  /// See Definitions::explained; for a schema that readers know.
  [[nodiscard]] bool explained(const TableChoice& choice, message::SchemaId schema);
  /// The change of an `unannounced` definition is written down, see Definitions::noted. Errors: those of the store.
  base::Result<void> noted(const TableChoice& choice) { return definitions_.noted(choice); }
  [[nodiscard]] CapturedTable& table(std::uint32_t number) { return tables_[number]; }

  enum class Now : std::uint8_t {
    Same,     ///< the server's table is the one of the map
    Other,    ///< it is another one by now and can be carried: a copy of it makes up for rows that cannot
    Missing,  ///< the server has no table of the name; a view or a sequence may have it
  };
  /// After an error of `add` that is about the definition. Errors: what is wrong with the server's table.
  base::Result<Now> now(const TableChoice& choice, const binlog::TableMap& map);

  /// What became of a table's definition by a statement.
  struct Changed {
    bool exists = false;                      ///< the server has a table of the name now
    std::optional<message::SchemaId> schema;  ///< as it is carried now; already known to readers
    bool of_this_place = false;               ///< it is the definition of this place of the binlog
    message::GtidSet executed;                ///< see Definitions::Reading
    bool acting_keys_changed = false;         ///< see Definitions::Reading
    bool unannounced = false;                 ///< see Definitions::Reading
    bool computes_again = false;              ///< see TableFacts
  };
  /// Reads the definition of a table again and checks all that was checked before the start. Errors: what is wrong, as
  /// the preflight says it; those of the server, of publish and of the store.
  base::Result<Changed> changed(const TableChoice& choice, const DefinitionChange& change);
  /// Columns with values of excluded ones, in tables that are not captured: see OtherTables. Before `changed`.
  base::Result<std::vector<TakenMoves>> take_moves(const MovingStatement& statement) {
    return others_.statement(statement, [this](const TableChoice& table) { return definitions_.moved(table); });
  }
  [[nodiscard]] const std::vector<std::string>& excluded() const noexcept { return others_.excluded(); }
  /// See Definitions::moved.
  [[nodiscard]] const std::vector<message::MovedColumn>& moved(const TableChoice& table) {
    return definitions_.moved(table);
  }
  /// The tables as the server has them when a dump begins: what readers are to know besides columns.
  /// `replicated`: the GTID domains that the server has replicated; in others, rows may be its own. `changed`: called
  /// for a table whose acting foreign keys are not the ones that were known, before these are forgotten.
  base::Result<void> begun(const std::vector<TableFacts>& tables, std::vector<std::uint32_t> replicated,
                           const std::function<base::Result<void>(const TableChoice&)>& changed);
  /// A row of a table is published, written in this GTID domain. Errors: those of the store.
  base::Result<void> wrote(std::uint32_t number, std::uint32_t domain);
  /// The server replicates this domain as well.
  void replicates(std::uint32_t domain) {
    if (!replicated_.empty()) replicated_.push_back(domain);
  }
  /// Rows of it were published that were written in one of these domains.
  [[nodiscard]] bool has_rows_of(const TableChoice& choice, const std::vector<std::uint32_t>& domains);
  base::Result<void> forget_rows_of(const TableChoice& choice, const std::vector<std::uint32_t>& domains) {
    return definitions_.forget_domains(choice, domains);
  }
  /// Captured tables that have a foreign key to one of these that changes their rows by itself. Nothing without
  /// allowCascades. `op`: only by keys that act when a row of the parent is updated or deleted. Errors: those of the
  /// server.
  base::Result<std::vector<const TableChoice*>> acting_children(const std::vector<binlog::NamedTable>& parents,
                                                                std::optional<message::Op> op = std::nullopt);
  /// See Definitions::set_gone.
  base::Result<void> set_gone(const TableChoice& choice, const message::Gtid& gtid, bool proved);
  [[nodiscard]] bool gone(const TableChoice& choice) { return definitions_.gone(choice); }
  /// The server has the table as it is known here: a statement that would have made it has found it. False when it may
  /// be another one. Errors: those of the server.
  base::Result<bool> is_known(const TableChoice& choice);
  /// Whether the server has a table of the name now.
  base::Result<bool> exists(const TableChoice& choice);
  /// A table map of it came on this connection.
  [[nodiscard]] bool seen(const TableChoice& choice) const { return newest_.contains(&choice); }
  [[nodiscard]] bool allows_cascades() const noexcept { return allows_cascades_; }

  /// The schema that the server's table has now, already known to readers, for the place that the server had come to
  /// when it was asked (`Changed::executed`). No schema where it has no table that can be carried: the statement that
  /// made it so says more.
  base::Result<Changed> as_of_now(const TableChoice& choice);
  /// The schema a table has now: of its newest table map, as the server has it, or as it is known at this place.
  /// Nothing when none of them has it. Errors: as above.
  base::Result<std::optional<message::SchemaId>> schema_of(const TableChoice& choice);
  /// Whether a column belongs to the table's key, by its newest table map or as the server has it now; true when
  /// neither is to be had.
  bool may_be_key(const TableChoice& choice, std::string_view column);
  /// As the server converts it; nothing when it cannot.
  std::optional<std::string> to_utf8(std::string_view charset, std::string_view text) {
    return server_.to_utf8(charset, text);
  }
  /// Null: it was not made known to readers on this connection.
  [[nodiscard]] const message::TableSchema* known(message::SchemaId schema) const;

 private:
  template <class Columns>
  base::Result<void> nothing_shown(const TableChoice& choice, const Columns& columns);
  base::Result<message::SchemaId> known_to_readers(message::TableSchema schema);
  base::Result<binlog::RowEncoder> encoder(const TableChoice& choice, const binlog::TableMap& map,
                                           const std::vector<binlog::Refinement>& refinements);

  struct Newest {
    std::uint32_t number = 0;  ///< into tables_
    bool settled = true;       ///< no statement came since that may concern it
  };

  const Selection& selection_;
  bool allows_cascades_;
  ServerTables server_;
  OtherTables others_;
  Definitions definitions_;
  Publish publish_;
  std::vector<CapturedTable> tables_;
  std::map<const TableChoice*, Newest> newest_;
  std::map<message::SchemaId, message::TableSchema> schemas_;
  std::vector<std::uint32_t> replicated_;
};

}  // namespace datasync::capture
