#pragma once
// Between the files of this layer.

#include <vector>

#include "agents/config/fields.hpp"
#include "operator/api/resource.hpp"

namespace datasync::api {

/// Names every field of the resource.
void describe(config::Fields& f, DataSync& r);

/// What must hold between the fields of one resource whose fields are each right.
std::vector<config::Problem> check_rules(const DataSync& r);

}  // namespace datasync::api
