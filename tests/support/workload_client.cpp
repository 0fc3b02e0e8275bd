#include "tests/support/workload_client.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace datasync::test {

WorkloadClient::WorkloadClient(int number, const WorkloadOptions& options, WorkloadShared& shared)
    : number_(number),
      options_(options),
      shared_(shared),
      random_(options.seed * 1000 + static_cast<unsigned>(number)) {}

bool WorkloadClient::step(Session& session) {
  std::discrete_distribution<int> weights{35, 15, 14, 7, 8, 4, 8, 5, 4};
  const auto kind = static_cast<Kind>(weights(random_));
  session.execute("START TRANSACTION");
  switch (kind) {
    case Kind::Transfer:
      transfer(session);
      break;
    case Kind::NewOrder:
      new_order(session);
      break;
    case Kind::ChangeOrder:
      change_order(session);
      break;
    case Kind::DeleteOrder:
      delete_order(session);
      break;
    case Kind::SwapPlaces:
      swap_places(session);
      break;
    case Kind::MovePlace:
      move_place(session);
      break;
    case Kind::Upsert:
      upsert(session);
      break;
    case Kind::Rename:
      rename(session);
      break;
    case Kind::Undo:
      undo(session);
      break;
  }
  if (kind == Kind::Undo && pick(0, 1) == 0) {
    session.execute("ROLLBACK");
    ++shared_.rolled_back;
    return false;
  }
  session.execute("COMMIT");
  ++shared_.committed;
  return true;
}

std::int64_t WorkloadClient::pick(std::int64_t low, std::int64_t high) {
  return std::uniform_int_distribution<std::int64_t>(low, std::max(low, high))(random_);
}

std::string WorkloadClient::word() {
  static constexpr std::array<const char*, 8> kWords{"plain",  "it''s",      "Grüße", "naïve", "\xF0\x9F\x9A\x9A",
                                                     "tab\\t", "\"quoted\"", ""};
  return fmt::format("{} {}", kWords[static_cast<std::size_t>(pick(0, 7))], pick(0, 999999));
}

std::string WorkloadClient::table(const std::string& name) const {
  return quote_name(options_.database) + "." + name;
}

/// An id at or after a random one, or 0: most random ids are there, some were deleted.
std::int64_t WorkloadClient::existing(Session& session, const std::string& table_name, std::uint64_t below) {
  const auto rows = session.query(fmt::format("SELECT id FROM {} WHERE id >= {} ORDER BY id LIMIT 1", table(table_name),
                                              pick(1, static_cast<std::int64_t>(below))));
  return rows.empty() ? 0 : std::stoll(rows.front().front().value());
}

void WorkloadClient::audit(Session& session, const std::string& what) {
  session.execute(fmt::format("INSERT INTO {} (seq, client, what, at) VALUES ({}, {}, '{}', NOW(6))", table("audit"),
                              shared_.next_audit++, number_, what));
}

void WorkloadClient::transfer(Session& session) {
  auto from = pick(1, options_.accounts);
  auto to = pick(1, options_.accounts);
  auto amount = pick(1, 50);
  if (from > to) {  // rows in one order: no deadlock between clients
    std::swap(from, to);
    amount = -amount;
  }
  const auto move = [&](std::int64_t account, std::int64_t by) {
    session.execute(fmt::format("UPDATE {} SET balance = balance + {}, moves = moves + 1 WHERE id = {}",
                                table("accounts"), by, account));
  };
  move(from, -amount);
  move(to, amount);
  audit(session, fmt::format("{} from {} to {}", amount, from, to));
}

void WorkloadClient::new_order(Session& session) {
  const auto id = shared_.next_order++;
  session.execute(
      fmt::format("INSERT INTO {} (id, customer, state, total, note, created) VALUES ({}, {}, 'new', 0, '{}', NOW(3))",
                  table("orders"), id, pick(1, 500), word()));
  const auto lines = pick(1, 6);
  std::string rows;
  for (std::int64_t line = 1; line <= lines; ++line) {
    rows += fmt::format("{}({}, {}, 'sku-{}', {}, {}.{:02})", rows.empty() ? "" : ", ", id, line, pick(1, 300),
                        pick(1, 9), pick(0, 99), pick(0, 99));
  }
  session.execute(
      fmt::format("INSERT INTO {} (order_id, line, sku, quantity, price) VALUES {}", table("order_items"), rows));
  session.execute(
      fmt::format("UPDATE {0} SET total = (SELECT SUM(quantity * price) FROM {1} WHERE order_id = {2}) WHERE id = {2}",
                  table("orders"), table("order_items"), id));
}

void WorkloadClient::change_order(Session& session) {
  const auto id = existing(session, "orders", shared_.next_order);
  session.execute(fmt::format(
      "UPDATE {} SET state = '{}', note = IF({} = 0, NULL, '{}') WHERE id = {}", table("orders"),
      std::array{"new", "paid", "sent", "back"}[static_cast<std::size_t>(pick(0, 3))], pick(0, 4), word(), id));
  if (pick(0, 2) == 0) {
    session.execute(fmt::format("UPDATE {} SET quantity = quantity + 1 WHERE order_id = {}", table("order_items"), id));
  }
}

void WorkloadClient::delete_order(Session& session) {
  const auto id = existing(session, "orders", shared_.next_order);
  session.execute(fmt::format("DELETE FROM {} WHERE order_id = {}", table("order_items"), id));
  session.execute(fmt::format("DELETE FROM {} WHERE id = {}", table("orders"), id));
}

/// Two rows change their unique values: over NULL in one transaction, or by one leaving and the other taking it next
/// time.
void WorkloadClient::swap_places(Session& session) {
  const auto first = existing(session, "places", shared_.next_place);
  const auto second = existing(session, "places", shared_.next_place);
  const auto rows = session.query(fmt::format("SELECT id, seat FROM {} WHERE id IN ({}, {}) ORDER BY id FOR UPDATE",
                                              table("places"), first, second));
  if (rows.size() < 2) return;
  const auto set = [&](const std::optional<std::string>& id, const std::optional<std::string>& seat) {
    session.execute(fmt::format("UPDATE {} SET seat = {} WHERE id = {}", table("places"), seat.value_or("NULL"), *id));
  };
  set(rows[0][0], std::nullopt);
  set(rows[1][0], rows[0][1]);
  if (pick(0, 3) > 0) set(rows[0][0], rows[1][1]);
}

void WorkloadClient::move_place(Session& session) {
  const auto id = existing(session, "places", shared_.next_place);
  session.execute(fmt::format("UPDATE {} SET id = {} WHERE id = {}", table("places"), shared_.next_place++, id));
}

void WorkloadClient::upsert(Session& session) {
  const auto id = pick(1, static_cast<std::int64_t>(shared_.next_place.load()));
  if (pick(0, 1) == 0) {
    session.execute(
        fmt::format("INSERT INTO {} (id, label) VALUES ({}, '{}') ON DUPLICATE KEY UPDATE label = VALUES(label)",
                    table("places"), id, word()));
  } else {  // may throw out two rows: the one of the id and the one of the seat
    session.execute(fmt::format("REPLACE INTO {} (id, seat, label) VALUES ({}, {}, '{}')", table("places"), id,
                                pick(1, 1000), word()));
  }
}

void WorkloadClient::rename(Session& session) {
  const auto low = pick(1, options_.accounts);
  session.execute(fmt::format("UPDATE {} SET owner = '{}' WHERE id BETWEEN {} AND {}", table("accounts"), word(), low,
                              low + pick(0, 5)));
}

/// Work that is partly or wholly undone.
void WorkloadClient::undo(Session& session) {
  rename(session);
  session.execute("SAVEPOINT before_order");
  new_order(session);
  session.execute("ROLLBACK TO SAVEPOINT before_order");
  audit(session, "undone");
}

}  // namespace datasync::test
