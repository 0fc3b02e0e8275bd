#pragma once
// One GET of an agent's /status over a connection of its own.

#include <cstdint>
#include <string>

#include "agents/base/clock.hpp"

namespace datasync::reconcile {

struct StatusAnswer {
  std::string body;
  std::string error;  ///< empty: `body` is what was answered with 200
};

/// Returns within `connect` + `answer` and keeps at most `longest` bytes of the body and a few thousand of the header
/// fields, whatever the other side sends and however slowly: it need not be an agent.
StatusAnswer ask_status(const std::string& host, std::uint16_t port, base::Millis connect, base::Millis answer,
                        std::size_t longest);

}  // namespace datasync::reconcile
