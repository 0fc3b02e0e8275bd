#include <limits>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "agents/config/value.hpp"

namespace datasync::config {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t kMaxDepth = 64;

/// Builds the tree while the text is parsed, so that a repeated key is detected.
class Builder : public nlohmann::json_sax<nlohmann::json> {
 public:
  Value root;
  std::string problem;

  bool null() override { return put({}); }
  bool boolean(bool v) override { return put({v}); }
  bool number_integer(number_integer_t v) override { return put({std::int64_t{v}}); }
  bool number_unsigned(number_unsigned_t v) override {
    if (v > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return fail(fmt::format("{} is too large a number", v));
    }
    return put({static_cast<std::int64_t>(v)});
  }
  bool number_float(number_float_t v, const string_t& /*text*/) override { return put({v}); }
  bool string(string_t& v) override { return put({std::move(v)}); }
  bool binary(binary_t& /*v*/) override { return fail("binary values are not JSON"); }
  bool start_object(std::size_t /*n*/) override { return open({Value::Map{}}); }
  bool end_object() override { return close(); }
  bool start_array(std::size_t /*n*/) override { return open({Value::List{}}); }
  bool end_array() override { return close(); }
  bool key(string_t& v) override {
    if (open_.back()->find(v) != nullptr) return fail(fmt::format("the key \"{}\" occurs twice", v));
    std::get<Value::Map>(open_.back()->data).push_back({std::move(v), {}});
    return true;
  }
  bool parse_error(std::size_t at, const std::string& /*token*/, const nlohmann::detail::exception& e) override {
    return fail(fmt::format("at byte {}: {}", at, e.what()));
  }

 private:
  bool fail(std::string why) {
    problem = path().empty() ? std::move(why) : fmt::format("{}: {}", path(), why);
    return false;
  }
  /// Of the value that is read, as in "spec.types[2]"; its beginning where it is long.
  [[nodiscard]] std::string path() const {
    constexpr std::size_t kMost = 200;
    std::string out;
    for (const auto* at : open_) {
      const auto* list = std::get_if<Value::List>(&at->data);
      const auto* map = std::get_if<Value::Map>(&at->data);
      if (list != nullptr && !list->empty()) out += fmt::format("[{}]", list->size() - 1);
      if (map != nullptr && !map->empty()) out += (out.empty() ? "" : ".") + map->back().key;
      if (out.size() > kMost) return out.substr(0, kMost) + "...";
    }
    return out;
  }
  Value* place() {
    if (open_.empty()) return &root;
    if (auto* list = std::get_if<Value::List>(&open_.back()->data)) return &list->emplace_back();
    return &std::get<Value::Map>(open_.back()->data).back().value;
  }
  bool put(Value v) {
    *place() = std::move(v);
    return true;
  }
  bool open(Value v) {
    if (open_.size() == kMaxDepth) return fail("nested too deep");
    auto* at = place();
    *at = std::move(v);
    open_.push_back(at);  // a parent does not grow while a child is open, so the pointer stays valid
    return true;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::vector<Value*> open_;
};

Json convert(const Value& value) {
  if (const auto* map = value.as<Value::Map>()) {
    auto out = Json::object();
    for (const auto& m : *map) out[m.key] = convert(m.value);
    return out;
  }
  if (const auto* list = value.as<Value::List>()) {
    auto out = Json::array();
    for (const auto& v : *list) out.push_back(convert(v));
    return out;
  }
  if (const auto* flag = value.as<bool>()) return Json(*flag);
  if (const auto* number = value.as<std::int64_t>()) return Json(*number);
  if (const auto* fraction = value.as<double>()) return Json(*fraction);
  if (const auto* text = value.as<std::string>()) return Json(*text);
  return Json(nullptr);
}

}  // namespace

base::Result<Value> parse_json(std::string_view text) {
  Builder builder;
  if (!nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) {
    return base::Error(base::Reason::ConfigInvalid, "not valid JSON: " + builder.problem);
  }
  return std::move(builder.root);
}

std::string to_json(const Value& value) {
  return convert(value).dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace datasync::config
