#include "agents/base/program.hpp"

#include <array>
#include <random>

#include <fmt/format.h>
#include <malloc.h>
#include <unistd.h>

#include "agents/base/log.hpp"

namespace datasync::base {

void init_log(std::string_view component, std::string_view level, std::string_view format) {
  using log::Format;
  using log::Level;
  log::init(component,
            level == "debug"   ? Level::Debug
            : level == "warn"  ? Level::Warn
            : level == "error" ? Level::Error
                               : Level::Info,
            format == "json"   ? Format::Json
            : format == "text" ? Format::Text
                               : Format::Auto);
}

void limit_freed_memory(bool blocks_too) {
  constexpr int kArenas = 2;           // each arena keeps its own freed memory
  constexpr int kTrimBytes = 1 << 20;  // free memory at the top of the heap beyond this is returned to the system
  constexpr int kMapBytes = 1 << 20;   // larger blocks are mapped with mmap
  mallopt(M_ARENA_MAX, kArenas);
  mallopt(M_TRIM_THRESHOLD, kTrimBytes);
  if (blocks_too) mallopt(M_MMAP_THRESHOLD, kMapBytes);
}

std::string process_name() {
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) != 0) host[0] = '\0';
  return fmt::format("{}-{}-{:08x}", host.data(), getpid(), std::random_device{}());
}

}  // namespace datasync::base
