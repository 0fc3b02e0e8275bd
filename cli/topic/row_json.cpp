#include "cli/topic/row_json.hpp"

#include <string>

namespace datasync::cli {
namespace {

using Json = nlohmann::ordered_json;

bool is_whole(message::ColumnType type) {
  using enum message::ColumnType;
  return type == TinyInt || type == SmallInt || type == MediumInt || type == Int || type == BigInt || type == Year ||
         type == Bit;
}

Json value_json(const message::Column& column, base::Bytes value) {
  const auto text = message::display(column, value);
  if (is_whole(column.type)) {
    const auto number =
        Json::parse(column.type == message::ColumnType::Year ? std::to_string(std::stoul(text)) : text, nullptr, false);
    return number.is_discarded() ? Json(text) : number;
  }
  if (column.type == message::ColumnType::Float || column.type == message::ColumnType::Double) {
    const auto number = Json::parse(text, nullptr, false);  // inf and nan are not JSON numbers
    return number.is_number() ? number : Json(text);
  }
  return text;
}

}  // namespace

Json image_json(const message::TableSchema& schema, const message::ImageView& image) {
  auto out = Json::object();
  for (std::size_t i = 0; i < schema.columns.size(); ++i) {
    const auto& column = schema.columns[i];
    out[column.name] = image.nulls[i] != 0 ? Json(nullptr) : value_json(column, image.values[i]);
  }
  return out;
}

}  // namespace datasync::cli
