#include "agents/apply/write/verify.hpp"

namespace datasync::apply {

base::Result<message::TableDigest> digest_table(DestinationServer& connection, const message::TableSchema& schema,
                                                std::string_view database, std::string_view table,
                                                const std::function<base::Result<void>()>& beat) {
  constexpr std::uint64_t kRowsABeat = 1024;
  DS_ASSIGN(const auto reader, connection.read(schema, {std::string(database), std::string(table)}));
  message::TableDigest digest;
  base::Buffer image;
  while (true) {
    image.clear();
    DS_ASSIGN(const bool more, reader->next(image));
    if (!more) return digest;
    digest.add(image.bytes());
    if (digest.rows % kRowsABeat == 0) DS_TRY(beat());
  }
}

}  // namespace datasync::apply
