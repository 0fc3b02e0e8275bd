#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <thread>

#include "tests/support/eventually.hpp"
#include "tests/support/mariadb_server.hpp"

namespace datasync::test {

/// How many open transactions of the server have changed more than `rows` rows. The server shows a copy of what is
/// open, and makes a new copy only when no client has read the last one for 0.1 s
/// (https://mariadb.com/kb/en/information-schema-innodb_trx-table/): whoever asks more often sees the first answer for
/// ever. So this waits before it asks, and no other client may read the table at the same time.
inline std::int64_t open_transactions(MariaDbServer& server, std::int64_t rows) {
  std::this_thread::sleep_for(std::chrono::milliseconds(150));
  return server.number("SELECT COUNT(*) FROM information_schema.innodb_trx WHERE trx_rows_modified > " +
                       std::to_string(rows));
}

}  // namespace datasync::test
