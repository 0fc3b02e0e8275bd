#pragma once

#include <filesystem>
#include <string>

namespace datasync::test {

/// A fresh folder under TMPDIR (default /tmp), removed with all it holds by the destructor. Folders that a killed test
/// program left behind are removed when the next one makes its first.
class TempDir {
 public:
  TempDir();
  TempDir(TempDir&& other) noexcept;
  TempDir& operator=(TempDir&&) = delete;
  ~TempDir();

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }
  /// Leaves the folder there for good.
  void keep();

 private:
  std::filesystem::path path_;
};

/// Removes a folder and all it holds; no error when it is not there.
void remove_tree(const std::filesystem::path& path) noexcept;
/// Copies a folder, holes in files kept.
void copy_tree(const std::filesystem::path& from, const std::filesystem::path& to);
/// Writes the whole file; throws when it cannot.
void write_file(const std::filesystem::path& file, const std::string& text);
/// The whole file; empty when it is not there.
std::string read_file(const std::filesystem::path& file);

/// Where things that are costly to make are kept between runs: $DATASYNC_CACHE_DIR, default .cache in the source tree.
std::filesystem::path cache_dir();
/// `folder` under the cache, made by `make(temporary folder)` if it is not there yet; two programs never make it at
/// once and no process sees it half made.
template <class Make>
std::filesystem::path cached(const std::string& folder, Make make);

/// An exclusive lock between processes on a file, held until destroyed.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& file);
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  ~FileLock();

 private:
  int fd_;
};

template <class Make>
std::filesystem::path cached(const std::string& folder, Make make) {
  const auto ready = cache_dir() / folder;
  if (std::filesystem::exists(ready)) return ready;
  std::filesystem::create_directories(ready.parent_path());
  const FileLock lock(ready.string() + ".lock");
  if (std::filesystem::exists(ready)) return ready;
  const auto half_made = std::filesystem::path(ready.string() + ".new");
  remove_tree(half_made);
  std::filesystem::create_directories(half_made);
  make(half_made);
  std::filesystem::rename(half_made, ready);
  return ready;
}

}  // namespace datasync::test
