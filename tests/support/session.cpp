#include "tests/support/session.hpp"

#include <utility>

#include <fmt/format.h>

#include "tests/support/process.hpp"

namespace datasync::test {
namespace {

std::string doubled(std::string_view text, char quote_mark) {
  std::string result(1, quote_mark);
  for (const char c : text) {
    if (c == quote_mark || (c == '\\' && quote_mark == '\'')) result += c;
    result += c;
  }
  return result + quote_mark;
}

}  // namespace

struct Session::Impl {
  Login login;
};

Session::Session(const Login& login) : impl_(new Impl{login}) {
  value("SELECT 1");
}

Session::Session(Session&&) noexcept = default;
Session& Session::operator=(Session&&) noexcept = default;
Session::~Session() = default;

std::uint64_t Session::execute(std::string_view sql) {
  query(sql);
  return 0;
}

std::vector<SqlRow> Session::query(std::string_view sql) {
  std::string text;
  try {
    text = run(
        {"mariadb", "--no-defaults", "--default-character-set=utf8mb4", "-h127.0.0.1",
         "--port=" + std::to_string(impl_->login.port), "-u" + impl_->login.user, "--password=" + impl_->login.password,
         "--connect-timeout=5", "-N", "--batch", "--init-command=SET time_zone='+00:00'"},
        std::string(sql));
  } catch (const std::runtime_error& e) {
    const std::string what = e.what();
    const auto at = what.find("ERROR ");
    throw SqlError(at == std::string::npos ? 0U : static_cast<unsigned>(std::stoul(what.substr(at + 6))), what);
  }
  std::vector<SqlRow> rows;
  SqlRow row;
  std::string field;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\t' || text[i] == '\n') {
      row.push_back(field == "NULL" ? std::nullopt : std::optional(field));
      field.clear();
      if (text[i] == '\n') rows.push_back(std::exchange(row, {}));
    } else if (text[i] == '\\') {
      ++i;
      field += text[i] == 'n' ? '\n' : text[i] == 't' ? '\t' : text[i] == '0' ? '\0' : text[i];
    } else {
      field += text[i];
    }
  }
  return rows;
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
