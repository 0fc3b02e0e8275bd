#include "operator/runtime/metrics.hpp"

#include <string>

namespace datasync::runtime {

std::function<void(std::string_view verb, int code)> api_call_counter(health::Metrics& metrics) {
  return [&metrics](std::string_view verb, int code) {
    metrics
        .counter("datasync_operator_api_calls_total", "Calls to the API server by verb and HTTP code; 0: no answer.",
                 {{"verb", std::string(verb)}, {"code", std::to_string(code)}})
        .add();
  };
}

}  // namespace datasync::runtime
