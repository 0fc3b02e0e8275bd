// tools/images itself: what it names and pushes. With docker it is run here against a stand-in for `docker`, as there
// is no engine to count on; buildah built what images_test.cpp looks into.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/support/eventually.hpp"
#include "tests/support/ports.hpp"
#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;
using std::chrono::seconds;

const fs::path kSource = PROJECT_SOURCE_DIR;

struct Line {
  std::string part, reference;
  fs::path archive;
  [[nodiscard]] std::string tag() const { return reference.substr(reference.rfind(':') + 1); }
  bool operator==(const Line&) const = default;
};

std::string cache_home() {
  const char* set = std::getenv("XDG_CACHE_HOME");
  return set != nullptr && *set != '\0' ? set : std::string(std::getenv("HOME")) + "/.cache";
}

/// Runs `source`/tools/images with these variables.
std::vector<Line> images(const fs::path& source, const std::map<std::string, std::string>& variables,
                         const std::vector<std::string>& options) {
  std::vector<std::string> command{"env"};
  for (const auto& [name, value] : variables) command.push_back(name + "=" + value);
  command.push_back((source / "tools/images").string());
  command.insert(command.end(), options.begin(), options.end());
  std::istringstream lines(run(command, "", seconds(300)));
  std::vector<Line> out;
  for (Line line; lines >> line.part >> line.reference >> line.archive;) out.push_back(line);
  return out;
}

Json index_of(const fs::path& archive) {
  return Json::parse(run({"tar", "-xOf", archive.string(), "index.json"}));
}

std::string digest_of(const fs::path& archive) {
  return index_of(archive).at("manifests").at(0).at("digest");
}

Json blob(const fs::path& archive, const std::string& digest) {
  return Json::parse(run({"tar", "-xOf", archive.string(), "blobs/sha256/" + digest.substr(7)}));
}

std::string name_in(const fs::path& archive) {
  return index_of(archive).at("manifests").at(0).at("annotations").at("org.opencontainers.image.ref.name");
}

constexpr const char* kFakeDocker = R"sh(#!/bin/sh
echo "$*" >>"$FAKE_DOCKER/log"
case "$1 $2" in
  "build --help") echo --secret ;;
  "version -f") echo 28.2.2 ;;
  "image inspect") [ "$3" != -f ] || echo "sha256:$(cat "$FAKE_DOCKER/id")" ;;
  "save -o") part=${4##*/}; cp "$FAKE_DOCKER/${part%:*}.tar" "$3" ;;
esac
)sh";

/// A tree with all that goes into images, and a `docker` that builds nothing: what it saves are images that are there,
/// and their ids are what the test says.
class WithDocker : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(tree_);
    copy_tree(kSource / "tools", tree_ / "tools");
    for (const char* file : {"Dockerfile", ".dockerignore"}) fs::copy_file(kSource / file, tree_ / file);
    std::ifstream context(kSource / ".dockerignore");  // it leaves out all but what a line with '!' names
    for (std::string line; std::getline(context, line);) {
      if (line.empty() || line.front() != '!' || line.starts_with("!tools")) continue;
      const auto part = line.substr(1);
      if (fs::is_directory(kSource / part)) {
        copy_tree(kSource / part, tree_ / part);
      } else {
        fs::copy_file(kSource / part, tree_ / part);
      }
    }
    fs::create_directories(bin_);
    write_file(bin_ / "docker", kFakeDocker);
    fs::permissions(bin_ / "docker", fs::perms::owner_all);
    for (const char* part : {"operator", "agents"}) {
      run({"skopeo", "--insecure-policy", "copy", "-q",
           fmt::format("oci-archive:{}/build/images/{}.tar", kSource.string(), part),
           fmt::format("docker-archive:{}/{}.tar:localhost/datasync-build/{}:last", dir_.path().string(), part, part)});
    }
    set_id("one");
  }
  void set_id(const std::string& id) { write_file(dir_.path() / "id", id); }
  std::vector<Line> make(const std::vector<std::string>& options = {}) {
    fs::remove(dir_.path() / "log");
    return images(tree_,
                  {{"PATH", bin_.string() + ":" + std::getenv("PATH")},
                   {"FAKE_DOCKER", dir_.path().string()},
                   {"XDG_CACHE_HOME", (dir_.path() / "cache").string()}},
                  options);
  }
  std::string make_tag(const std::vector<std::string>& options = {}) { return make(options).at(0).tag(); }
  [[nodiscard]] std::string asked() const { return read_file(dir_.path() / "log"); }

  TempDir dir_;
  fs::path tree_ = dir_.path() / "tree", bin_ = dir_.path() / "bin";
};

TEST_F(WithDocker, ArchivesHaveTheFormThatBuildahGives) {
  const auto lines = make();
  ASSERT_EQ(lines.size(), 2U);
  for (const auto& line : lines) {
    EXPECT_EQ(name_in(line.archive), line.reference) << "the whole reference";
    EXPECT_EQ(line.reference, "localhost/datasync/" + line.part + ":" + line.tag());
    const auto index = index_of(line.archive);
    EXPECT_EQ(index.at("manifests").size(), 1U);
    const auto manifest = blob(line.archive, index.at("manifests").at(0).at("digest"));
    EXPECT_EQ(manifest.at("mediaType"), "application/vnd.oci.image.manifest.v1+json");
    for (const auto& layer : manifest.at("layers"))
      EXPECT_EQ(layer.at("mediaType"), "application/vnd.oci.image.layer.v1.tar+gzip");
  }
  EXPECT_NE(asked().find("--target agents -t localhost/datasync-build/agents:last"), std::string::npos) << asked();
}

/// It was a hash of the sources: with --fresh or --base other content went under the same tag.
TEST_F(WithDocker, TheTagChangesOnlyWithTheContent) {
  const auto first = make_tag();
  EXPECT_EQ(make_tag(), first);
  EXPECT_EQ(asked(), "") << "nothing has changed: nothing is built";
  EXPECT_EQ(make_tag({"--fresh"}), first) << "built again, with the same packages";
  EXPECT_NE(asked().find("--no-cache"), std::string::npos);
  set_id("two");
  EXPECT_EQ(make_tag(), first) << "what is there is taken";
  const auto second = make_tag({"--fresh"});
  EXPECT_NE(second, first);
  EXPECT_EQ(make_tag(), second);
  set_id("three");
  const auto third = make_tag({"--base", "debian:trixie"});
  EXPECT_NE(third, first);
  EXPECT_NE(third, second);
  EXPECT_EQ(make_tag(), second) << "kept beside each other";
}

/// A registry on this machine for as long as the test runs; not installed, and not a service.
class WithRegistry : public testing::Test {
 protected:
  void SetUp() override {
    const auto folder = run({(kSource / "tools/kube-tools").string(), "docker-registry"}, "", seconds(120));
    write_file(dir_.path() / "registry.yml",
               fmt::format("version: 0.1\nstorage: {{filesystem: {{rootdirectory: {}}}}}\nhttp: {{addr: '{}'}}\n",
                           (dir_.path() / "data").string(), address_));
    // Without TLS: skopeo needs the option.
    fs::create_directories(home_ / ".config/containers");
    write_file(home_ / ".config/containers/registries.conf",
               fmt::format("[[registry]]\nlocation = \"{}\"\ninsecure = true\n", address_));
    ProcessOptions options;
    options.args = {folder.substr(0, folder.find('\n')) + "/docker-registry", "serve",
                    (dir_.path() / "registry.yml").string()};
    options.log = dir_.path() / "registry.log";
    registry_ = Process::start(options);
    await(
        "the registry", [&] { return read_file(options.log).find("listening on") != std::string::npos; }, seconds(20));
  }
  std::string skopeo(std::vector<std::string> args) {
    args.insert(args.begin(), {"env", "HOME=" + home_.string(), "skopeo", "--insecure-policy"});
    return run(args);
  }
  std::string digest_at(const std::string& reference) {
    return Json::parse(skopeo({"inspect", "docker://" + reference})).at("Digest");
  }

  TempDir dir_;
  PortLease port_;
  std::string address_ = fmt::format("127.0.0.1:{}", port_.port());
  fs::path home_ = dir_.path() / "home";
  Process registry_;
};

TEST_F(WithRegistry, BothTagsResolveToTheImageOfTheArchive) {
  const auto kept = images(kSource, {}, {});
  const auto pushed = images(kSource, {{"HOME", home_.string()}, {"XDG_CACHE_HOME", cache_home()}},
                             {"--repository", address_ + "/datasync", "--also-tag", "next", "--push"});
  ASSERT_EQ(pushed.size(), 4U);
  for (const auto& line : pushed) {
    const auto& original = kept.at(line.part == "operator" ? 0 : 1);
    EXPECT_EQ(name_in(line.archive), line.reference);
    EXPECT_EQ(digest_of(line.archive), digest_of(original.archive)) << line.reference;
    EXPECT_EQ(digest_at(line.reference), digest_of(original.archive)) << line.reference;
    EXPECT_TRUE(line.tag() == original.tag() || line.tag() == "next") << line.reference;
    fs::remove(line.archive);  // named after a port
  }
  const auto by_digest = fmt::format("{}/datasync/operator@{}", address_, digest_of(kept.at(0).archive));
  skopeo({"copy", "-q", "docker://" + by_digest, fmt::format("oci-archive:{}/pulled.tar", dir_.path().string())});
  EXPECT_EQ(digest_of(dir_.path() / "pulled.tar"), digest_of(kept.at(0).archive));
}

}  // namespace
}  // namespace datasync::test
