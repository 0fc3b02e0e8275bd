#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "cli/local/agent_log.hpp"
#include "cli/local/folder.hpp"

namespace datasync::cli {
namespace {

using std::filesystem::perms;

std::string content(const std::filesystem::path& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(Folder, a_temporary_one_is_private_and_removed_with_the_object) {
  std::filesystem::path path;
  {
    const auto folder = Folder::open({}).value();
    path = folder.path();
    EXPECT_EQ(std::filesystem::status(path).permissions(), perms::owner_all);
    ASSERT_TRUE(write_private(path / "a.json", "text"));
    EXPECT_EQ(content(path / "a.json"), "text");
    EXPECT_EQ(std::filesystem::status(path / "a.json").permissions(), perms::owner_read | perms::owner_write);
  }
  EXPECT_FALSE(std::filesystem::exists(path));
}

TEST(Folder, a_named_one_is_created_private_and_kept) {
  const auto outer = Folder::open({}).value();
  const auto path = outer.path() / "a" / "b";
  { const auto named = Folder::open(path).value(); }
  EXPECT_EQ(std::filesystem::status(path).permissions(), perms::owner_all);
}

TEST(Folder, an_existing_one_keeps_its_mode) {
  const auto outer = Folder::open({}).value();
  const auto path = outer.path() / "theirs";
  std::filesystem::create_directory(path);
  std::filesystem::permissions(path, perms::owner_all | perms::group_read | perms::others_read);
  { const auto named = Folder::open(path).value(); }
  EXPECT_EQ(std::filesystem::status(path).permissions(), perms::owner_all | perms::group_read | perms::others_read);
}

TEST(Folder, a_temporary_one_is_removed_when_the_process_is_terminated) {
  const auto folder = Folder::open({}).value();
  ASSERT_TRUE(write_private(folder.path() / "a", "b"));
  Folder::remove_temporary();
  EXPECT_FALSE(std::filesystem::exists(folder.path()));
}

TEST(Folder, what_cannot_be_created_or_written_is_named) {
  const auto folder = Folder::open("/proc/nowhere/x");
  ASSERT_FALSE(folder);
  EXPECT_NE(folder.error().what.find("/proc/nowhere/x"), std::string::npos);
  EXPECT_FALSE(write_private("/nowhere/file", "x"));
}

TEST(AgentLog, moves_the_file_away_when_it_has_grown) {
  const auto folder = Folder::open({}).value();
  const auto file = folder.path() / "capture.log";
  AgentLog log(file, "", 10);
  log.line("first");
  log.line("second");
  log.line("third");
  EXPECT_EQ(content(file), "third\n");
  EXPECT_EQ(content(file.string() + ".1"), "first\nsecond\n");
}

}  // namespace
}  // namespace datasync::cli
