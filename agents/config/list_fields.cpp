#include <fmt/format.h>

#include "agents/config/fields.hpp"

namespace datasync::config {
namespace {

class Lister final : public Fields {
 public:
  std::vector<FieldInfo> finish() { return std::move(fields_); }

  void flag(std::string_view name, bool& value) override {
    add(name, "boolean").default_text = value ? "true" : "false";
  }
  void text(std::string_view name, std::string& value, TextRule rule) override {
    auto& f = add(name, "string");
    f.required = rule.need == Need::Required;
    f.regex = rule.pattern == nullptr ? std::string_view{} : rule.pattern->regex;
    if (!value.empty()) f.default_text = fmt::format("\"{}\"", value);
  }
  void texts(std::string_view name, std::vector<std::string>& /*values*/, ListRule rule) override {
    auto& f = add(name, "array");
    f.required = rule.at_least > 0;
    f.at_least = rule.at_least;
    item(name, "[]", "string", rule.pattern);
  }
  void text_map(std::string_view name, std::map<std::string, std::string>& /*values*/, ListRule /*keys*/,
                const Pattern* value_pattern) override {
    add(name, "map");
    item(name, "{}", "string", value_pattern);
  }
  void texts_map(std::string_view name, std::map<std::string, std::vector<std::string>>& /*values*/,
                 ListRule /*keys*/) override {
    add(name, "map");
    item(name, "{}", "array", nullptr);
    item(name, "{}[]", "string", nullptr);
  }
  void opaque(std::string_view name, Value& /*value*/) override { add(name, "any"); }
  void ignored(std::string_view /*name*/) override {}

 protected:
  void number(std::string_view name, std::int64_t& value, Range range) override {
    auto& f = add(name, "integer");
    f.range = range;
    if (value >= range.min) f.default_text = std::to_string(value);  // below: it depends on other fields
  }
  void pick(std::string_view name, std::size_t& index, std::span<const std::string_view> names) override {
    auto& f = add(name, "string");
    f.choices.assign(names.begin(), names.end());
    f.default_text = fmt::format("\"{}\"", names[index]);
  }
  bool enter(std::string_view name, Need need, bool /*has_value*/) override {
    add(name, "object").required = need == Need::Required;
    prefixes_.push_back(prefixes_.back() + std::string(name) + ".");
    return true;
  }
  void leave() override { prefixes_.pop_back(); }
  std::optional<std::size_t> enter_list(std::string_view name, std::size_t /*size*/, std::size_t at_least) override {
    auto& f = add(name, "array");
    f.required = at_least > 0;
    f.at_least = at_least;
    item(name, "[]", "object", nullptr);
    prefixes_.push_back(fmt::format("{}{}[].", prefixes_.back(), name));
    return 1;
  }
  bool enter_item(std::size_t /*index*/) override {
    prefixes_.push_back(prefixes_.back());
    return true;
  }
  void leave_list() override { prefixes_.pop_back(); }

 private:
  FieldInfo& add(std::string_view name, std::string_view type) {
    auto& f = fields_.emplace_back();
    f.path = prefixes_.back() + std::string(name);
    f.type = type;
    return f;
  }
  void item(std::string_view name, std::string_view suffix, std::string_view type, const Pattern* pattern) {
    auto& f = add(name, type);
    f.path += suffix;
    if (pattern != nullptr) f.regex = pattern->regex;
  }

  std::vector<FieldInfo> fields_;
  std::vector<std::string> prefixes_{""};
};

}  // namespace

std::vector<FieldInfo> list_fields(const Describe& describe) {
  Lister lister;
  describe(lister);
  return lister.finish();
}

}  // namespace datasync::config
