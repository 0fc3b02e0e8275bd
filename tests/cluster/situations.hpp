#pragma once

#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "tests/cluster/environment.hpp"
#include "tests/cluster/reader.hpp"

namespace datasync::test {

/// What the documentation's comments name: `given NAME` makes the situation in which a command has a use, `then NAME`
/// checks or fixes what the command was for. Throws with what is not as it should be.
class Situations {
 public:
  Situations(Environment& environment, const Reader& reader);

  [[nodiscard]] static const std::set<std::string>& names();
  void make(const std::string& name);

 private:
  using Action = void (Situations::*)();
  [[nodiscard]] static const std::map<std::string, Action>& all();

  void orders_arrive();
  void places_arrive();
  void accounts_arrive();
  void team_accounts_arrive();
  void orders_equal();
  void accounts_equal();
  void no_traffic();
  void traffic();
  void note_pods();
  void expect_same_pods();
  void new_connections_work();
  void make_new_authority();
  void new_certificate_works();
  void make_resource_in_unwatched_namespace();
  void set_wrong_password();
  void revoke_right();
  void stop_kafka();
  void start_kafka();
  void set_wrong_image_tag();
  void cordon_node();
  void give_too_little_memory();
  void make_destination_read_only();
  void delete_row_at_destination();
  void put_foreign_record();
  void purge_binlogs();
  void make_deletion_stuck();
  void bring_operator_back();

  void type(const std::string& command) const;
  void patch_bank(const std::string& json);
  void delete_pods(Side& side, const std::string& selector);
  [[nodiscard]] std::set<std::string> pods();
  [[nodiscard]] bool settled();
  void equal(const std::vector<std::string>& tables);

  Environment& environment_;
  Servers& servers_;
  const Reader& reader_;
  std::set<std::string> noted_;
  std::unique_ptr<CertificateAuthority> new_authority_;
};

}  // namespace datasync::test
