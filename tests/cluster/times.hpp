#pragma once

#include <string>
#include <vector>

namespace datasync::test {

/// What was measured, against the time that it may take.
class Times {
 public:
  /// A line of the table. Throws std::runtime_error when it took longer than the limit; the line is kept.
  void note(const std::string& what, double seconds, double limit);
  [[nodiscard]] std::string table() const;

 private:
  struct Line {
    std::string what;
    double seconds, limit;
  };
  std::vector<Line> lines_;
};

}  // namespace datasync::test
