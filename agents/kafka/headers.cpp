#include "agents/kafka/headers.hpp"

#include <array>
#include <charconv>
#include <string_view>

#include <fmt/format.h>

namespace datasync::kafka {
namespace {

base::Error foreign(const rd_kafka_message_t& m, std::string_view what) {
  return {base::Reason::ForeignMessage, fmt::format("topic {}, partition {}, offset {}: {}", rd_kafka_topic_name(m.rkt),
                                                    m.partition, m.offset, what)};
}

/// Reads one header into `out` and ignores an unknown name. Returns false when the value is not valid.
bool take(std::string_view name, std::string_view value, message::Headers& out, bool& has_kind) {
  if (name == "kind") {
    const auto kind = message::parse_kind(value);
    if (!kind) return false;
    out.kind = *kind;
    has_kind = true;
  } else if (name == "type") {
    out.type = value;
  } else if (name == "epoch") {
    std::uint64_t epoch = 0;
    const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), epoch);
    if (error != std::errc{} || end != value.data() + value.size()) return false;
    out.epoch = message::Epoch(epoch);
  } else if (name == "end") {
    const auto end = message::parse_end(value);
    if (!end) return false;
    out.end = *end;
  }
  return true;
}

}  // namespace

HeadersPtr encode_headers(const message::Headers& headers) {
  HeadersPtr list(rd_kafka_headers_new(4));
  const auto add = [&list](std::string_view name, std::string_view value) {
    rd_kafka_header_add(list.get(), name.data(), static_cast<ssize_t>(name.size()), value.data(),
                        static_cast<ssize_t>(value.size()));
  };
  add("kind", message::to_string(headers.kind));
  if (headers.epoch != message::Epoch{}) {
    std::array<char, 20> digits{};
    const auto* end = std::to_chars(digits.data(), digits.data() + digits.size(), headers.epoch.value()).ptr;
    add("epoch", {digits.data(), static_cast<std::size_t>(end - digits.data())});
  }
  if (!headers.type.empty()) add("type", headers.type);
  if (headers.end != message::End::None) add("end", message::to_string(headers.end));
  return list;
}

base::Result<message::Headers> decode_headers(const rd_kafka_message_t& message) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
    return foreign(message, "a record without headers is not from DataSync");
  message::Headers out;
  bool has_kind = false;
  const char* name = nullptr;
  const void* value = nullptr;
  std::size_t size = 0;
  for (std::size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
       ++i) {
    const std::string_view text(static_cast<const char*>(value), value == nullptr ? 0 : size);
    if (!take(name, text, out, has_kind))
      return foreign(message, fmt::format("header {} = '{}' is not from DataSync", name, text.substr(0, 64)));
  }
  if (!has_kind) return foreign(message, "a record without the header 'kind' is not from DataSync");
  return out;
}

bool has_header(const rd_kafka_message_t& message, const char* name) {
  rd_kafka_headers_t* headers = nullptr;
  if (rd_kafka_message_headers(&message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR) return false;
  const void* value = nullptr;
  std::size_t size = 0;
  return rd_kafka_header_get_last(headers, name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

}  // namespace datasync::kafka
