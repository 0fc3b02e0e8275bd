#pragma once
// Tests of judgements by tables of statements.

#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "tests/unit/binlog/judgement_text.hpp"

namespace datasync::binlog {

struct Row {
  std::string_view sql;
  std::string_view expected;
};

inline void expect(const std::vector<Row>& rows, StatementContext context = {}) {
  if (context.database.empty()) context.database = "home";
  for (const auto& row : rows) EXPECT_EQ(text(judge(row.sql, context)), row.expected) << row.sql;
}

}  // namespace datasync::binlog
