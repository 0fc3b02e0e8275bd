#include "agents/kafka/hand_over.hpp"

#include <array>
#include <tuple>

#include "agents/kafka/headers.hpp"

namespace datasync::kafka {

ErrorPtr hand_over(rd_kafka_t* client, rd_kafka_topic_t* topic, std::int32_t partition, const message::Headers& headers,
                   std::string_view key, base::Bytes value, Value ownership, void* opaque) {
  auto fields = encode_headers(headers);
  std::array<rd_kafka_vu_t, 7> args{};
  std::size_t n = 0;
  args[n].vtype = RD_KAFKA_VTYPE_RKT;
  args[n++].u.rkt = topic;
  args[n].vtype = RD_KAFKA_VTYPE_PARTITION;
  args[n++].u.i32 = partition;
  args[n].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
  args[n++].u.i = ownership == Value::Given ? RD_KAFKA_MSG_F_FREE : RD_KAFKA_MSG_F_COPY;
  args[n].vtype = RD_KAFKA_VTYPE_VALUE;
  args[n].u.mem.ptr = const_cast<std::byte*>(value.data());
  args[n++].u.mem.size = value.size();
  args[n].vtype = RD_KAFKA_VTYPE_OPAQUE;
  args[n++].u.ptr = opaque;
  if (!key.empty()) {
    args[n].vtype = RD_KAFKA_VTYPE_KEY;
    args[n].u.mem.ptr = const_cast<char*>(key.data());
    args[n++].u.mem.size = key.size();
  }
  args[n].vtype = RD_KAFKA_VTYPE_HEADERS;
  args[n++].u.headers = fields.get();
  ErrorPtr error(rd_kafka_produceva(client, args.data(), n));
  if (error == nullptr) std::ignore = fields.release();  // librdkafka owns them now; after a failure they stay ours
  return error;
}

}  // namespace datasync::kafka
