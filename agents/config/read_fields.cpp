#include <algorithm>

#include <fmt/format.h>

#include "agents/config/fields.hpp"

namespace datasync::config {
namespace {

class Reader final : public Fields {
 public:
  /// `unknown` gets the fields that are not known; null: they are problems like others.
  Reader(const Value& root, std::string path, std::vector<Problem>* unknown = nullptr)
      : unknown_(unknown == nullptr ? problems_ : *unknown) {
    open_.push_back({&root, std::move(path), {}, {}});
  }

  std::vector<Problem> finish() {
    report_unknown();
    return std::move(problems_);
  }

  void flag(std::string_view name, bool& value) override {
    const auto* v = take(name);
    if (v == nullptr) return;
    if (const auto* b = v->as<bool>()) {
      value = *b;
    } else {
      wrong(name, *v, "true or false");
    }
  }

  void text(std::string_view name, std::string& value, TextRule rule) override {
    const auto* v = take(name);
    if (v == nullptr) {
      if (rule.need == Need::Required) problem(path_of(name), "is required");
      return;
    }
    if (const auto* s = v->as<std::string>()) {
      const bool has_default = rule.pattern != nullptr && !value.empty();
      if (s->empty() && (rule.need == Need::Required || has_default)) {
        return problem(path_of(name), "must not be empty");
      }
      if (!s->empty()) check(path_of(name), *s, rule.pattern);
      value = *s;
    } else {
      wrong_text(path_of(name), *v);
    }
  }

  void texts(std::string_view name, std::vector<std::string>& values, ListRule rule) override {
    const auto* v = take(name);
    if (v == nullptr) {
      if (rule.at_least > 0) problem(path_of(name), "is required");
      return;
    }
    values = read_texts(path_of(name), *v, rule);
  }

  void text_map(std::string_view name, std::map<std::string, std::string>& values, ListRule keys,
                const Pattern* value_pattern) override {
    const auto* map = take_map(name);
    if (map == nullptr) return;
    values.clear();
    check_count(path_of(name), map->size(), {keys.at_least, keys.at_most}, "entries");
    for (const auto& m : *map) {
      const auto path = fmt::format("{}[\"{}\"]", path_of(name), m.key);
      check(path, m.key, keys.pattern);
      if (const auto* s = m.value.as<std::string>()) {
        check(path, *s, value_pattern);
        values[m.key] = *s;
      } else {
        wrong_text(path, m.value);
      }
    }
  }

  void texts_map(std::string_view name, std::map<std::string, std::vector<std::string>>& values, ListRule keys,
                 ListRule items) override {
    const auto* map = take_map(name);
    if (map == nullptr) return;
    values.clear();
    check_count(path_of(name), map->size(), {keys.at_least, keys.at_most}, "entries");
    for (const auto& m : *map) {
      const auto path = fmt::format("{}[\"{}\"]", path_of(name), m.key);
      check(path, m.key, keys.pattern);
      values[m.key] = read_texts(path, m.value, items);
    }
  }

  void opaque(std::string_view name, Value& value) override {
    const auto* v = take(name);
    if (v == nullptr) return;
    if (v->as<Value::Map>() == nullptr) return wrong(name, *v, "a map");
    value = *v;
  }

  void ignored(std::string_view name) override { take(name); }

 protected:
  void number(std::string_view name, std::int64_t& value, Range range) override {
    const auto* v = take(name);
    if (v == nullptr) return;
    const auto* n = v->as<std::int64_t>();
    if (n == nullptr) return wrong(name, *v, "a whole number");
    if (*n < range.min) return problem(path_of(name), fmt::format("{} is below {}", *n, range.min));
    if (*n > range.max) return problem(path_of(name), fmt::format("{} is above {}", *n, range.max));
    value = *n;
  }

  void pick(std::string_view name, std::size_t& index, std::span<const std::string_view> names) override {
    const auto* v = take(name);
    if (v == nullptr) return;
    const auto* s = v->as<std::string>();
    const auto at = s == nullptr ? names.end() : std::ranges::find(names, std::string_view(*s));
    if (at == names.end()) {
      return problem(path_of(name), fmt::format("{} is not one of {}", v->shown(), fmt::join(names, ", ")));
    }
    index = static_cast<std::size_t>(at - names.begin());
  }

  bool enter(std::string_view name, Need need, bool /*has_value*/) override {
    const auto* v = take(name);
    if (v == nullptr) {
      if (need == Need::Required) problem(path_of(name), "is required");
      return false;
    }
    return descend(*v, path_of(name));
  }

  void leave() override {
    report_unknown();
    open_.pop_back();
  }

  std::optional<std::size_t> enter_list(std::string_view name, std::size_t /*size*/, Count allowed) override {
    const auto* v = take(name);
    const auto path = path_of(name);
    if (v == nullptr) {
      if (allowed.at_least > 0) problem(path, "is required");
      return std::nullopt;
    }
    const auto* list = v->as<Value::List>();
    if (list == nullptr) {
      problem(path, fmt::format("{} is not a list", v->shown()));
      return std::nullopt;
    }
    check_count(path, list->size(), allowed, "items");
    open_.push_back({v, path, {}, list});
    return list->size();
  }

  bool enter_item(std::size_t index) override {
    const auto& list = open_.back();
    return descend((*list.items)[index], fmt::format("{}[{}]", list.path, index));
  }

  void leave_list() override { open_.pop_back(); }

 private:
  struct Open {
    const Value* value;
    std::string path;
    std::vector<std::string> known;
    const Value::List* items;
  };

  [[nodiscard]] std::string path_of(std::string_view name) const {
    const auto& path = open_.back().path;
    return path.empty() ? std::string(name) : fmt::format("{}.{}", path, name);
  }

  void problem(std::string path, std::string message) { problems_.push_back({std::move(path), std::move(message)}); }
  void wrong(std::string_view name, const Value& v, std::string_view wanted) {
    problem(path_of(name), fmt::format("{} is not {}", v.shown(), wanted));
  }
  void wrong_text(std::string path, const Value& v) {
    const bool scalar = v.as<Value::List>() == nullptr && v.as<Value::Map>() == nullptr && !v.is_null();
    problem(std::move(path), fmt::format("{} is not text{}", v.shown(), scalar ? "; put it in quotes" : ""));
  }
  void check(const std::string& path, const std::string& text, const Pattern* pattern) {
    if (pattern != nullptr && !pattern->matches(text)) {
      problem(path, fmt::format("{} is not {}", Value{text}.shown(), pattern->noun));
    }
  }

  void check_count(const std::string& path, std::size_t count, Count allowed, std::string_view things) {
    if (count < allowed.at_least) {
      problem(path, fmt::format("needs at least {} item{}", allowed.at_least, allowed.at_least > 1 ? "s" : ""));
    } else if (count > allowed.at_most) {
      problem(path, fmt::format("has {} {}, more than {}", count, things, allowed.at_most));
    }
  }

  // Returns the value of a field, or null when it is missing or null, and marks the name as known.
  const Value* take(std::string_view name) {
    open_.back().known.emplace_back(name);
    const auto* v = open_.back().value->find(name);
    return v == nullptr || v->is_null() ? nullptr : v;
  }
  const Value::Map* take_map(std::string_view name) {
    const auto* v = take(name);
    if (v == nullptr) return nullptr;
    if (v->as<Value::Map>() == nullptr) wrong(name, *v, "a map");
    return v->as<Value::Map>();
  }

  bool descend(const Value& v, std::string path) {
    if (v.as<Value::Map>() == nullptr) {
      problem(std::move(path), fmt::format("{} is not a map", v.shown()));
      return false;
    }
    open_.push_back({&v, std::move(path), {}, nullptr});
    return true;
  }

  std::vector<std::string> read_texts(const std::string& path, const Value& v, ListRule rule) {
    std::vector<std::string> out;
    const auto* list = v.as<Value::List>();
    if (list == nullptr) {
      problem(path, fmt::format("{} is not a list", v.shown()));
      return out;
    }
    check_count(path, list->size(), {rule.at_least, rule.at_most}, "items");
    for (std::size_t i = 0; i < list->size(); ++i) {
      const auto item = fmt::format("{}[{}]", path, i);
      const auto* s = (*list)[i].as<std::string>();
      if (s == nullptr) {
        wrong_text(item, (*list)[i]);
      } else if (s->empty()) {
        problem(item, "must not be empty");
      } else {
        check(item, *s, rule.pattern);
      }
      out.push_back(s == nullptr
                        ? std::string()
                        : *s);  // invalid items are added too, so that the indexes in later checks stay correct
    }
    return out;
  }

  void report_unknown() {
    const auto& here = open_.back();
    const auto* map = here.value->as<Value::Map>();
    if (map == nullptr) {
      if (open_.size() == 1) problem(here.path, fmt::format("{} is not a map", here.value->shown()));
      return;
    }
    for (const auto& m : *map) {
      if (std::ranges::find(here.known, m.key) != here.known.end()) continue;
      const auto near = nearest(m.key, here.known);
      unknown_.push_back(
          {path_of(m.key), near.empty() ? "unknown field" : fmt::format("unknown field; did you mean {}?", near)});
    }
  }

  std::vector<Open> open_;
  std::vector<Problem> problems_;
  std::vector<Problem>& unknown_;
};

}  // namespace

std::vector<Problem> read_fields(const Value& value, const Describe& describe, std::string path) {
  Reader reader(value, std::move(path));
  if (value.as<Value::Map>() != nullptr) describe(reader);
  return reader.finish();
}

std::vector<Problem> read_known_fields(const Value& value, const Describe& describe, std::vector<Problem>& unknown) {
  Reader reader(value, {}, &unknown);
  if (value.as<Value::Map>() != nullptr) describe(reader);
  return reader.finish();
}

}  // namespace datasync::config
