// What is in the images that `make images` has built, seen from inside their root file systems.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "tests/support/process.hpp"
#include "tests/support/temp_dir.hpp"

namespace datasync::test {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::json;

constexpr std::uintmax_t kMostBytes = 100'000'000;        // unpacked
constexpr std::uintmax_t kMostArchiveBytes = 40'000'000;  // what a node pulls
const fs::path kArchives = PROJECT_SOURCE_DIR "/build/images";

/// One image, unpacked.
struct Image {
  TempDir dir;
  fs::path root;
  Json index, config;

  explicit Image(const std::string& part) : root(dir.path() / "root") {
    const auto archive = kArchives / (part + ".tar");
    if (!fs::exists(archive)) throw std::runtime_error(archive.string() + " is not there: make images");
    const auto layout = dir.path() / "layout";
    fs::create_directories(layout);
    fs::create_directories(root);
    run({"tar", "-xf", archive.string(), "-C", layout.string()});
    index = Json::parse(read_file(layout / "index.json"));
    const auto manifest = blob(layout, index.at("manifests").at(0));
    config = Json::parse(read_file(path_of(layout, manifest.at("config"))));
    for (const auto& layer : manifest.at("layers"))
      run({"tar", "-xpf", path_of(layout, layer).string(), "-C", root.string()});
  }

  static fs::path path_of(const fs::path& layout, const Json& descriptor) {
    auto digest = descriptor.at("digest").get<std::string>();
    std::ranges::replace(digest, ':', '/');
    return layout / "blobs" / digest;
  }
  static Json blob(const fs::path& layout, const Json& descriptor) {
    return Json::parse(read_file(path_of(layout, descriptor)));
  }

  /// Runs a program in the image as a pod does: the image's user, nothing writable.
  [[nodiscard]] std::string start(const std::string& command) const {
    const auto script = fmt::format(
        "mount --bind {0} {0} && mount -o remount,bind,ro {0} && "
        "exec env -i {1} $(command -v chroot) --userspec=65532:65532 {0} {2}",
        root.string(), config.at("config").at("Env").at(0).get<std::string>(), command);
    return run({"unshare", "--mount", "/bin/sh", "-c", script});
  }

  [[nodiscard]] std::vector<fs::path> files() const {
    std::vector<fs::path> out;
    for (const auto& entry : fs::recursive_directory_iterator(root))
      if (entry.is_regular_file() && !entry.is_symlink()) out.push_back(entry.path());
    return out;
  }
};

struct Part {
  std::string name;
  std::vector<std::string> programs;
};

class Images : public ::testing::TestWithParam<Part> {
 protected:
  static const Image& image() {
    static std::map<std::string, Image> images;
    return images.try_emplace(GetParam().name, GetParam().name).first->second;
  }
  void SetUp() override { ASSERT_EQ(geteuid(), 0U) << "chroot(2) and mount(2) need root"; }
};

TEST_P(Images, EachProgramStartsAsTheImagesUserOnAReadOnlyRoot) {
  for (const auto& program : GetParam().programs)
    EXPECT_EQ(image().start(program + " --version"), std::string(DATASYNC_VERSION) + "\n") << program;
}

TEST_P(Images, EveryProgramOfTheImageIsNamed) {
  std::set<std::string> found;
  for (const auto& file : image().files())
    if ((fs::status(file).permissions() & fs::perms::others_exec) != fs::perms::none &&
        file.filename().string().find(".so") == std::string::npos)
      found.insert(file.filename());
  const auto& programs = GetParam().programs;
  EXPECT_EQ(found, std::set<std::string>(programs.begin(), programs.end())) << "no shell, no tools";
}

TEST_P(Images, EveryLibraryAndPluginFindsWhatItNeeds) {
  std::size_t plugins = 0;
  for (const auto& file : image().files()) {
    const auto name = file.filename().string();
    if (name.find(".so") == std::string::npos || name.starts_with("ld-linux")) continue;
    const auto inside = "/" + fs::relative(file, image().root).string();
    EXPECT_EQ(image().start("/lib64/ld-linux-x86-64.so.2 --list " + inside).find("not found"), std::string::npos)
        << inside;
    if (inside.find("/libmariadb3/plugin/") != std::string::npos) ++plugins;
  }
  EXPECT_GE(plugins, 5U) << "ways of signing in to a database";
}

TEST_P(Images, NothingIsWritableByOthersOrRunsAsAnotherUser) {
  for (const auto& file : image().files()) {
    const auto mode = fs::status(file).permissions();
    EXPECT_EQ(mode & (fs::perms::set_uid | fs::perms::set_gid | fs::perms::others_write), fs::perms::none) << file;
  }
}

TEST_P(Images, CertificatesNamesAndTheUserAreThere) {
  const auto& root = image().root;
  EXPECT_GT(fs::file_size(root / "etc/ssl/certs/ca-certificates.crt"), 100'000U);
  EXPECT_EQ(fs::read_symlink(root / "usr/lib/ssl/certs"), "/etc/ssl/certs") << "where OpenSSL looks";
  EXPECT_NE(read_file(root / "etc/nsswitch.conf").find("dns"), std::string::npos);
  EXPECT_NE(read_file(root / "etc/passwd").find("datasync:x:65532:65532:"), std::string::npos);
}

TEST_P(Images, TheConfigurationMatchesTheChart) {
  const auto& config = image().config.at("config");
  EXPECT_EQ(config.at("User"), "65532:65532") << "a number: runAsNonRoot";
  EXPECT_EQ(config.value("Entrypoint", Json::array()),
            GetParam().name == "operator" ? Json{"datasync-operator"} : Json::array());
  const auto& labels = config.at("Labels");
  EXPECT_EQ(labels.at("org.opencontainers.image.version"), DATASYNC_VERSION);
  EXPECT_EQ(labels.at("org.opencontainers.image.licenses"), "Apache-2.0");
  EXPECT_FALSE(labels.at("org.opencontainers.image.revision").get<std::string>().empty());
}

TEST_P(Images, TheArchiveNamesTheWholeReference) {
  const auto name = image().index.at("manifests").at(0).at("annotations").at("org.opencontainers.image.ref.name");
  EXPECT_NE(name.get<std::string>().find("/" + GetParam().name + ":" DATASYNC_VERSION "-"), std::string::npos) << name;
}

TEST_P(Images, TheListOfPackagesNamesEveryLibrary) {
  const auto about = image().root / "usr/share/doc/datasync";
  const auto list = Json::parse(read_file(about / "sbom.spdx.json"));
  EXPECT_EQ(list.at("spdxVersion"), "SPDX-2.3");
  std::map<std::string, std::string> versions;
  std::set<std::string> ids;
  for (const auto& package : list.at("packages")) {
    versions[package.at("name")] = package.at("versionInfo");
    EXPECT_TRUE(ids.insert(package.at("SPDXID")).second) << package.at("SPDXID");
    if (package.at("name") != "datasync") {
      EXPECT_GT(fs::file_size(image().root / package.at("licenseComments").get<std::string>().substr(1)), 0U);
    }
  }
  EXPECT_EQ(versions["datasync"], DATASYNC_VERSION);
  for (const char* name : {"libc6", "librdkafka1", "libmariadb3", "libssl3t64", "libprotobuf32t64", "ca-certificates",
                           "nlohmann-json3-dev", "libstdc++6"})
    EXPECT_NE(versions[name], "") << name;
  for (const auto& relation : list.at("relationships")) EXPECT_TRUE(ids.contains(relation.at("relatedSpdxElement")));
  EXPECT_EQ(list.at("relationships").size(), ids.size()) << "each package has its part";
  EXPECT_GT(fs::file_size(about / "LICENSE"), 10'000U);
}

TEST_P(Images, TheSizeIsBounded) {
  std::uintmax_t bytes = 0;
  for (const auto& file : image().files()) bytes += fs::file_size(file);
  const auto archive = fs::file_size(kArchives / (GetParam().name + ".tar"));
  fmt::print("{}: {:.1f} MB, archive {:.1f} MB\n", GetParam().name, static_cast<double>(bytes) / 1e6,
             static_cast<double>(archive) / 1e6);
  EXPECT_LT(bytes, kMostBytes);
  EXPECT_LT(archive, kMostArchiveBytes);
}

INSTANTIATE_TEST_SUITE_P(, Images,
                         ::testing::Values(Part{"operator", {"datasync-operator", "datasync"}},
                                           Part{"agents", {"datasync-capture", "datasync-apply", "datasync"}}),
                         [](const auto& suite) { return suite.param.name; });

}  // namespace
}  // namespace datasync::test
