#pragma once

#include <filesystem>

#include "agents/base/result.hpp"

namespace datasync::cli {

/// The named folder, kept, or a temporary one that goes with the object. A folder that we make can be entered by us
/// alone (0700); one that was there keeps its mode.
class Folder {
 public:
  /// Errors: ConfigInvalid naming the folder.
  static base::Result<Folder> open(const std::filesystem::path& named);
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  ~Folder();
  /// Removes the temporary folder that is open now, if any: for a process that ends without destructors. Thread-safe.
  static void remove_temporary() noexcept;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Folder(std::filesystem::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  std::filesystem::path path_;
  bool temporary_;
};

/// Writes a file only we can read. Errors: ConfigInvalid naming the file.
base::Result<void> write_private(const std::filesystem::path& file, std::string_view text);

}  // namespace datasync::cli
