#include "cli/local/folder.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

namespace datasync::cli {
namespace {

base::Error failed(const std::filesystem::path& what, std::string_view why) {
  return {base::Reason::ConfigInvalid, fmt::format("{}: {}", what.string(), why)};
}

// Replaces the temporary folder of this process and returns the previous one. There is at most one.
std::filesystem::path temporary_now(std::filesystem::path path) {
  static std::mutex mutex;
  static std::filesystem::path now;
  const std::lock_guard lock(mutex);
  return std::exchange(now, std::move(path));
}

}  // namespace

base::Result<Folder> Folder::open(const std::filesystem::path& named) {
  std::error_code error;
  if (named.empty()) {
    auto pattern = (std::filesystem::temp_directory_path(error) / "datasync-XXXXXX").string();
    if (mkdtemp(pattern.data()) == nullptr) return failed(pattern, std::strerror(errno));  // created with mode 0700
    temporary_now(pattern);
    return Folder(pattern, true);
  }
  const bool made = std::filesystem::create_directories(named, error);
  if (made && !error) std::filesystem::permissions(named, std::filesystem::perms::owner_all, error);
  if (error) return failed(named, error.message());
  return Folder(std::filesystem::absolute(named), false);
}

Folder::Folder(Folder&& other) noexcept
    : path_(std::move(other.path_)), temporary_(std::exchange(other.temporary_, false)) {}

Folder::~Folder() {
  if (temporary_) remove_temporary();
}

void Folder::remove_temporary() noexcept {
  const auto path = temporary_now({});
  std::error_code ignored;
  if (!path.empty()) std::filesystem::remove_all(path, ignored);
}

base::Result<void> write_private(const std::filesystem::path& file, std::string_view text) {
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (fd < 0) return failed(file, std::strerror(errno));
  std::size_t done = 0;
  while (done < text.size()) {
    const auto n = ::write(fd, text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const auto why = errno;
      ::close(fd);
      return failed(file, std::strerror(why));
    }
    done += static_cast<std::size_t>(n);
  }
  ::close(fd);
  return {};
}

}  // namespace datasync::cli
