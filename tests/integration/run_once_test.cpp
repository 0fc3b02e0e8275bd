// `datasync run` and `datasync tail` with the real agents, from a resource file.
#include <filesystem>
#include <sstream>

#include <gmock/gmock.h>

#include "tests/integration/e2e_fixture.hpp"

namespace datasync::test {
namespace {

using testing::HasSubstr;

class RunOnce : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    fixture_ = std::make_unique<Fixture>(FixtureOptions{});
    auto session = fixture_->source().connect();
    session.execute("CREATE DATABASE shop");
    session.execute("CREATE TABLE shop.orders (id INT PRIMARY KEY, note VARCHAR(40)) CHARACTER SET utf8mb4");
    session.execute("CREATE TABLE shop.people (id INT PRIMARY KEY, secret VARCHAR(40))");
    session.execute("INSERT INTO shop.orders SELECT seq, CONCAT('note ', seq) FROM shop.seq_1_to_5000");
    session.execute("INSERT INTO shop.people VALUES (1, 'nobody asked for this')");
  }
  static void TearDownTestSuite() { fixture_.reset(); }

  static std::filesystem::path resource(const std::string& name) {
    const auto file = fixture_->folder() / (name + ".yaml");
    std::ostringstream out;
    out << "apiVersion: datasync.dev/v1alpha1\nkind: DataSync\nmetadata: {name: " << name << ", namespace: sync}\n"
        << "spec:\n  mode: Once\n  source:\n    replicas: [{host: 127.0.0.1, port: " << fixture_->source().port()
        << "}]\n"
        << "    allowPrimary: true\n    credentials: {secretName: reader}\n"
        << "    types:\n      - {name: orders, tables: [shop.orders]}\n      - {name: people, tables: [shop.people]}\n"
        << "  channel: {bootstrapServers: \"" << fixture_->broker().bootstrap() << "\", topic: " << name
        << ", replicationFactor: 1}\n"
        << "  destination: {host: 127.0.0.1, port: " << fixture_->destination().port()
        << ", credentials: {secretName: writer}}\n  types: [orders]\n";
    write_file(file, out.str());
    return file;
  }

  static std::vector<std::string> command(std::vector<std::string> args) {
    args.insert(args.begin(), built_program("datasync").string());
    return args;
  }

  static std::unique_ptr<Fixture> fixture_;
};
std::unique_ptr<Fixture> RunOnce::fixture_;

TEST_F(RunOnce, copies_verifies_exits_zero_and_tail_shows_the_records) {
  const auto file = resource("shop");
  ProcessOptions options;
  options.args = command({"run", "-f", file.string(), "--secrets", fixture_->secrets().string(), "--agents-dir",
                          built_program("datasync-capture").parent_path().string()});
  options.log = fixture_->folder() / "run.out";
  auto process = Process::start(options);
  const auto exit = process.wait(seconds(120));
  ASSERT_TRUE(exit) << read_file(options.log);
  EXPECT_EQ(exit->code, 0) << read_file(options.log);
  EXPECT_THAT(read_file(options.log), HasSubstr("complete: all rows copied, source and destination are equal\n"));
  EXPECT_TRUE(fixture_->becomes_equal({{"shop.orders", "shop.orders"}}, seconds(1)));
  EXPECT_EQ(fixture_->destination().connect().number(
                "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema='shop' AND table_name='people'"),
            0);

  const auto all =
      run(command({"tail", "--bootstrap", fixture_->broker().bootstrap(), "--topic", "shop", "--from-beginning"}));
  EXPECT_THAT(all, HasSubstr("\"kind\":\"start\""));
  EXPECT_THAT(all, HasSubstr("\"kind\":\"verify\""));
  const auto one = run(command({"tail", "--file", file.string(), "--secrets", fixture_->secrets().string(),
                                "--from-beginning", "--table", "shop.orders", "--key", "id=4711"}));
  EXPECT_THAT(one, HasSubstr("\"after\":{\"id\":4711,\"note\":\"note 4711\"}}\n"));
  EXPECT_EQ(std::ranges::count(one, '\n'), 1);
  const auto state = run(
      command({"tail", "--bootstrap", fixture_->broker().bootstrap(), "--topic", "shop.state", "--from-beginning"}));
  EXPECT_THAT(state, HasSubstr("\"kind\":\"claim\""));
  EXPECT_THAT(state, HasSubstr("\"table\":\"shop.orders\",\"columns\":[{\"name\":\"id\""));
}

}  // namespace
}  // namespace datasync::test
