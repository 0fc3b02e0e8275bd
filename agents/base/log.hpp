#pragma once
// Structured log lines: one JSON object per line, or readable text on a terminal. They are written to stderr;
// thread-safe.

#include <concepts>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

namespace datasync::base::log {

enum class Level : std::uint8_t { Debug, Info, Warn, Error };
enum class Format : std::uint8_t { Auto, Json, Text };  ///< Auto: text when stderr is a terminal

/// Call once in main, before any thread starts. Every line has `component`, e.g. "capture".
void init(std::string_view component, Level level, Format format);

/// A key and its value in a log line.
struct Field {
  std::string_view key;
  std::variant<std::string, std::int64_t, double, bool> value;
  Field(std::string_view k, std::string_view v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, const char* v) : key(k), value(std::string(v)) {}
  Field(std::string_view k, bool v) : key(k), value(v) {}
  Field(std::string_view k, std::integral auto v) : key(k), value(static_cast<std::int64_t>(v)) {}
  Field(std::string_view k, std::floating_point auto v) : key(k), value(static_cast<double>(v)) {}
};

/// Returns whether `level` is logged. Check it before computing an expensive field.
bool enabled(Level level) noexcept;
/// Writes one log line if `level` is enabled.
void write(Level level, std::string_view message, std::initializer_list<Field> fields = {});

inline void debug(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Debug, m, f);
}
inline void info(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Info, m, f);
}
inline void warn(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Warn, m, f);
}
inline void error(std::string_view m, std::initializer_list<Field> f = {}) {
  write(Level::Error, m, f);
}

}  // namespace datasync::base::log
