#include "agents/health/server.hpp"

#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <httplib.h>

namespace datasync::health {
namespace {

struct ServerTest : testing::Test {
  base::SteadyTime now{base::Millis(1)};
  Status status{{"apply", "sync/shop", "pod-1"}, base::Millis(60'000), [this] { return now; }};
  Metrics metrics;

  std::unique_ptr<Server> start(std::uint16_t port = 0, std::filesystem::path file = {}) {
    auto server = Server::start({"127.0.0.1", port, std::move(file)}, status, metrics);
    EXPECT_TRUE(server) << server.error().what;
    return std::move(*server);
  }
  static int code(const Server& server, const char* path) {
    const auto response = httplib::Client("127.0.0.1", server.port()).Get(path);
    return response ? response->status : 0;
  }
};

TEST_F(ServerTest, probes_follow_the_status) {
  const auto server = start();
  EXPECT_EQ(code(*server, "/livez"), 200);
  EXPECT_EQ(code(*server, "/readyz"), 503);
  status.set(State::Streaming);
  EXPECT_EQ(code(*server, "/readyz"), 200);
  now += base::Millis(61'000);
  EXPECT_EQ(code(*server, "/livez"), 503);
  EXPECT_EQ(code(*server, "/readyz"), 503);
  EXPECT_EQ(code(*server, "/other"), 404);
}

TEST_F(ServerTest, status_and_metrics_are_served) {
  metrics.counter("datasync_rows_total", "Rows.").add(3);
  const auto server = start();
  httplib::Client client("127.0.0.1", server->port());
  const auto json = client.Get("/status");
  ASSERT_TRUE(json);
  EXPECT_EQ(json->get_header_value("Content-Type"), "application/json");
  EXPECT_THAT(json->body, testing::HasSubstr("\"task\":\"sync/shop\""));
  const auto text = client.Get("/metrics");
  ASSERT_TRUE(text);
  EXPECT_THAT(text->body, testing::HasSubstr("datasync_rows_total 3\n"));
}

TEST_F(ServerTest, the_port_is_written_to_the_port_file) {
  const auto folder = std::filesystem::path(testing::TempDir()) / ("health" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  const auto server = start(0, folder / "port");
  std::ifstream in(folder / "port");
  int port = 0;
  in >> port;
  EXPECT_EQ(port, server->port());
  std::filesystem::remove_all(folder);
}

TEST_F(ServerTest, agents_are_reached_over_ipv6_as_well_as_over_ipv4) {
  const auto server = Server::start({}, status, metrics);
  ASSERT_TRUE(server) << server.error().what;
  for (const char* host : {"127.0.0.1", "::1"}) {
    if (std::string_view(host) == "::1" && !std::filesystem::exists("/proc/net/if_inet6")) continue;
    const auto response = httplib::Client(host, (*server)->port()).Get("/livez");
    EXPECT_TRUE(response && response->status == 200) << host << ": " << httplib::to_string(response.error());
  }
}

TEST_F(ServerTest, a_port_that_is_taken_is_an_error_and_not_shared) {
  const auto server = start();
  const auto second = Server::start({"127.0.0.1", server->port(), {}}, status, metrics);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, base::Reason::ConfigInvalid);
}

TEST_F(ServerTest, a_port_file_that_cannot_be_written_is_an_error) {
  EXPECT_FALSE(Server::start({"127.0.0.1", 0, "/nowhere/port"}, status, metrics));
}

}  // namespace
}  // namespace datasync::health
