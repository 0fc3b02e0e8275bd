#include "agents/source/mariadb/source.hpp"

#include <functional>
#include <utility>

#include <fmt/format.h>

#include "agents/base/log.hpp"
#include "agents/source/mariadb/binlog_stream.hpp"
#include "agents/source/mariadb/change_reader.hpp"
#include "agents/source/mariadb/continuity.hpp"
#include "agents/source/mariadb/fallen_numbers.hpp"
#include "agents/source/mariadb/gtid_order.hpp"
#include "agents/source/mariadb/row_name.hpp"
#include "agents/source/mariadb/server.hpp"

namespace datasync::source::mariadb {
namespace {

using base::Error;
using base::Reason;

class Stream final : public ChangeStream {
 public:
  Stream(std::unique_ptr<sql::BinlogStream> dump, const StreamOptions& options)
      : dump_(std::move(dump)),
        end_(dump_->end().file, dump_->end().position),
        reader_(options.position, !options.strict, options.max_event_bytes, parse_fallen(options.before_start)) {}

  [[nodiscard]] const std::string& history() const noexcept override { return dump_->history(); }
  [[nodiscard]] const Place& end() const noexcept override { return end_; }

  base::Result<void> next(ChangeHandler& handler) override {
    const auto event = dump_->next([&](base::Bytes front) { return reader_.wants_whole(handler, front); });
    if (!event) return reader_.lost(handler, event.error());
    return reader_.take(handler, event->bytes, event->whole);
  }

  [[nodiscard]] bool outside() const noexcept override { return reader_.outside(); }
  [[nodiscard]] bool in_hole() const noexcept override { return dump_->in_hole(); }
  void abort() noexcept override { dump_->abort(); }

 private:
  std::unique_ptr<sql::BinlogStream> dump_;
  Place end_;
  ChangeReader reader_;
};

/// How to connect to the server once more: secrets may have changed.
using Again = std::function<base::Result<sql::ConnectOptions>()>;

/// A dump that is silent because its server searches the binlog: it does so as long as it keeps the dump.
base::Result<void> still_dumps(const Again& again, std::uint64_t thread) {
  DS_ASSIGN(const auto server, again());
  DS_ASSIGN(const auto connection, sql::Connection::open(server));
  DS_ASSIGN(const auto rows,
            connection->query(fmt::format("SELECT COMMAND FROM information_schema.PROCESSLIST WHERE ID = {}", thread)));
  if (rows.empty())
    return Error(Reason::SourceSilent, fmt::format("{} sends nothing, and its dump has ended", server.server.text()));
  return {};
}

sql::DumpOptions dump_options(const StreamOptions& options, Again again) {
  sql::DumpOptions dump{options.position.text(), options.server_id,       options.heartbeat,
                        options.watchdog,        options.max_event_bytes, options.strict};
  if (options.on_search)
    dump.on_search = [again = std::move(again), on_search = options.on_search](
                         std::uint64_t thread, std::chrono::milliseconds silent) -> base::Result<void> {
      DS_TRY(still_dumps(again, thread));
      return on_search(silent);
    };
  return dump;
}

base::Result<std::unique_ptr<ChangeStream>> open_dump(const sql::ConnectOptions& server, const StreamOptions& options,
                                                      Again again) {
  DS_ASSIGN(auto stream, sql::BinlogStream::open(server, dump_options(options, std::move(again))));
  return std::unique_ptr<ChangeStream>(std::make_unique<Stream>(std::move(stream), options));
}

class MariaDb final : public Engine {
 public:
  MariaDb(const config::Capture& config, std::uint64_t max_row) : config_(config), max_row_(max_row) {}

  base::Result<std::unique_ptr<Server>> connect(const config::HostPort& server) const override {
    DS_ASSIGN(const auto options, connect_options(server));
    return mariadb::connect(options);
  }

  base::Result<std::unique_ptr<ChangeStream>> open_stream(const config::HostPort& server,
                                                          const StreamOptions& options) const override {
    DS_ASSIGN(const auto connect_to, connect_options(server));
    return open_dump(connect_to, options, [this, server] { return connect_options(server); });
  }

  base::Result<std::vector<std::string>> before_start(const config::HostPort& server, const StreamOptions& options,
                                                      std::stop_token stop,
                                                      const std::function<void()>& on_heard) const override {
    DS_ASSIGN(const auto connect_to, connect_options(server));
    const auto again = [this, server] { return connect_options(server); };
    DS_ASSIGN(const auto found,
              find_fallen(connect_to, dump_options(options, again), options.position, std::move(stop), on_heard));
    std::vector<std::string> out;
    for (const auto& fallen : found) {
      base::log::warn("numbers fell in the binlog before the stream begins: gtid_strict_mode was off",
                      {{"replica", server.text()}, {"last", fallen.last.text()}, {"highest", fallen.highest}});
      out.push_back(fallen_text(fallen));
    }
    return out;
  }

  [[nodiscard]] std::string name_row(const message::TableSchema& schema) const override { return row_name(schema); }

  [[nodiscard]] std::string_view fix_of_other_history() const noexcept override { return kOtherHistory; }

  [[nodiscard]] Continuity judge(const HistoryFacts& facts, const Needed& needed) const override {
    return continuity(facts, needed);
  }

  [[nodiscard]] message::GtidSet stream_position(const HistoryFacts& facts, const message::GtidSet& position,
                                                 const std::vector<std::uint32_t>& without) const override {
    return dump_position_at(facts, position, without);
  }

 private:
  [[nodiscard]] base::Result<sql::ConnectOptions> connect_options(const config::HostPort& server) const {
    DS_ASSIGN(auto out, sql::connect_options(sql::Role::Source, server, config_.credentials, config_.tls,
                                             config_.common.secrets_dir));
    out.max_packet = max_row_;
    return out;
  }

  const config::Capture& config_;
  std::uint64_t max_row_;
};

}  // namespace

std::unique_ptr<Engine> make_engine(const config::Capture& config, std::uint64_t max_row) {
  return std::make_unique<MariaDb>(config, max_row);
}

base::Result<std::unique_ptr<Server>> connect(const sql::ConnectOptions& server) {
  DS_ASSIGN(auto connection, sql::Connection::open(server));
  return std::unique_ptr<Server>(std::make_unique<MariaDbServer>(std::move(connection)));
}

base::Result<std::unique_ptr<ChangeStream>> open_stream(const sql::ConnectOptions& server,
                                                        const StreamOptions& options) {
  return open_dump(server, options, [server] { return base::Result<sql::ConnectOptions>(server); });
}

}  // namespace datasync::source::mariadb
