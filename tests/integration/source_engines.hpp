#pragma once
// The engines of sources that the conformance suite runs against, each with a server of its own.

#include <cstdint>
#include <memory>
#include <string>

#include "agents/source/source.hpp"

namespace datasync::test {

/// A server of one engine, with tables of two columns: `id` BIGINT, the key if it has one, and `v` VARCHAR(200).
class SourceUnderTest {
 public:
  SourceUnderTest() = default;
  SourceUnderTest(const SourceUnderTest&) = delete;
  SourceUnderTest& operator=(const SourceUnderTest&) = delete;
  virtual ~SourceUnderTest() = default;

  [[nodiscard]] virtual const source::Engine& engine() const = 0;
  [[nodiscard]] virtual config::HostPort server() const = 0;

  /// In place of a former one. `name`: "a.t".
  virtual void create_table(const std::string& name, bool key) = 0;
  virtual void drop_table(const std::string& name) = 0;
  /// Each is a transaction.
  virtual void insert(const std::string& table, std::int64_t id, const std::string& v) = 0;
  virtual void update(const std::string& table, std::int64_t id, const std::string& v) = 0;
  virtual void remove(const std::string& table, std::int64_t id) = 0;
  virtual void truncate(const std::string& table) = 0;
  /// A table whose rows change when rows of `parent` are deleted.
  virtual void create_child(const std::string& name, const std::string& parent) = 0;
  /// Writes two rows so that a stream that begins now would be sent them once more: with numbers that fell.
  virtual void insert_with_falling_numbers(const std::string& table, std::int64_t first, std::int64_t second) = 0;
  virtual void restart() = 0;
  /// Takes away the log of what is committed so far.
  virtual void purge() = 0;
};

std::unique_ptr<SourceUnderTest> mariadb_source();
std::unique_ptr<SourceUnderTest> memory_source();

}  // namespace datasync::test
