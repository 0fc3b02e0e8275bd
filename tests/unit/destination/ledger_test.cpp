#include "agents/destination/ledger.hpp"

#include <gmock/gmock.h>

namespace datasync::apply {
namespace {

using Types = std::set<std::string>;

TEST(LedgerAwaited, SurvivesARoundTrip) {
  const Awaited awaited{{"shop.orders", "skip/0:7"}, {"a\\b.c\nd", "copy/n/t/a#2"}};
  EXPECT_EQ(parse_awaited(to_text(awaited)).value(), awaited);
  EXPECT_EQ(to_text(Awaited{}), "");
  EXPECT_TRUE(parse_awaited("").value().empty());
  for (const auto* damaged : {"shop.orders", "shop.orders\n", "a\nb\nc"})
    EXPECT_FALSE(parse_awaited(damaged)) << damaged;
}

TEST(LedgerTypes, AreInOrderAndAllIsAStar) {
  EXPECT_EQ(types_text({"shop", "bank"}), "bank,shop");
  EXPECT_EQ(types_text({}), "*");
}

/// Found by a reader who added a type to a running task: it got the changes from then on, and none of the rows before.
TEST(LedgerTypes, ATypeAddedToAStartedTaskIsRefusedByName) {
  struct Case {
    std::string stored;
    Types asked;
    std::string refused;  ///< part of the message; empty: accepted
  };
  for (const auto& c : std::vector<Case>{{"bank,shop", {"bank", "shop"}, ""},
                                         {"bank,shop", {"bank"}, ""},
                                         {"*", {}, ""},
                                         {"*", {"bank"}, ""},
                                         {"?", {"bank"}, ""},
                                         {"bank", {"bank", "shop"}, "without the types shop,"},
                                         {"bank", {"places", "shop"}, "without the types places, shop,"},
                                         {"bank", {"ban"}, "without the types ban,"},
                                         {"bank,shop", {}, "begun with bank,shop only"}}) {
    const auto result = check_types(c.stored, c.asked);
    SCOPED_TRACE(c.stored + " then " + types_text(c.asked));
    ASSERT_EQ(result.has_value(), c.refused.empty());
    if (result) continue;
    EXPECT_EQ(result.error().reason, base::Reason::TypeAdded);
    EXPECT_THAT(result.error().what, testing::HasSubstr(c.refused));
  }
}

}  // namespace
}  // namespace datasync::apply
