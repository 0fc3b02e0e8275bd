#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace datasync::test {

/// A statement that failed: the server's error number (0: no server answered) and words.
struct SqlError : std::runtime_error {
  SqlError(unsigned n, const std::string& words) : std::runtime_error(words), number(n) {}
  unsigned number;
};

using SqlRow = std::vector<std::optional<std::string>>;  ///< NULL is nullopt

struct Login {
  std::uint16_t port = 0;
  std::string user = "root";
  std::string password;
};

/// One connection to a server on 127.0.0.1: utf8mb4, time zone +00:00, autocommit. Failed statements throw SqlError.
/// One thread at a time.
class Session {
 public:
  /// Throws SqlError when the server refuses or does not answer.
  explicit Session(const Login& login);
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;
  ~Session();

  /// Returns affected rows.
  std::uint64_t execute(std::string_view sql);
  /// Reads the whole result.
  std::vector<SqlRow> query(std::string_view sql);
  /// The first column of the first row; throws when there is no row, "" for NULL.
  std::string value(std::string_view sql);
  std::int64_t number(std::string_view sql);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

std::string quote(std::string_view text);       ///< 'it''s'; backslashes are left alone, as Session's sql_mode wants it
std::string quote_name(std::string_view name);  ///< `a``b`
/// "shop.orders" -> `shop`.`orders`; the first dot separates.
std::string quote_table(std::string_view table);

}  // namespace datasync::test
