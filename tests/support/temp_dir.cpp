#include "tests/support/temp_dir.hpp"

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include "tests/support/process.hpp"

namespace datasync::test {
namespace {

constexpr std::string_view kPrefix = "datasync-test.";
constexpr std::string_view kKept = ".kept";

std::filesystem::path root() {
  const char* dir = std::getenv("TMPDIR");
  return dir != nullptr && *dir != '\0' ? dir : "/tmp";
}

/// Names are PREFIX PID.NUMBER: what belongs to no running process is left over.
void sweep() {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root(), ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || std::filesystem::exists(entry.path() / kKept, ignored)) continue;
    const auto pid = std::strtol(name.c_str() + kPrefix.size(), nullptr, 10);
    if (pid > 0 && kill(static_cast<pid_t>(pid), 0) != 0 && errno == ESRCH) remove_tree(entry.path());
  }
}

}  // namespace

TempDir::TempDir() {
  static std::once_flag swept;
  std::call_once(swept, sweep);
  static std::atomic<int> number = 0;
  path_ = root() / fmt::format("{}{}.{}", kPrefix, getpid(), ++number);
  remove_tree(path_);  // of an earlier process with this id
  std::filesystem::create_directories(path_);
}

TempDir::TempDir(TempDir&& other) noexcept : path_(std::exchange(other.path_, {})) {}

TempDir::~TempDir() {
  std::error_code ignored;
  if (!path_.empty() && !std::filesystem::exists(path_ / kKept, ignored)) remove_tree(path_);
}

void TempDir::keep() {
  write_file(path_ / kKept, "");
}

void remove_tree(const std::filesystem::path& path) noexcept {
  std::error_code ignored;
  if (!path.empty()) std::filesystem::remove_all(path, ignored);
}

void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to) {
  run({"cp", "-a", "--sparse=always", "--reflink=auto", from.string(), to.string()});
}

void write_file(const std::filesystem::path& file, const std::string& text) {
  std::ofstream out(file, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) throw std::system_error(errno, std::generic_category(), "writing " + file.string());
}

std::string read_file(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::filesystem::path cache_dir() {
  const char* dir = std::getenv("DATASYNC_CACHE_DIR");
  return dir != nullptr && *dir != '\0' ? std::filesystem::path(dir) : std::filesystem::path(DATASYNC_TEST_CACHE_DIR);
}

FileLock::FileLock(const std::filesystem::path& file) : fd_(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), file.string());
  while (flock(fd_, LOCK_EX) != 0) {
    if (errno != EINTR) throw std::system_error(errno, std::generic_category(), "flock " + file.string());
  }
}

FileLock::~FileLock() {
  close(fd_);
}

}  // namespace datasync::test
