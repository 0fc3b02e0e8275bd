// The command line: what is understood, what is reported about the rest, and what shells complete.
#include "cli/commands.hpp"

#include <gmock/gmock.h>

#include "cli/completion.hpp"
#include "cli/local/secret_files.hpp"
#include "operator/api/read.hpp"

namespace datasync::cli {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::Not;
using Words = std::vector<std::string>;

class CommandLine : public testing::Test {
 protected:
  void parse(Words words) {
    std::ranges::reverse(words);
    app->parse(words);
  }
  [[nodiscard]] Words complete(const Words& words) const {
    return cli::complete(*app, words, [](const std::string& ns) { return Words{"shop", "in-" + ns}; });
  }
  Arguments a;
  std::unique_ptr<CLI::App> app = command_line(a);
};

TEST_F(CommandLine, takes_files_with_and_without_the_option) {
  parse({"validate", "a.yaml", "b.yaml"});
  EXPECT_THAT(a.files, ElementsAre("a.yaml", "b.yaml"));
  Arguments b;
  const auto other = command_line(b);
  other->parse("run -f c.yaml --plain");
  EXPECT_THAT(b.run.files, ElementsAre("c.yaml"));
  EXPECT_TRUE(b.run.plain);
}

TEST_F(CommandLine, knows_where_a_resource_is) {
  parse({"status", "shop", "-n", "sync", "--context=dr", "-o", "yaml", "--watch"});
  EXPECT_EQ(a.cluster.name, "shop");
  EXPECT_EQ(a.cluster.ns, "sync");
  EXPECT_EQ(a.cluster.context, "dr");
  EXPECT_EQ(a.cluster.status.output, "yaml");
  EXPECT_TRUE(a.cluster.status.watch);
}

TEST_F(CommandLine, refuses_what_it_does_not_know) {
  EXPECT_THROW(parse({"status"}), CLI::ParseError);
  EXPECT_THROW(parse({"status", "shop", "-o", "xml"}), CLI::ParseError);
  EXPECT_THROW(parse({"pause", "shop", "--force"}), CLI::ParseError);
  EXPECT_EQ(unknown_command(*app, "statsu"), "unknown command \"statsu\"; did you mean status?");
  EXPECT_THAT(unknown_command(*app, "frobnicate"), testing::HasSubstr("the commands are run, validate, tail, status"));
  EXPECT_EQ(unknown_command(*app, "status"), "");
  EXPECT_EQ(unknown_command(*app, "--help"), "");
}

TEST_F(CommandLine, completes_commands_options_choices_and_names) {
  EXPECT_THAT(complete({""}), Contains("status"));
  EXPECT_THAT(complete({""}), Not(Contains("__complete")));
  EXPECT_THAT(complete({"re"}), ElementsAre("report", "restart", "resume"));
  EXPECT_THAT(complete({"status", "--"}), Contains("--watch"));
  EXPECT_THAT(complete({"status", ""}), ElementsAre("in-", "shop"));
  EXPECT_THAT(complete({"status", "-n", "sync", ""}), ElementsAre("in-sync", "shop"));
  EXPECT_THAT(complete({"status", "shop", "-o", ""}), ElementsAre("json", "yaml"));
  EXPECT_THAT(complete({"completion", "z"}), ElementsAre("zsh"));
  EXPECT_THAT(complete({"nonsense", ""}), ElementsAre());
}

TEST(SecretFiles, are_every_file_that_the_agents_read_once) {
  const auto text = config::read_file(std::string(SAMPLES_DIR) + "/full.yaml").value();
  const auto files = secret_files(api::read_documents(text).at(0).resource);
  EXPECT_THAT(files, ElementsAre("shop-reader/username", "shop-reader/password", "shop-ca/ca.crt", "dr-writer/user",
                                 "dr-writer/pass", "kafka-ca/ca.crt", "kafka-client/tls.crt", "kafka-client/tls.key",
                                 "kafka-user/username", "kafka-user/password"));
}

}  // namespace
}  // namespace datasync::cli
