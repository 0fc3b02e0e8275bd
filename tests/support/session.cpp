#include "tests/support/session.hpp"

#include <utility>

#include <fmt/format.h>

#include "agents/client/mysql/connection.hpp"

namespace datasync::test {
namespace {

std::string doubled(std::string_view text, char quote_mark) {
  std::string result(1, quote_mark);
  for (const char c : text) {
    if (c == quote_mark) result += c;
    result += c;
  }
  return result + quote_mark;
}

}  // namespace

struct Session::Impl {
  std::unique_ptr<sql::Connection> connection;

  template <class T>
  T checked(base::Result<T> result, std::string_view sql) {
    if (result) return std::move(*result);
    throw SqlError(connection->last_errno(), fmt::format("{}: {}", sql.substr(0, 300), result.error().what));
  }
};

Session::Session(const Login& login) : impl_(std::make_unique<Impl>()) {
  sql::ConnectOptions options;
  options.role = sql::Role::Destination;
  options.server = {"127.0.0.1", login.port};
  options.user = login.user;
  options.password = base::Secret(login.password);
  options.read_timeout = std::chrono::seconds(600);
  auto opened = sql::Connection::open(options);
  if (!opened) throw SqlError(0, fmt::format("connecting to port {}: {}", login.port, opened.error().what));
  impl_->connection = std::move(*opened);
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

std::uint64_t Session::execute(std::string_view sql) {
  return impl_->checked(impl_->connection->execute(sql), sql);
}

std::vector<SqlRow> Session::query(std::string_view sql) {
  return impl_->checked(impl_->connection->query(sql), sql);
}

std::string Session::value(std::string_view sql) {
  const auto rows = query(sql);
  if (rows.empty() || rows.front().empty()) throw SqlError(0, fmt::format("{}: no row", sql));
  return rows.front().front().value_or("");
}

std::int64_t Session::number(std::string_view sql) {
  return std::stoll(value(sql));
}

std::string quote(std::string_view text) {
  return doubled(text, '\'');
}
std::string quote_name(std::string_view name) {
  return doubled(name, '`');
}

std::string quote_table(std::string_view table) {
  const auto dot = table.find('.');
  if (dot == std::string_view::npos) throw std::invalid_argument(fmt::format("not database.table: {}", table));
  return quote_name(table.substr(0, dot)) + "." + quote_name(table.substr(dot + 1));
}

}  // namespace datasync::test
