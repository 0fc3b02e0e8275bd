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
    f.may_be_empty = !f.required && value.empty();
    looks(f, rule.pattern);
    if (!value.empty()) f.default_text = fmt::format("\"{}\"", value);
  }
  void texts(std::string_view name, std::vector<std::string>& /*values*/, ListRule rule) override {
    auto& f = add(name, "array");
    f.required = rule.at_least > 0;
    f.count = {rule.at_least, rule.at_most};
    item(name, "[]", "string", rule.pattern);
  }
  void text_map(std::string_view name, std::map<std::string, std::string>& /*values*/, ListRule keys,
                const Pattern* value_pattern) override {
    add_map(name, keys);
    item(name, "{}", "string", value_pattern);
  }
  void texts_map(std::string_view name, std::map<std::string, std::vector<std::string>>& /*values*/, ListRule keys,
                 ListRule items) override {
    add_map(name, keys);
    item(name, "{}", "array", nullptr).count = {items.at_least, items.at_most};
    item(name, "{}[]", "string", items.pattern);
  }
  void opaque(std::string_view name, Value& /*value*/) override { add(name, "any"); }
  void ignored(std::string_view /*name*/) override {}

 protected:
  void number(std::string_view name, std::int64_t& value, Range range) override {
    auto& f = add(name, "integer");
    f.range = range;
    if (value >= range.min)
      f.default_text = std::to_string(value);  // below the range: the default depends on other fields
  }
  void pick(std::string_view name, std::size_t& index, std::span<const std::string_view> names) override {
    auto& f = add(name, "string");
    f.choices.assign(names.begin(), names.end());
    f.default_text = fmt::format("\"{}\"", names[index]);
  }
  bool enter(std::string_view name, Need need, bool has_value) override {
    auto& f = add(name, "object");
    f.required = need == Need::Required;
    f.presence = !has_value;
    prefixes_.push_back(prefixes_.back() + std::string(name) + ".");
    return true;
  }
  void leave() override { prefixes_.pop_back(); }
  std::optional<std::size_t> enter_list(std::string_view name, std::size_t /*size*/, Count allowed) override {
    auto& f = add(name, "array");
    f.required = allowed.at_least > 0;
    f.count = allowed;
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
  FieldInfo& item(std::string_view name, std::string_view suffix, std::string_view type, const Pattern* pattern) {
    auto& f = add(name, type);
    f.path += suffix;
    looks(f, pattern);
    return f;
  }
  void add_map(std::string_view name, const ListRule& keys) {
    auto& f = add(name, "map");
    f.count = {keys.at_least, keys.at_most};
    if (keys.pattern != nullptr) f.key_regex = keys.pattern->regex;
  }
  static void looks(FieldInfo& f, const Pattern* pattern) {
    if (pattern == nullptr) return;
    f.regex = pattern->regex;
    f.longest = pattern->longest;
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
