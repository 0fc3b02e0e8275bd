#include "agents/config/fields.hpp"

namespace datasync::config {
namespace {

Value list_of(const std::vector<std::string>& values) {
  Value::List list;
  for (const auto& v : values) list.push_back({v});
  return {std::move(list)};
}

class Writer final : public Fields {
 public:
  Writer() { open_.push_back({Value::Map{}}); }
  Value finish() { return std::move(open_.front()); }

  void flag(std::string_view name, bool& value) override { put(name, {value}); }
  void text(std::string_view name, std::string& value, TextRule /*rule*/) override { put(name, {value}); }
  void texts(std::string_view name, std::vector<std::string>& values, ListRule /*rule*/) override {
    put(name, list_of(values));
  }
  void text_map(std::string_view name, std::map<std::string, std::string>& values, ListRule /*keys*/,
                const Pattern* /*value_pattern*/) override {
    Value::Map map;
    for (const auto& [key, value] : values) map.push_back({key, {value}});
    put(name, {std::move(map)});
  }
  void texts_map(std::string_view name, std::map<std::string, std::vector<std::string>>& values, ListRule /*keys*/,
                 ListRule /*items*/) override {
    Value::Map map;
    for (const auto& [key, list] : values) map.push_back({key, list_of(list)});
    put(name, {std::move(map)});
  }
  void opaque(std::string_view name, Value& value) override {
    if (!value.is_null()) put(name, value);
  }
  void ignored(std::string_view /*name*/) override {}

 protected:
  void number(std::string_view name, std::int64_t& value, Range /*range*/) override { put(name, {value}); }
  void pick(std::string_view name, std::size_t& index, std::span<const std::string_view> names) override {
    put(name, {std::string(names[index])});
  }
  bool enter(std::string_view name, Need /*need*/, bool has_value) override {
    if (!has_value) return false;
    names_.emplace_back(name);
    open_.push_back({Value::Map{}});
    return true;
  }
  void leave() override { close(); }
  std::optional<std::size_t> enter_list(std::string_view name, std::size_t size, Count /*allowed*/) override {
    names_.emplace_back(name);
    open_.push_back({Value::List{}});
    return size;
  }
  bool enter_item(std::size_t /*index*/) override {
    names_.emplace_back();
    open_.push_back({Value::Map{}});
    return true;
  }
  void leave_list() override { close(); }

 private:
  void put(std::string_view name, Value value) {
    if (auto* list = std::get_if<Value::List>(&open_.back().data)) {
      list->push_back(std::move(value));
    } else {
      std::get<Value::Map>(open_.back().data).push_back({std::string(name), std::move(value)});
    }
  }
  void close() {
    auto done = std::move(open_.back());
    open_.pop_back();
    const auto name = std::move(names_.back());
    names_.pop_back();
    put(name, std::move(done));
  }

  std::vector<Value> open_;
  std::vector<std::string> names_;
};

}  // namespace

Value write_fields(const Describe& describe) {
  Writer writer;
  describe(writer);
  return writer.finish();
}

}  // namespace datasync::config
