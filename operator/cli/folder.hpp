#pragma once

#include <filesystem>

#include "agents/base/result.hpp"

namespace datasync::cli {

/// A folder only we can enter (0700): the named one, kept, or a temporary one that goes with the object.
class Folder {
 public:
  /// Errors: ConfigInvalid naming the folder.
  static base::Result<Folder> open(const std::filesystem::path& named);
  Folder(Folder&& other) noexcept;
  Folder& operator=(Folder&&) = delete;
  ~Folder();
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  Folder(std::filesystem::path path, bool temporary) : path_(std::move(path)), temporary_(temporary) {}
  std::filesystem::path path_;
  bool temporary_;
};

/// Writes a file only we can read. Errors: ConfigInvalid naming the file.
base::Result<void> write_private(const std::filesystem::path& file, std::string_view text);

}  // namespace datasync::cli
