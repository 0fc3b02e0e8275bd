// tests/support itself: a helper that lies makes every other test worthless.

#include <fstream>
#include <set>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>

#include "tests/integration/left_connection.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/kafka_broker.hpp"
#include "tests/support/mariadb_server.hpp"
#include "tests/support/own_time.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

ProcessOptions shell(const std::string& script) {
  ProcessOptions options;
  options.args = {"bash", "-c", script};
  return options;
}

TEST(Process, ReportsHowItEnded) {
  auto failing = Process::start(shell("exit 3"));
  EXPECT_EQ(failing.wait(seconds(10)).value().code, 3);
  auto killed = Process::start(shell("kill -TERM $$"));
  EXPECT_EQ(killed.wait(seconds(10)).value().signal, SIGTERM);
  EXPECT_THROW(Process::start({.args = {"/no/such/program"}, .env = {}, .log = {}, .working_dir = {}}),
               std::system_error);
}

TEST(Process, FrozenIsRunningAndKillEndsIt) {
  auto process = Process::start(shell("sleep 100"));
  process.freeze();
  EXPECT_FALSE(process.wait(milliseconds(50)));
  EXPECT_TRUE(process.is_running());
  process.kill();
  EXPECT_FALSE(process.is_running());
  EXPECT_EQ(process.exit_status().value().signal, SIGKILL);
}

TEST(Process, InheritsNoFiles) {
  int pipe_ends[2];
  ASSERT_EQ(pipe(pipe_ends), 0);  // on purpose without O_CLOEXEC
  const TempDir dir;
  ProcessOptions options;
  options.args = {"ls", "/proc/self/fd"};  // no shell, which has files of its own for a moment
  options.log = dir.path() / "log";
  auto process = Process::start(options);
  ASSERT_TRUE(process.wait(seconds(10)));
  EXPECT_EQ(read_file(options.log), "0\n1\n2\n3\n") << "3 is the folder that ls reads";
  close(pipe_ends[0]);
  close(pipe_ends[1]);
}

TEST(Process, DiesWithTheProgramThatStartedItEvenWhenThatIsKilled) {
  const TempDir dir;
  const auto pid_file = dir.path() / "pid";
  // A second program of this kind: starts a child and is killed.
  auto starter = Process::start({.args = {"/proc/self/exe", "--gtest_also_run_disabled_tests",
                                          "--gtest_filter=Process.DISABLED_StartsAChildAndWaits"},
                                 .env = {{"DATASYNC_PID_FILE", pid_file.string()}},
                                 .log = {},
                                 .working_dir = {}});
  ASSERT_TRUE(eventually([&] { return read_file(pid_file).ends_with("\n"); }, seconds(10)));
  const auto child = std::stoi(read_file(pid_file));
  EXPECT_EQ(kill(child, 0), 0);
  starter.kill();
  EXPECT_TRUE(eventually([&] { return kill(child, 0) != 0; }, seconds(10)));
}

TEST(Process, DISABLED_StartsAChildAndWaits) {
  auto child = Process::start(shell("sleep 100"));
  write_file(std::getenv("DATASYNC_PID_FILE"), std::to_string(child.pid()) + "\n");
  child.wait(seconds(60));
}

TEST(Run, ReturnsTheOutputOrThrowsWithIt) {
  EXPECT_EQ(run({"cat"}, "text"), "text");
  try {
    run({"bash", "-c", "echo broken >&2; exit 1"});
    FAIL();
  } catch (const std::runtime_error& error) {
    EXPECT_NE(std::string(error.what()).find("broken"), std::string::npos);
  }
  EXPECT_THROW(run({"sleep", "10"}, "", milliseconds(20)), std::runtime_error);
}

TEST(PortLease, NeverGivesAPortTwice) {
  std::vector<PortLease> leases(200);
  std::set<std::uint16_t> ports;
  for (const auto& lease : leases) ports.insert(lease.port());
  EXPECT_EQ(ports.size(), leases.size());
}

TEST(PortLease, IsOfNoPortWhereAnEndedServerLeftConnections) {
  const PortLease lease;
  EXPECT_TRUE(can_listen(lease.port()));
  leave_connection(lease.port());
  EXPECT_FALSE(accepts_connections(lease.port()));
  EXPECT_FALSE(can_listen(lease.port())) << "a program whose socket has no SO_REUSEADDR could not listen";
}

/// Which has nothing to do and does not wait for a CPU either.
Process frozen() {
  auto process = Process::start(shell("sleep 1000"));
  process.freeze();
  EXPECT_TRUE(eventually(
      [&] { return read_file(fmt::format("/proc/{}/stat", process.pid())).find(") T ") != std::string::npos; },
      seconds(10)));
  return process;
}

// A server that starts while the machine is busy was given up although it made progress.
TEST(OwnTime, DoesNotCountWaitingForACpu) {
  std::int64_t ran = 0;
  std::int64_t waited = 0;
  if (!(std::ifstream("/proc/self/schedstat") >> ran >> waited) || ran == 0) GTEST_SKIP() << "it does not count";
  cpu_set_t allowed;
  ASSERT_EQ(sched_getaffinity(0, sizeof allowed, &allowed), 0);
  std::size_t cpu = 0;
  while (!CPU_ISSET(cpu, &allowed)) ++cpu;
  // Two that never wait for anything else share one CPU with the one that is to wait.
  const auto busy = fmt::format("exec taskset -c {} bash -c 'while :; do :; done'", cpu);
  const auto first = Process::start(shell(busy));
  const auto second = Process::start(shell(busy));
  const auto starved = Process::start(shell("exec nice -n 10 " + busy.substr(5)));
  const auto idle = frozen();
  OwnTime of_starved(starved.pid());
  OwnTime of_idle(idle.pid());
  OwnTime of_all;
  const auto begin = std::chrono::steady_clock::now();
  milliseconds passed{0};
  // At first it is not yet what it is to be.
  for (bool waits = false; passed < seconds(2) || (!waits && passed < seconds(60));) {
    std::this_thread::sleep_for(milliseconds(100));
    passed = of_idle.passed();
    const auto all = of_all.passed();
    waits = of_starved.passed() * 2 < passed && all * 2 < passed;
  }
  EXPECT_LE(passed, std::chrono::steady_clock::now() - begin);
  EXPECT_GE(passed, seconds(2)) << "a process that does nothing has all the time";
  EXPECT_LT(of_starved.passed() * 2, passed);
  EXPECT_LT(of_all.passed() * 2, passed) << "the one that waits is a child of this program";
}

TEST(OwnTime, LimitsAProcessThatHangs) {
  const auto hung = frozen();
  EXPECT_FALSE(eventually([] { return false; }, milliseconds(200)));
  EXPECT_TRUE(eventually([] { return true; }, milliseconds(0)));
  OwnTime time(hung.pid());
  std::this_thread::sleep_for(milliseconds(50));
  EXPECT_TRUE(time.has_reached(milliseconds(50)));
  EXPECT_FALSE(time.has_reached(seconds(1000)));
}

TEST(TempDir, IsRemovedAfterUse) {
  std::filesystem::path path;
  {
    const TempDir dir;
    path = dir.path();
    write_file(path / "file", "x");
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(MariaDbServer, ReplicatesByGtidAndKeepsItsDataThroughKill) {
  const TempDir dir;
  MariaDbServer primary(dir.path(), {.name = "primary"});
  MariaDbServer replica(dir.path(), {.name = "replica", .read_only = true});
  replica.replicate_from(primary);
  primary.create_reader("reader", "pa'ss");
  primary.execute_all(
      {"CREATE DATABASE shop", "CREATE TABLE shop.t (id INT PRIMARY KEY)", "INSERT INTO shop.t VALUES (1), (2)"});
  replica.wait_for_gtid(primary.gtid());
  EXPECT_EQ(replica.number("SELECT COUNT(*) FROM shop.t"), 2);
  EXPECT_EQ(replica.connect("reader", "pa'ss").value("SELECT @@read_only"), "1");
  EXPECT_THROW(replica.connect("reader", "wrong"), SqlError);

  replica.kill();
  primary.execute("INSERT INTO shop.t VALUES (3)");
  primary.kill();
  primary.start();
  replica.start();
  replica.wait_for_gtid(primary.gtid());
  EXPECT_EQ(replica.number("SELECT COUNT(*) FROM shop.t"), 3);
}

/// What a TLS client of this authority says of the server: openssl's words.
std::string greeting(const CertificateAuthority& ca, const std::string& server, const std::string& name,
                     const std::vector<std::string>& more = {}) {
  std::vector<std::string> args{"bash",
                                "-c",
                                "openssl s_client \"$@\" 2>&1 </dev/null; true",
                                "-",
                                "-connect",
                                server,
                                "-CAfile",
                                ca.certificate().string(),
                                "-verify_hostname",
                                name};
  args.insert(args.end(), more.begin(), more.end());
  return run(args);
}

TEST(CertificateAuthority, IssuesWhatOpensslAcceptsOrRefusesForTheGivenReason) {
  const TempDir dir;
  const CertificateAuthority ca(dir.path() / "ca", "authority");
  const CertificateAuthority other(dir.path() / "other", "other authority");
  const auto verified = [](const CertificateAuthority& by, const Certificate& it) {
    return run({"bash", "-c", "openssl verify \"$@\" 2>&1; true", "-", "-CAfile", by.certificate().string(),
                "-verify_hostname", "kafka.example", it.certificate.string()});
  };
  const std::vector<std::string> names{"DNS:kafka.example", "IP:127.0.0.1"};
  EXPECT_THAT(verified(ca, ca.issue("good", names)), testing::EndsWith("good.crt: OK\n"));
  EXPECT_THAT(verified(ca, ca.issue("old", names, {.validity = Validity::Expired, .subject = ""})),
              testing::HasSubstr("certificate has expired"));
  EXPECT_THAT(verified(ca, ca.issue("early", names, {.validity = Validity::NotYet, .subject = ""})),
              testing::HasSubstr("certificate is not yet valid"));
  EXPECT_THAT(verified(ca, ca.issue("stranger", {"DNS:other.example"})), testing::HasSubstr("hostname mismatch"));
  EXPECT_THAT(verified(other, ca.issue("good", names)), testing::HasSubstr("unable to get local issuer certificate"));
}

TEST(MariaDbServer, ShowsTheCertificateItIsGivenAndTakesANewOneWhileItRuns) {
  const TempDir dir;
  const CertificateAuthority ca(dir.path() / "ca", "authority");
  MariaDbServer server(
      dir.path(), {.address = "127.0.0.2", .tls = MariaDbTls{ca.issue("db", {"DNS:db.example"}), ca.certificate()}});
  const auto seen = [&](const std::string& name) {
    return greeting(ca, fmt::format("{}:{}", server.address(), server.port()), name, {"-starttls", "mysql"});
  };
  EXPECT_THAT(seen("db.example"), testing::HasSubstr("Verify return code: 0 (ok)"));
  EXPECT_THAT(seen("new.example"), testing::HasSubstr("Verify return code: 62 (hostname mismatch)"));
  server.replace_tls({ca.issue("new", {"DNS:new.example"}), ca.certificate()});
  EXPECT_THAT(seen("new.example"), testing::HasSubstr("Verify return code: 0 (ok)"));

  server.create_reader("reader", "secret", Require::Tls);
  EXPECT_THROW(server.connect("reader", "secret"), SqlError);  // in plain text
  MariaDbServer replica(dir.path(), {.name = "replica", .read_only = true});
  replica.replicate_from(server);
  replica.wait_for_gtid(server.gtid());
}

TEST(KafkaBroker, ShowsTheCertificateItIsGivenAndTakesANewOneWhileItRuns) {
  const TempDir dir;
  const CertificateAuthority ca(dir.path() / "ca", "authority");
  KafkaSecurity security;
  security.certificate = ca.issue("kafka", {"DNS:kafka.example"});
  security.client_ca = ca.certificate();
  security.scram_users = {{"capture", "secret"}};
  security.plain_users = {{"apply", "secret"}};
  KafkaBroker broker(dir.path(),
                     {.address = "127.0.0.2", .advertised_host = "localhost", .security = std::move(security)});
  EXPECT_EQ(broker.bootstrap(), fmt::format("localhost:{}", broker.port()));
  broker.create_topic("shop");
  broker.set_scram_user("capture", "changed");
  const auto seen = [&](const std::string& name) {
    return greeting(ca, fmt::format("127.0.0.2:{}", broker.port()), name);
  };
  EXPECT_THAT(seen("kafka.example"), testing::HasSubstr("Verify return code: 0 (ok)"));
  broker.replace_certificate(ca.issue("new", {"DNS:new.example"}));
  EXPECT_TRUE(eventually([&] { return seen("new.example").find("code: 0 (ok)") != std::string::npos; }, seconds(10)));
  broker.restart();
  EXPECT_THAT(seen("new.example"), testing::HasSubstr("Verify return code: 0 (ok)"));
}

TEST(KafkaBroker, KeepsItsTopicsThroughKillAndRestart) {
  const TempDir dir;
  KafkaBroker broker(dir.path());
  broker.create_topic("shop", 2, {{"cleanup.policy", "compact"}});
  broker.kill();
  broker.start();
  EXPECT_EQ(broker.topics(), std::vector<std::string>{"shop"});
  broker.restart();
  broker.delete_topic("shop");
  EXPECT_TRUE(broker.topics().empty());
}

}  // namespace
}  // namespace datasync::test
