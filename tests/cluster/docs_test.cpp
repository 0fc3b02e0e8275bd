// Every command of docs/install.md and docs/operate.md, typed by a reader into two real clusters, in order.

#include <array>
#include <cstdio>
#include <memory>
#include <regex>
#include <stdexcept>
#include <thread>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/cluster/environment.hpp"
#include "tests/cluster/images.hpp"
#include "tests/cluster/manifests.hpp"
#include "tests/cluster/reader.hpp"
#include "tests/cluster/sandbox.hpp"
#include "tests/cluster/situations.hpp"
#include "tests/support/markdown.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

using std::chrono::seconds;

/// What the documentation's examples call the images.
constexpr const char* kRegistry = "registry.example/datasync";
constexpr std::array<const char*, 2> kTags{"0.1.0", "0.2.0"};

struct DocsRun {
  Environment& environment;
  Reader reader;
  Situations situations;
};

/// One block, with what its directives ask for.
class BlockTest : public testing::Test {
 public:
  BlockTest(DocsRun& run, const Block& block) : run_(run), block_(block) {}
  void TestBody() override;

 private:
  /// What the answer lacks; empty when all is as it shall be.
  [[nodiscard]] std::string faults(const Reader::Answer& answer) const;
  void type(seconds limit);

  DocsRun& run_;
  const Block& block_;
};

std::string BlockTest::faults(const Reader::Answer& answer) const {
  std::string text;
  if (answer.code != 0) text += fmt::format("exit status {}\n", answer.code);
  for (const auto& [word, pattern] : block_.directives) {
    if (word != "expect" && word != "absent") continue;
    const bool found =
        std::regex_search(answer.output, std::regex(pattern, std::regex::ECMAScript | std::regex::multiline));
    if (found != (word == "expect")) text += fmt::format("{}: {}\n", word, pattern);
  }
  return text;
}

/// Once, or again and again until the answer is as it shall be.
void BlockTest::type(seconds limit) {
  Reader::Answer answer;
  std::string wrong;
  const auto begin = std::chrono::steady_clock::now();
  for (;;) {
    answer = run_.reader.type(block_.text);
    wrong = faults(answer);
    if (wrong.empty() || std::chrono::steady_clock::now() - begin >= limit) break;
    std::this_thread::sleep_for(seconds(1));
  }
  fmt::print("{}{}\n", block_.text, answer.output);
  EXPECT_EQ(wrong, "") << "after " << limit.count() << " s";
}

void BlockTest::TestBody() {
  seconds limit{0};
  const auto make_all = [&](const char* when) {
    for (const auto& [word, name] : block_.directives) {
      if (word == when) run_.situations.make(name);
    }
  };
  for (const auto& [word, text] : block_.directives) {
    if (word == "eventually") limit = seconds(std::stoi(text));
  }
  make_all("given");
  if (block_.language == "yaml") {
    write_file(run_.reader.home() / block_.file, block_.text);
  } else {
    type(limit);
    if (!HasFailure()) make_all("then");
  }
  std::fflush(stdout);
}

/// One kubeconfig with both contexts, as a user of two clusters has it.
void write_kubeconfig(const std::filesystem::path& file, Environment& environment) {
  nlohmann::json merged;
  for (auto& side : environment.sides()) {
    auto one = nlohmann::json::parse(read_file(side.kubectl.kubeconfig()));
    const auto user = "admin-" + side.name;
    one["users"][0]["name"] = user;
    one["contexts"][0]["context"]["user"] = user;
    if (merged.is_null()) {
      merged = one;
      continue;
    }
    for (const char* list : {"clusters", "users", "contexts"}) merged[list].push_back(one[list][0]);
  }
  write_file(file, merged.dump(2));
}

/// What the introduction of docs/install.md says a reader has.
void prepare(DocsRun& run) {
  auto& servers = run.environment.servers();
  const auto& home = run.reader.home();
  const auto option_file = [&](const char* name, MariaDbServer& server) {
    write_file(home / name, fmt::format("[client]\nprotocol=tcp\nhost=127.0.0.1\nport={}\nuser=root\n", server.port()));
  };
  option_file("shop.cnf", servers.primary());
  option_file("dr.cnf", servers.recovery());
  std::filesystem::copy_file(servers.shop_authority().certificate(), home / "shop-ca.crt");
  std::filesystem::copy_file(servers.recovery_authority().certificate(), home / "dr-ca.crt");
  std::filesystem::copy_file(servers.kafka_authority().certificate(), home / "kafka-ca.crt");
  const auto& images = run.environment.images();
  for (auto& side : run.environment.sides()) {
    for (const auto& server : servers.names()) side.kubectl.apply(service_to(server, servers.address()));
    for (const char* part : {"operator", "agents"}) {
      for (const char* tag : kTags) {
        side.own->tag(fmt::format("{}/{}:{}", images.repository, part, images.tag),
                      fmt::format("{}/{}:{}", kRegistry, part, tag));
      }
    }
  }
}

void register_blocks(const std::string& name, const std::vector<Block>& blocks, std::unique_ptr<DocsRun>& run) {
  for (const auto& block : blocks) {
    if (block.language != "sh" && (block.language != "yaml" || block.file.empty())) continue;
    for (const auto& [word, situation] : block.directives) {
      if ((word == "given" || word == "then") && !Situations::names().contains(situation)) {
        throw std::runtime_error(fmt::format("{}.md:{}: no situation {}", name, block.line, situation));
      }
    }
    const auto file = name + ".md";
    testing::RegisterTest(name.c_str(), fmt::format("line_{:03}", block.line).c_str(), nullptr, nullptr, file.c_str(),
                          static_cast<int>(block.line), [&] { return new BlockTest(*run, block); });
  }
}

int run_tests(const Sandbox& sandbox, const Images& images, std::unique_ptr<DocsRun>& run) {
  Environment environment(&sandbox, sandbox.folder, images);
  const auto kubeconfig = sandbox.folder / "kubeconfig";
  write_kubeconfig(kubeconfig, environment);
  Reader reader(sandbox.folder / "reader", kubeconfig);
  run.reset(new DocsRun{environment, reader, Situations(environment, reader)});
  prepare(*run);
  environment.servers().traffic().start();
  const int result = RUN_ALL_TESTS();
  if (result != 0) fmt::print("{}\n", environment.report());
  return result;
}

}  // namespace
}  // namespace datasync::test

int main(int argc, char** argv) {
  using namespace datasync::test;
  testing::GTEST_FLAG(fail_fast) = true;  // each command rests on those before it
  testing::InitGoogleTest(&argc, argv);
  try {
    std::unique_ptr<DocsRun> run;
    std::vector<std::vector<Block>> blocks;
    for (const char* name : {"install", "operate"}) {
      blocks.push_back(fenced_blocks(read_file(fmt::format(PROJECT_SOURCE_DIR "/docs/{}.md", name))));
    }
    register_blocks("install", blocks.at(0), run);
    register_blocks("operate", blocks.at(1), run);
    if (testing::GTEST_FLAG(list_tests)) return RUN_ALL_TESTS();
    if (clusters_are_given()) {
      fmt::print("cluster-docs-test: left out, as it gives nodes images by the names in the examples\n");
      return 0;
    }
    const auto images = images_for_clusters();
    return run_in_sandbox([&](const Sandbox& sandbox) { return run_tests(sandbox, images, run); });
  } catch (const std::exception& error) {
    fmt::print(stderr, "cluster-docs-test: {}\n", error.what());
    return 1;
  }
}
