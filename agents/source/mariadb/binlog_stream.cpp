#include "agents/source/mariadb/binlog_stream.hpp"

#include <array>

#include <fmt/core.h>
#include <poll.h>

#include "agents/base/clock.hpp"
#include "agents/client/mysql/errors.hpp"
#include "agents/client/mysql/handle.hpp"
#include "agents/source/mariadb/packet_reader.hpp"

namespace datasync::sql {
namespace {

constexpr unsigned char kEof = 0xFE;
// Of an event: https://mariadb.com/kb/en/2-binlog-event-header/. Rotate, format and GTID list come before the search.
constexpr std::size_t kTypeAt = 4;
constexpr unsigned char kHeartbeat = 27, kGtidEvent = 162;

/// Silence is noticed by the read timeout, which the library counts in whole seconds.
std::chrono::seconds whole_seconds(std::chrono::milliseconds ms) {
  return std::max(std::chrono::ceil<std::chrono::seconds>(ms), std::chrono::seconds(1));
}

base::Error last_error(const config::HostPort& server, MYSQL* mysql, std::string_view doing) {
  const unsigned number = mysql_errno(mysql);
  const std::string_view text = mysql_error(mysql);
  return server_error(dump_reason_of({number, mysql_sqlstate(mysql), text}), server, number, text).context(doing);
}

/// What a MariaDB slave tells its master before it asks for the dump. Capability 4: GTID events and everything newer.
std::array<std::string, 4> preamble(const DumpOptions& dump) {
  const auto period = std::chrono::duration_cast<std::chrono::nanoseconds>(dump.heartbeat).count();
  return {
      "SET NAMES utf8mb4, @@SESSION.time_zone='+00:00', @@SESSION.net_write_timeout=600, "
      "@@SESSION.sql_mode='NO_BACKSLASH_ESCAPES'",
      fmt::format("SET @mariadb_slave_capability=4, @master_binlog_checksum=@@GLOBAL.binlog_checksum, "
                  "@master_heartbeat_period={}",
                  period),
      fmt::format("SET @slave_connect_state={}", quote_text(dump.position)),
      fmt::format("SET @slave_gtid_strict_mode={}, @slave_gtid_ignore_duplicates=0", dump.strict ? 1 : 0),
  };
}

}  // namespace

struct BinlogStream::Impl {
  config::HostPort server;
  DumpOptions dump;
  std::string history;
  BinlogPlace end;
  MysqlPtr mysql;
  std::unique_ptr<PacketReader> packets;
  SocketHandle socket;
  std::atomic<bool> aborted{false};
  bool searching = true;  ///< until the first event that it sends only at or after the position
  bool in_hole = false;

  base::Result<void> look();
  base::Result<void> start();
  base::Result<void> await_data();
  base::Error read_error(base::SteadyTime began);
};

base::Result<void> BinlogStream::Impl::look() {
  std::vector<Row> told, stands;
  if (!fetch_rows(mysql.get(), kBinlogHistory, told) || !fetch_rows(mysql.get(), kBinlogPlace, stands))
    return last_error(server, mysql.get(), "while reading the position of the binlog");
  DS_ASSIGN(history, read_binlog_history(told));
  DS_ASSIGN(end, read_binlog_place(stands));
  return {};
}

base::Result<void> BinlogStream::Impl::start() {
  for (const std::string& sql : preamble(dump)) {
    if (mysql_real_query(mysql.get(), sql.data(), sql.size()) != 0) {
      return last_error(server, mysql.get(), "while preparing the binlog dump");
    }
  }
  DS_TRY(look());
  // COM_BINLOG_DUMP: position:u32 flags:u16 server_id:u32 file. With @slave_connect_state set the server takes neither
  // position nor file. No flags: block at the end, no annotate events.
  std::array<unsigned char, 10> request{4, 0, 0, 0, 0, 0};
  std::memcpy(request.data() + 6, &dump.server_id, sizeof dump.server_id);
  if (mysql->methods->db_command(mysql.get(), COM_BINLOG_DUMP, reinterpret_cast<const char*>(request.data()),
                                 request.size(), 1, nullptr) != 0) {
    return last_error(server, mysql.get(), "while asking for the binlog dump");
  }
  return {};
}

base::Error BinlogStream::Impl::read_error(base::SteadyTime began) {
  const unsigned number = mysql_errno(mysql.get());
  const bool lost = number == CR_SERVER_LOST || number == CR_SERVER_GONE_ERROR || number == CR_ERR_NET_READ;
  if (aborted.load()) return server_error(base::Reason::SourceUnreachable, server, number, "the dump was aborted");
  if (lost && base::steady_now() - began >= dump.watchdog) {
    return server_error(base::Reason::SourceSilent, server, number,
                        fmt::format("no event and no heartbeat for {} ms", dump.watchdog.count()));
  }
  if (lost) return server_error(base::Reason::SourceRestarted, server, number, "the server closed the binlog dump");
  return last_error(server, mysql.get(), "while reading the binlog");
}

/// Returns when something can be read, or when reading will say what is wrong.
base::Result<void> BinlogStream::Impl::await_data() {
  auto silent = std::chrono::milliseconds(0);
  while (!aborted.load()) {
    const MARIADB_PVIO* pvio = mysql->net.pvio;
    if (pvio == nullptr || (pvio->cache != nullptr && pvio->cache_pos < pvio->cache + pvio->cache_size)) return {};
    pollfd socket_state{static_cast<int>(mysql_get_socket(mysql.get())), POLLIN, 0};
    if (poll(&socket_state, 1, static_cast<int>(dump.watchdog.count())) != 0) return {};
    silent += dump.watchdog;
    DS_TRY(dump.on_search(mysql_thread_id(mysql.get()), silent));
  }
  return {};
}

BinlogStream::BinlogStream(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

// Closing without COM_QUIT: the server is sending and would not read it.
BinlogStream::~BinlogStream() {
  impl_->socket.shut_down();
}

base::Result<std::unique_ptr<BinlogStream>> BinlogStream::open(const ConnectOptions& connect_to,
                                                               const DumpOptions& dump) {
  ConnectOptions options = connect_to;
  options.role = Role::Source;
  options.read_timeout = whole_seconds(dump.watchdog);
  DS_ASSIGN(MysqlPtr mysql, connect(options));
  auto impl = std::make_unique<Impl>();
  impl->server = options.server;
  impl->dump = dump;
  impl->socket.set(duplicate_socket(mysql.get()));
  impl->mysql = std::move(mysql);
  DS_TRY(impl->start());
  impl->packets = std::make_unique<PacketReader>(impl->mysql.get(), dump.max_event_bytes);
  return std::unique_ptr<BinlogStream>(new BinlogStream(std::move(impl)));
}

const std::string& BinlogStream::history() const noexcept {
  return impl_->history;
}
const BinlogPlace& BinlogStream::end() const noexcept {
  return impl_->end;
}

base::Result<BinlogStream::Event> BinlogStream::next(const Wanted& wanted) {
  if (impl_->searching && impl_->dump.on_search) DS_TRY(impl_->await_data());
  using Outcome = PacketReader::Outcome;
  const base::SteadyTime began = base::steady_now();
  const auto packet = impl_->packets->next([&](base::Bytes front) { return wanted(front.subspan(1)); });
  if (packet.outcome == Outcome::Lost || impl_->aborted.load()) return impl_->read_error(began);
  if (packet.outcome == Outcome::Refused) {
    impl_->in_hole = packet.text.find(kBinlogHole) != std::string::npos;
    return server_error(dump_reason_of({packet.number, "", packet.text}), impl_->server, packet.number, packet.text)
        .context("while reading the binlog");
  }
  if (packet.outcome == Outcome::TooLarge)
    return base::Error(
        base::Reason::RowTooLarge,
        fmt::format("an event of {} bytes in the binlog of {} is larger than {} bytes, the most that the "
                    "agent's memory limit allows: raise spec.capture.resources.limits.memory",
                    packet.size, impl_->server.text(), impl_->dump.max_event_bytes));
  const auto bytes = packet.bytes;
  if (!bytes.empty() && bytes[0] == std::byte{kEof} && bytes.size() < 9) {
    return server_error(base::Reason::SourceRestarted, impl_->server, 0, "the server ended the binlog dump");
  }
  if (bytes.size() < 2 || bytes[0] != std::byte{0}) {
    return server_error(base::Reason::BinlogCorrupt, impl_->server, 0, "a dump packet that is not an event");
  }
  if (impl_->searching && bytes.size() > kTypeAt + 1) {
    const auto type = static_cast<unsigned char>(bytes[kTypeAt + 1]);
    impl_->searching = type != kGtidEvent && type != kHeartbeat;
  }
  return Event{bytes.subspan(1), packet.outcome == Outcome::Whole};
}

base::Result<base::Bytes> BinlogStream::next() {
  DS_ASSIGN(const auto event, next([](base::Bytes) { return true; }));
  return event.bytes;
}

bool BinlogStream::in_hole() const noexcept {
  return impl_->in_hole;
}

void BinlogStream::abort() noexcept {
  impl_->aborted.store(true);
  impl_->socket.shut_down();
}

}  // namespace datasync::sql
