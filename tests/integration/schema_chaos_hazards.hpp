#pragma once
// Schema changes that are easily taken for harmless ones, or for changes of another table. Chance alone seldom brings
// their statements together in a form that the server accepts: each script holds most of them.

#include <functional>
#include <vector>

#include "tests/integration/schema_chaos_words.hpp"

namespace datasync::test {

class ChaosHazards : public ChaosWords {
 public:
  using ChaosWords::ChaosWords;

 protected:
  /// All kinds. Each call writes one of its forms; what follows may hide what it did, so that a comparison often comes
  /// at once.
  std::vector<std::function<void()>> hazards();

 private:
  void lag();
  void compare();
  void cascade();
  void other_case();
  void other_charset();
  void exchange();
  void exchange_with_captured();
  void cut_over();
  void excluded();
};

}  // namespace datasync::test
