#include "tests/support/proxy.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <deque>
#include <functional>
#include <list>
#include <mutex>
#include <system_error>
#include <thread>
#include <utility>
#include <vector>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace datasync::test {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kChunk = 64 * 1024;
constexpr std::size_t kQueued = 1024 * 1024;  // per direction; beyond it the sender has to wait
constexpr std::size_t kReadsAtOnce = 8;
constexpr std::int64_t kNoCut = -1;

enum class Mode : std::uint8_t { Pass, Hold, Blackhole, Refuse };

/// A socket that closes itself.
class Socket {
 public:
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (fd_ >= 0) close(fd_);
  }
  [[nodiscard]] int get() const noexcept { return fd_; }
  /// The next close sends RST.
  void reset_on_close() const {
    const linger off{1, 0};
    setsockopt(fd_, SOL_SOCKET, SO_LINGER, &off, sizeof off);
  }

 private:
  int fd_;
};

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return address;
}

void make_prompt(int fd) {
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

/// One direction of a connection: what was read from one socket and not yet written to the other.
struct Flow {
  struct Piece {
    Clock::time_point due;
    std::vector<char> bytes;
    std::size_t written = 0;
  };
  std::deque<Piece> pieces;
  std::size_t queued = 0;
  bool ended = false;      ///< the sender closed its side
  bool shut_down = false;  ///< and the receiver was notified
};

struct Link {
  Socket client, server;
  bool connected = false;  ///< connect(2) to the server has ended
  bool swallowed = false;  ///< bytes of it went into a black hole
  Flow up, down;           ///< client to server, server to client
  bool dead = false;
};

}  // namespace

struct Proxy::Impl {
  Impl(std::uint16_t upstream_port, PortLease l) : lease(std::move(l)) {
    wanted.upstream = now.upstream = upstream_port;
  }

  PortLease lease;
  Socket listener{socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
  Socket wake{eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};

  /// What was asked for, and what the thread does. It takes over all of it at once, between two rounds: a chunk that it
  /// is about to read in a round never passes under a mode that has ended.
  struct Settings {
    Mode mode = Mode::Pass;
    std::uint16_t upstream = 0;
    milliseconds delay{0};
    std::uint64_t cuts = 0;
  };
  std::mutex mutex;  ///< wanted
  Settings wanted;
  Settings now;  ///< the thread's own
  std::atomic<std::uint64_t> changes_asked = 0, changes_done = 0;
  std::atomic<std::int64_t> cut_after = kNoCut;  ///< bytes that still reach clients before a connection ends
  std::atomic<bool> stopping = false;
  std::atomic<std::uint64_t> accepted = 0, forwarded = 0;
  std::atomic<std::size_t> open = 0;
  std::list<Link> links;  ///< the thread's own
  std::jthread thread;    ///< last: joined before what it uses goes

  void poke() const {
    const std::uint64_t one = 1;
    [[maybe_unused]] const auto written = write(wake.get(), &one, sizeof one);
  }

  void listen_now() const {
    const int on = 1;
    setsockopt(listener.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const auto address = loopback(lease.port());
    if (bind(listener.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0 ||
        listen(listener.get(), 128) != 0) {
      throw std::system_error(errno, std::generic_category(), "proxy on " + lease.address());
    }
  }

  /// Returns when the thread has done it.
  void change(const std::function<void(Settings&)>& how) {
    std::uint64_t mine = 0;
    {
      const std::scoped_lock lock(mutex);
      how(wanted);
      mine = ++changes_asked;
    }
    poke();
    for (auto done = changes_done.load(); done < mine; done = changes_done.load()) changes_done.wait(done);
  }
  void set(Mode m) {
    change([m](Settings& s) { s.mode = m; });
  }

  void run() {
    while (!stopping) {
      wait();
      take_changes();
      accept_all();
      for (auto& link : links) serve(link);
      links.remove_if([](const Link& link) { return link.dead; });
      open = links.size();
    }
    for (auto& link : links) reset(link);
    links.clear();
  }

  void take_changes() {
    std::uint64_t asked = 0;
    Settings next;
    {
      const std::scoped_lock lock(mutex);
      asked = changes_asked;
      next = wanted;
    }
    if (next.cuts != now.cuts) {
      for (auto& link : links) reset(link);
      links.clear();
      open = 0;
    }
    // What was sent to the end of a black hole has disappeared, also what it did not come to read.
    if (now.mode == Mode::Blackhole && next.mode != Mode::Blackhole)
      for (auto& link : links) serve(link);
    now = next;
    changes_done = asked;
    changes_done.notify_all();
  }

  /// Blocks until a socket, a due piece or a call needs the thread.
  void wait() {
    std::vector<pollfd> waiting{{wake.get(), POLLIN, 0}, {listener.get(), POLLIN, 0}};
    auto until = Clock::now() + std::chrono::seconds(60);
    if (now.mode != Mode::Hold) {
      for (const auto& link : links) {
        watch(waiting, link.client, interest(link.up, link.down, link.connected, until));
        watch(waiting, link.server, server_interest(link, until));
      }
    }
    const auto pause = std::chrono::ceil<milliseconds>(until - Clock::now()).count();
    poll(waiting.data(), waiting.size(), static_cast<int>(std::clamp<std::int64_t>(pause, 0, 60000)));
    std::uint64_t ignored = 0;
    [[maybe_unused]] const auto got = read(wake.get(), &ignored, sizeof ignored);
  }

  /// Without interest it must not wake the thread either, as a hang-up would.
  static void watch(std::vector<pollfd>& waiting, const Socket& socket, short events) {
    if (events != 0) waiting.push_back({socket.get(), events, 0});
  }

  static short interest(const Flow& in, const Flow& out, bool connected, Clock::time_point& until) {
    int events = connected && !in.ended && in.queued < kQueued ? POLLIN : 0;
    if (!out.pieces.empty()) {
      if (out.pieces.front().due <= Clock::now()) {
        events |= POLLOUT;
      } else {
        until = std::min(until, out.pieces.front().due);
      }
    }
    return static_cast<short>(events);
  }

  static short server_interest(const Link& link, Clock::time_point& until) {
    return link.connected ? interest(link.down, link.up, true, until) : static_cast<short>(POLLOUT);
  }

  void accept_all() {
    for (;;) {
      Socket client(accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
      if (client.get() < 0) return;
      ++accepted;
      if (now.mode == Mode::Refuse) {
        client.reset_on_close();
        continue;
      }
      make_prompt(client.get());
      Socket server(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
      make_prompt(server.get());
      const auto address = loopback(now.upstream);
      const int result = connect(server.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
      if (result != 0 && errno != EINPROGRESS) {
        client.reset_on_close();
        continue;
      }
      links.push_back({std::move(client), std::move(server), false, now.mode == Mode::Blackhole, {}, {}, false});
    }
  }

  void serve(Link& link) {
    if (now.mode == Mode::Hold) return;
    if (now.mode != Mode::Blackhole && link.swallowed) return reset(link);
    if (!link.connected && !finish_connect(link)) return;
    pump(link, link.client, link.server, link.up);
    pump(link, link.server, link.client, link.down);
    if (link.up.shut_down && link.down.shut_down) link.dead = true;
  }

  static bool finish_connect(Link& link) {
    pollfd state{link.server.get(), POLLOUT, 0};
    if (poll(&state, 1, 0) == 0) return false;
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(link.server.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) {
      reset(link);
      return false;
    }
    return link.connected = true;
  }

  void pump(Link& link, const Socket& from, const Socket& to, Flow& flow) {
    if (link.dead) return;
    for (std::size_t i = 0; i < kReadsAtOnce && !flow.ended && flow.queued < kQueued; ++i) {
      std::vector<char> bytes(kChunk);
      const auto got = recv(from.get(), bytes.data(), bytes.size(), 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) break;
      if (got < 0) return reset(link);
      if (got == 0) {
        flow.ended = true;
      } else if (now.mode == Mode::Blackhole) {
        link.swallowed = true;
      } else {
        bytes.resize(static_cast<std::size_t>(got));
        flow.queued += bytes.size();
        flow.pieces.push_back({Clock::now() + now.delay, std::move(bytes), 0});
      }
    }
    if (now.mode != Mode::Blackhole) flush(link, to, flow);
  }

  void flush(Link& link, const Socket& to, Flow& flow) {
    while (!flow.pieces.empty() && flow.pieces.front().due <= Clock::now()) {
      auto& piece = flow.pieces.front();
      auto size = piece.bytes.size() - piece.written;
      const auto left = &flow == &link.down ? cut_after.load() : kNoCut;
      if (left == 0) {
        cut_after = kNoCut;
        return end(link);
      }
      if (left > 0) size = std::min(size, static_cast<std::size_t>(left));
      const auto sent = send(to.get(), piece.bytes.data() + piece.written, size, MSG_NOSIGNAL);
      if (sent < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (sent < 0) return reset(link);
      piece.written += static_cast<std::size_t>(sent);
      flow.queued -= static_cast<std::size_t>(sent);
      forwarded += static_cast<std::uint64_t>(sent);
      if (left > 0) cut_after = left - sent;
      if (piece.written == piece.bytes.size()) flow.pieces.pop_front();
    }
    if (flow.ended && flow.pieces.empty() && !flow.shut_down) {
      shutdown(to.get(), SHUT_WR);
      flow.shut_down = true;
    }
  }

  /// The client reads what was sent so far, then the end.
  static void end(Link& link) {
    shutdown(link.client.get(), SHUT_WR);
    link.dead = true;
  }

  static void reset(Link& link) {
    link.client.reset_on_close();
    link.server.reset_on_close();
    link.dead = true;
  }
};

Proxy::Proxy(std::uint16_t upstream) : Proxy(upstream, PortLease()) {}

Proxy::Proxy(std::uint16_t upstream, PortLease lease) : impl_(std::make_unique<Impl>(upstream, std::move(lease))) {
  impl_->listen_now();
  impl_->thread = std::jthread([impl = impl_.get()] { impl->run(); });
}

Proxy::~Proxy() {
  impl_->stopping = true;
  impl_->poke();
}

std::uint16_t Proxy::port() const {
  return impl_->lease.port();
}

void Proxy::pass() {
  impl_->change([](auto& s) {
    s.mode = Mode::Pass;
    s.delay = milliseconds(0);
  });
}

void Proxy::cut() {
  impl_->change([](auto& s) { ++s.cuts; });
}

void Proxy::hold() {
  impl_->set(Mode::Hold);
}
void Proxy::blackhole() {
  impl_->set(Mode::Blackhole);
}
void Proxy::refuse() {
  impl_->set(Mode::Refuse);
}
void Proxy::delay(milliseconds by) {
  impl_->change([by](auto& s) { s.delay = by; });
}
void Proxy::cut_after(std::uint64_t bytes) {
  impl_->cut_after = static_cast<std::int64_t>(bytes);
}
bool Proxy::cut_happened() const {
  return impl_->cut_after == kNoCut;
}
void Proxy::change_upstream(std::uint16_t upstream) {
  impl_->change([upstream](auto& s) { s.upstream = upstream; });
}

std::size_t Proxy::connections() const {
  return impl_->open;
}
std::uint64_t Proxy::accepted() const {
  return impl_->accepted;
}
std::uint64_t Proxy::bytes_forwarded() const {
  return impl_->forwarded;
}

}  // namespace datasync::test
