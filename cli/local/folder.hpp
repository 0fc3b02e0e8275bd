#pragma once

#include <filesystem>

#include "agents/base/result.hpp"

namespace datasync::cli {

/// A named folder, which is kept, or a temporary one, which the destructor removes. A folder that is created here is
/// accessible only to the current user (0700); an existing one keeps its mode.
class Folder {
 public:
  /// Opens or creates the folder. Errors: ConfigInvalid naming the folder.
  static base::Result<Folder> open(const std::filesystem::path& named);
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  ~Folder();
  /// Removes the open temporary folder, if any: for a process that terminates without destructors. Thread-safe.
  static void remove_temporary() noexcept;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Folder(std::filesystem::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  std::filesystem::path path_;
  bool temporary_;
};

/// Writes a file that only the current user can read. Errors: ConfigInvalid naming the file.
base::Result<void> write_private(const std::filesystem::path& file, std::string_view text);

}  // namespace datasync::cli
