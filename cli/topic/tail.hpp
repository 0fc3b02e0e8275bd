#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "agents/base/result.hpp"
#include "agents/kafka/client.hpp"
#include "cli/topic/record_lines.hpp"

namespace datasync::cli {

struct TailOptions {
  std::string topic;
  RecordFilter filter;
  std::optional<std::int32_t> partition;  ///< nullopt: all
  bool from_beginning = false;
  std::optional<std::int64_t> offset;  ///< in each partition; below zero: this many before the end. Default: -10
  bool follow = false;                 ///< continues to read at the end of the topic
  std::uint64_t max = 0;               ///< stops after this many lines; 0: no limit
};

/// Prints the records of a topic, or of its state topic, as JSON lines to `print`, up to the end of the topic at the
/// time of the call, or, with `follow`, until `stop`. Rows are decoded with the schemas of the state topic. The order
/// is kept within a partition. Errors: those of kafka::Consumer; TopicMissing.
base::Result<void> tail(const kafka::Access& access, const TailOptions& options, std::stop_token stop,
                        const std::function<void(std::string_view)>& print);

/// Returns the channel of the first resource in a YAML file that has the topic (any, when it is empty); sets the topic.
/// Errors: ConfigInvalid.
base::Result<kafka::Access> channel_of(const std::filesystem::path& file, const std::filesystem::path& secrets_dir,
                                       std::string& topic);

}  // namespace datasync::cli
