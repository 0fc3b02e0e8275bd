// Text from servers: GTID sets and statements. What parses as a GTID set prints and parses again to the same set; the
// statement lexer ends on anything. Input: the text.

#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "agents/binlog/judgement.hpp"
#include "agents/message/gtid.hpp"

namespace {
const std::vector<datasync::binlog::NamedTable> kTables{{"shop", "orders"}, {"shop", "größe"}};
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto set = datasync::message::GtidSet::parse(text)) {
    const auto again = datasync::message::GtidSet::parse(set->text());
    if (!again || *again != *set || !set->contains(*again)) std::abort();
  }
  for (const datasync::binlog::Quoting quoting :
       {datasync::binlog::Quoting{false, false}, datasync::binlog::Quoting{true, true}}) {
    for (const std::string_view charset : {"utf8mb4", "latin1", "gbk", ""}) {
      const datasync::binlog::StatementContext context{.database = "shop", .quoting = quoting, .charset = charset};
      const auto judgement = datasync::binlog::judge(text, context);
      if (judgement.by_statement && judgement.certain) std::abort();
      (void)datasync::binlog::may_concern(text, context, kTables);
      if (!datasync::binlog::is_utf8(datasync::binlog::without_values(text, quoting, charset))) std::abort();
    }
  }
  return 0;
}
