// Any bytes as a stream of events: the reader gives values or errors and never reads outside. Lengths in the input are
// trusted only to cut it into events; checksums are off, or every input would end at the first.

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "tests/unit/binlog/binlog_file.hpp"

using datasync::base::Bytes;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  datasync::binlog::test::Recorder recorder;
  datasync::binlog::EventReader reader(recorder, {.verify_checksums = false});
  Bytes rest(reinterpret_cast<const std::byte*>(data), size);
  while (rest.size() >= datasync::binlog::kHeaderSize) {
    std::uint32_t length = 0;
    std::memcpy(&length, rest.data() + 9, sizeof length);
    const auto event = rest.first(std::clamp<std::size_t>(length, 1, rest.size()));
    if (!reader.feed(event)) break;
    rest = rest.subspan(event.size());
  }
  return 0;
}
