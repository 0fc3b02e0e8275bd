#pragma once
// The captured tables as one binlog connection sees them: from table maps to encoders and known schemas.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "agents/base/result.hpp"
#include "agents/binlog/row_encoder.hpp"
#include "agents/binlog/schema.hpp"
#include "agents/capture/selection.hpp"
#include "agents/sql/connection.hpp"
#include "agents/sql/table_reader.hpp"

namespace datasync::capture {

/// What the server knows of columns and a table map does not say (UUID, INET, generated), matched by name and only
/// where the binlog's type fits.
std::vector<binlog::Refinement> refine(const binlog::TableMap& map, const message::TableSchema& server);

/// One version of one captured table.
struct CapturedTable {
  const TableChoice* choice = nullptr;
  message::SchemaId schema;
  binlog::RowEncoder encoder;
  binlog::TableMap map;  ///< without its id, which is another one whenever the server opens the table anew
  std::vector<binlog::Refinement> refinements;
};

/// Owned by the dump thread.
class Catalog {
 public:
  using Connect = std::function<base::Result<std::unique_ptr<sql::Connection>>()>;
  using Publish = std::function<base::Result<void>(const message::TableSchema&)>;

  /// `publish` makes a schema known to readers before the first row that needs it is sent.
  Catalog(Connect connect, Publish publish);

  /// Makes the table of a map ready and gives its number: that of a table map before it, if they differ in nothing but
  /// the id and the server knows the columns as it did then. Errors: those of RowEncoder::make, of the server and of
  /// publish.
  base::Result<std::uint32_t> add(const TableChoice& choice, binlog::TableMap map);
  [[nodiscard]] CapturedTable& table(std::uint32_t number) { return tables_[number]; }
  /// The schema a table has now: of its newest table map, or as the server tells. Errors: as above; TableDropped.
  base::Result<message::SchemaId> schema_of(const TableChoice& choice);
  /// Whether a column belongs to the table's key, by its newest table map or as the server tells now; true when neither
  /// is to be had.
  bool may_be_key(const TableChoice& choice, std::string_view column);
  /// "shop.orders (id=7)"
  [[nodiscard]] std::string name_row(message::SchemaId schema, base::Bytes row) const;

 private:
  base::Result<sql::Connection*> connection();
  base::Result<void> read_collations();
  base::Result<std::optional<sql::TableInfo>> info(const TableChoice& choice);
  std::optional<std::string> to_utf8(std::string_view charset, std::string_view text);

  Connect connect_;
  Publish publish_;
  std::unique_ptr<sql::Connection> connection_;
  std::map<std::uint32_t, binlog::Collation> collations_;
  std::vector<CapturedTable> tables_;
  std::map<const TableChoice*, std::uint32_t> newest_;  ///< into tables_
  std::map<message::SchemaId, message::TableSchema> schemas_;
};

}  // namespace datasync::capture
