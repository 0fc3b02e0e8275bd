#pragma once
// Which tables are captured: capture and the engines of sources share these types.

#include "agents/source/selection.hpp"

namespace datasync::capture {

using source::Selection;
using source::TableChoice;

}  // namespace datasync::capture
