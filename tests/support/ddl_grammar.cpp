#include "tests/support/ddl_grammar.hpp"

#include <array>
#include <functional>

#include "tests/support/ddl_sentences.hpp"

namespace datasync::test {
namespace {

struct Form {
  unsigned weight;
  bool needs_table;
  void (DdlSentences::*make)();
};
constexpr auto kForms = std::to_array<Form>({{16, false, &DdlSentences::create_table},
                                             {6, true, &DdlSentences::drop_table},
                                             {6, true, &DdlSentences::truncate},
                                             {10, true, &DdlSentences::rename},
                                             {30, true, &DdlSentences::alter},
                                             {14, true, &DdlSentences::partitions},
                                             {5, true, &DdlSentences::index},
                                             {6, true, &DdlSentences::maintenance},
                                             {5, true, &DdlSentences::program},
                                             {6, true, &DdlSentences::temporary}});
constexpr Form kDatabase{3, false, &DdlSentences::database};
constexpr Form kExotic{8, true, &DdlSentences::exotic};

}  // namespace

DdlGrammar::DdlGrammar(std::uint64_t seed, DdlOptions options) : options_(std::move(options)), random_(seed) {}

DdlStatement DdlGrammar::next(std::span<const DdlTable> tables) {
  std::vector<Form> forms(kForms.begin(), kForms.end());
  if (options_.databases_too) forms.push_back(kDatabase);
  if (options_.exotic) forms.push_back(kExotic);
  const auto any = [&](const auto& list) { return list[random_() % list.size()]; };
  for (;;) {
    DdlStatement out;
    out.database = any(options_.databases);
    out.sql_mode = any(options_.sql_modes);
    out.charset = any(options_.charsets);
    std::size_t total = 0;
    for (const auto& form : forms) total += form.weight;
    std::size_t at = random_() % total;
    const auto* form = forms.data();
    for (; at >= form->weight; ++form) at -= form->weight;
    if (form->needs_table && tables.empty()) continue;
    DdlSentences sentences(random_, options_, tables, out);
    sentences.begin();
    (sentences.*form->make)();
    sentences.end();
    out.sql = to_charset(out.charset, out.text);
    if (out.sql.empty()) {
      out.charset = "utf8mb4";
      out.sql = out.text;
    }
    return out;
  }
}

}  // namespace datasync::test
