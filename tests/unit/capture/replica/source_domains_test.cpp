#include "agents/capture/replica/source_domains.hpp"

#include <memory>

#include <gtest/gtest.h>

namespace datasync::capture {
namespace {

using Facts = std::vector<std::string>;
using Domains = std::set<std::uint32_t>;

/// Another process, which reads what was kept.
struct Kept {
  std::set<std::string> facts{"copy/t/1", "before/0-1-12/15", "fact/other/1", "fact/domain-left/x"};
  void keep(const Facts& more) { facts.insert(more.begin(), more.end()); }
  [[nodiscard]] std::unique_ptr<SourceDomains> read() const {
    auto out = std::make_unique<SourceDomains>();
    out->load(facts);
    return out;
  }
};

TEST(SourceDomains, are_those_that_a_replica_has_replicated) {
  SourceDomains domains;
  EXPECT_TRUE(domains.required().empty());
  domains.replicated(*message::GtidSet::parse("0-1-5,2-7-1"));
  domains.replicated(9);
  EXPECT_EQ(domains.required(), (Domains{0, 2, 9}));
  EXPECT_EQ(domains.facts(), (Facts{"fact/domain/0", "fact/domain/2", "fact/domain/9"}));
  Kept kept;
  kept.keep(domains.facts());
  EXPECT_EQ(kept.read()->required(), (Domains{0, 2, 9})) << "after a restart";
}

TEST(SourceDomains, a_domain_of_a_replicas_own_is_left_out_without_copies) {
  SourceDomains domains;
  domains.replicated(0);
  auto change = domains.change({77});
  EXPECT_FALSE(change.copies);
  EXPECT_EQ(change.facts, Facts{"fact/domain-left/77/1"});
  domains.begun(change);
  EXPECT_TRUE(domains.change({77}).facts.empty()) << "once";
  EXPECT_TRUE(domains.change({}).facts.empty()) << "the replica that writes it is read again";
  domains.replicated(77);
  EXPECT_TRUE(domains.required().contains(77));
  EXPECT_TRUE(domains.change({}).copies) << "it was none of its own";
}

TEST(SourceDomains, what_a_user_accepted_is_left_out_with_copies_until_it_is_read_again) {
  Kept kept;
  auto domains = kept.read();
  domains->replicated(2);
  kept.keep(domains->facts());
  domains->accept({2});
  EXPECT_FALSE(domains->required().contains(2));
  const auto left = domains->change({2});
  EXPECT_TRUE(left.copies);
  EXPECT_EQ(left.facts, Facts{"fact/domain-accepted/2/1"});
  EXPECT_TRUE(domains->change({2}).copies) << "as long as it is not kept";
  kept.keep(left.facts);
  domains = kept.read();
  EXPECT_FALSE(domains->required().contains(2)) << "after a restart";
  EXPECT_FALSE(domains->change({2}).copies);
  const auto again = domains->change({});
  EXPECT_TRUE(again.copies);
  EXPECT_EQ(again.facts, Facts{"fact/domain-again/2/1"});
  kept.keep(again.facts);
  domains = kept.read();
  EXPECT_TRUE(domains->required().contains(2));
  EXPECT_FALSE(domains->change({}).copies);
  domains->accept({2});
  EXPECT_EQ(domains->change({2}).facts, Facts{"fact/domain-accepted/2/2"});
}

TEST(SourceDomains, what_a_user_accepted_is_void_when_a_replica_with_the_domain_is_read) {
  SourceDomains domains;
  domains.replicated(2);
  domains.accept({2});
  const auto change = domains.change({});
  EXPECT_FALSE(change.copies);
  domains.begun(change);
  EXPECT_TRUE(domains.required().contains(2));
}

}  // namespace
}  // namespace datasync::capture
