#include "tests/integration/apply_environment.hpp"

#include <stdexcept>

#include <fmt/format.h>

#include "agents/kafka/client.hpp"
#include "agents/kafka/logs.hpp"
#include "agents/kafka/testing/mock_cluster.hpp"
#include "agents/message/digest.hpp"
#include "agents/message/row.hpp"
#include "tests/support/eventually.hpp"

namespace datasync::test::apply_environment {
namespace {

template <class T>
T must(base::Result<T> result) {
  if (!result) throw std::runtime_error(result.error().what);
  return std::move(*result);
}
void must(const base::Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().what);
}

message::Column column(const std::string& name, message::ColumnType type, bool nullable) {
  message::Column c;
  c.name = name;
  c.type = type;
  c.nullable = nullable;
  return c;
}

std::string with_op(message::Op op, const std::string& images) {
  return static_cast<char>(op) + images;
}

std::string child_image(int id, int parent) {
  base::Buffer out;
  message::ImageWriter image(out, 2);
  image.fixed(static_cast<std::int32_t>(id));
  image.fixed(static_cast<std::int32_t>(parent));
  return std::string(out.text());
}

MariaDbOptions destination_options() {
  MariaDbOptions options;
  options.name = "destination";
  return options;
}

}  // namespace

Environment::Environment()
    : broker_(folder_.path()), destination_(folder_.path(), destination_options()), proxy_(destination_.port()) {
  destination_.create_writer("writer", "secret");
  credentials_ = write_credentials(folder_.path() / "secrets", "writer", "writer", "secret");
}

Environment::~Environment() {
  stop_agents();
}

void Environment::fresh(const std::string& test) {
  test_ = test;
  topic_ = "t" + std::to_string(std::hash<std::string>{}(test) % 1000000);
  database_ = "d_" + topic_;
  epoch_ = sequence_ = 1;
  next_offset_ = 0;
  wide_ = false;
  destination_.execute("CREATE OR REPLACE DATABASE " + database_);
  const auto access = must(kafka::access(config().common.channel, folder_.path()));
  const auto admin = must(kafka::Admin::open(access));
  must(admin->create(topic_, 1, 1, {{"retention.ms", "-1"}}));
  must(admin->create(topic_ + ".state", 1, 1, {{"cleanup.policy", "compact"}}));
  producer_ = must(kafka::Producer::open(access, topic_, {}, [](std::uint64_t, std::int64_t) {}));
  state_ = must(kafka::open_state_log(access, topic_ + ".state"));
  publish(schema());
  publish(child_schema());
  put({message::Kind::Start, "", message::Epoch(epoch_), message::End::None},
      encode(message::Start{message::Epoch(epoch_), "test"}));
}

void Environment::stop_agents() {
  agents_.clear();
}

config::Apply Environment::config() const {
  config::Apply c;
  c.common.name = "test/" + topic_;
  c.common.secrets_dir = folder_.path() / "secrets";
  c.common.log_level = "debug";
  c.common.channel.bootstrap_servers = broker_.bootstrap();
  c.common.channel.topic = topic_;
  c.common.channel.replication_factor = 1;
  c.destination = {"127.0.0.1", destination_.port()};
  c.credentials = credentials_;
  return c;
}

config::Apply Environment::proxied() const {
  auto c = config();
  c.destination.port = proxy_.port();
  return c;
}

void Environment::start_agent(const config::Apply& config) {
  agents_.push_back(std::make_unique<Agent>(folder_.path(), fmt::format("{}-{}", topic_, agents_.size()), config));
  agents_.back()->start();
}

Agent& Environment::start_second() {
  start_agent(config());
  return *agents_.back();
}

message::TableSchema Environment::schema() const {
  message::TableSchema s;
  s.database = database_;
  s.table = "t";
  s.columns = {column("id", message::ColumnType::Int, false), column("name", message::ColumnType::VarChar, true)};
  s.columns[1].length = 120;
  s.columns[1].charset = "utf8mb4";
  s.columns[1].collation = "utf8mb4_general_ci";
  if (wide_) s.columns.push_back(column("added", message::ColumnType::BigInt, true));
  s.key = {0};
  return s;
}

message::TableSchema Environment::child_schema() const {
  message::TableSchema s;
  s.database = database_;
  s.table = "child";
  s.columns = {column("id", message::ColumnType::Int, false), column("parent", message::ColumnType::Int, true)};
  s.key = {0};
  return s;
}

void Environment::publish(const message::TableSchema& schema) {
  must(state_->append(message::Kind::SchemaBody, message::schema_key(schema.id()), serialize(schema)));
}

void Environment::create_table(const std::string& more, const std::string& collation) {
  destination_.execute(
      fmt::format("CREATE TABLE {} (id INT PRIMARY KEY, name VARCHAR(30) CHARACTER SET utf8mb4 COLLATE {}{})", table(),
                  collation, more));
}

void Environment::create_child_table() {
  destination_.execute(
      fmt::format("CREATE TABLE `{0}`.child (id INT PRIMARY KEY, parent INT, CONSTRAINT parent_of_child "
                  "FOREIGN KEY (parent) REFERENCES `{0}`.t (id))",
                  database_));
}

std::string Environment::image(int id, const std::string& name) const {
  base::Buffer out;
  message::ImageWriter image(out, wide_ ? 3 : 2);
  image.fixed(static_cast<std::int32_t>(id));
  image.bytes(base::as_bytes(name));
  if (wide_) image.fixed(std::int64_t{42});
  return std::string(out.text());
}

Row Environment::insert(int id, const std::string& name) const {
  return {false, with_op(message::Op::Insert, image(id, name))};
}
Row Environment::update(int id, const std::string& name, int new_id, const std::string& new_name) const {
  return {false, with_op(message::Op::Update, image(id, name) + image(new_id, new_name))};
}
Row Environment::erase(int id, const std::string& name) const {
  return {false, with_op(message::Op::Delete, image(id, name))};
}
Row Environment::insert_child(int id, int parent) const {
  return {true, with_op(message::Op::Insert, child_image(id, parent))};
}
Row Environment::update_child(int id, int parent, int new_parent) const {
  return {true, with_op(message::Op::Update, child_image(id, parent) + child_image(id, new_parent))};
}
Row Environment::erase_child(int id, int parent) const {
  return {true, with_op(message::Op::Delete, child_image(id, parent))};
}
Row Environment::truncate() {
  return {false, with_op(message::Op::Truncate, "")};
}

void Environment::add_source_column() {
  wide_ = true;
  publish(schema());
}

std::vector<message::TableRows> Environment::tables(const std::vector<Row>& rows) const {
  std::vector<message::TableRows> out;
  const auto id = schema().id();
  const auto child_id = child_schema().id();
  for (const auto& row : rows) {
    const auto of = row.child ? child_id : id;
    if (out.empty() || out.back().schema != of) {
      message::TableRows next;
      next.schema = of;
      next.order = static_cast<std::uint32_t>(out.size());
      out.push_back(next);
    }
    ++out.back().count;
    out.back().rows += row.bytes;
  }
  return out;
}

void Environment::put(const message::Headers& headers, const std::string& value) {
  base::Buffer buffer;
  buffer.append(value);
  must(producer_->produce(0, headers, "", std::move(buffer), 1, {}));
  must(producer_->flush({}));
  ++next_offset_;
}

void Environment::fragment(const std::vector<Row>& rows, std::uint32_t number, message::End end,
                           const std::string& type) {
  message::Change change;
  change.gtid = {0, 1, sequence_};
  change.commit_time_us = 1;
  change.fragment = number;
  change.last = end == message::End::Transaction;
  change.tables = tables(rows);
  put({message::Kind::Change, type, message::Epoch(epoch_), end}, encode(change));
}

void Environment::transaction(const std::vector<Row>& rows) {
  fragment(rows, 0, message::End::Transaction);
  ++sequence_;
}

void Environment::new_epoch() {
  ++epoch_;
  put({message::Kind::Start, "", message::Epoch(epoch_), message::End::None},
      encode(message::Start{message::Epoch(epoch_), "test"}));
}

void Environment::snapshot_begin() {
  message::Snapshot s{"s1", message::Snapshot::Phase::Begin, {}, {database_ + ".t", database_ + ".child"}, 0, false,
                      {}};
  put({message::Kind::Snapshot, "", message::Epoch(epoch_), message::End::None}, encode(s));
}
void Environment::snapshot_chunk(const std::vector<Row>& rows) {
  message::Snapshot s{"s1", message::Snapshot::Phase::Rows, {}, {}, 0, true, tables(rows)};
  put({message::Kind::Snapshot, "orders", message::Epoch(epoch_), message::End::Transaction}, encode(s));
}
void Environment::snapshot_end() {
  message::Snapshot s{"s1", message::Snapshot::Phase::End, {}, {}, 0, false, {}};
  put({message::Kind::Snapshot, "", message::Epoch(epoch_), message::End::None}, encode(s));
}

void Environment::drop_note() {
  const message::SchemaNote note{
      {0, 1, sequence_++}, database_, "t", message::SchemaNote::What::Dropped, "DROP TABLE t"};
  put({message::Kind::Schema, "orders", message::Epoch(epoch_), message::End::Transaction}, encode(note));
}

void Environment::verify(const std::vector<std::pair<int, std::string>>& rows) {
  message::TableDigest digest;
  for (const auto& [id, name] : rows) digest.add(base::as_bytes(image(id, name)));
  message::Verify v;
  v.id = "v1";
  v.database = database_;
  v.table = "t";
  v.schema = schema().id();
  v.rows = digest.rows;
  v.checksum_low = digest.low;
  v.checksum_high = digest.high;
  v.last = true;
  put({message::Kind::Verify, "orders", message::Epoch(epoch_), message::End::None}, encode(v));
}

std::int64_t Environment::put_foreign_bytes() {
  put({message::Kind::Change, "orders", message::Epoch(epoch_), message::End::Transaction}, "\xff\xff not ours");
  return next_offset_ - 1;
}

std::int64_t Environment::put_unreadable_headers() {
  const auto access = must(kafka::access(config().common.channel, folder_.path()));
  kafka::produce_raw(access, topic_, {{"kind", "novelty"}, {"epoch", std::to_string(epoch_)}}, "of a newer version");
  return next_offset_++;
}

std::string Environment::content() {
  try {
    return destination_.value(
        "SELECT COALESCE(GROUP_CONCAT(CONCAT(id, '=', name) ORDER BY id SEPARATOR ' '), '') FROM " + table());
  } catch (const SqlError& error) {
    return error.what();
  }
}

bool Environment::becomes(const std::string& wanted, milliseconds limit) {
  return eventually([&] { return content() == wanted; }, limit);
}

bool Environment::counts_to(std::int64_t rows, milliseconds limit) {
  return eventually(
      [&] {
        try {
          return destination_.number("SELECT COUNT(*) FROM " + table()) == rows;
        } catch (const SqlError&) {
          return false;
        }
      },
      limit);
}

bool Environment::table_disappears() {
  return eventually(
      [&] {
        return destination_.number(
                   "SELECT COUNT(*) FROM information_schema.tables WHERE table_name='t' AND table_schema='" +
                   database_ + "'") == 0;
      },
      milliseconds(40000));
}

std::uint64_t Environment::duplicates() {
  const auto status = agent().status();
  return status ? status->number("/duplicatesRefused") : 999;
}

std::string Environment::diagnostics() {
  std::string text = "the table holds: " + content().substr(0, 500) + "\n";
  for (const auto& a : agents_) {
    const auto status = a->status();
    text += a->name() + ": " + (status ? status->json : "no answer") + "\n" + a->log_tail() + "\n";
  }
  return text;
}

}  // namespace datasync::test::apply_environment
