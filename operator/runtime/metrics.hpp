#pragma once
// The operator's own figures, by the names people write alerts on:
//   datasync_operator_reconciles_total{controller,result}   result: success, refused, error, timeout;
//                                                           refused: the server refuses what the resource asks for
//   datasync_operator_reconcile_seconds{controller}
//   datasync_operator_queue_depth{controller}, ..._queue_delayed{controller}
//   datasync_operator_objects{controller}
//   datasync_operator_oldest_success_seconds{controller}
//   datasync_operator_last_success_seconds{controller,namespace,name}   age, from the first
//                                                           reconcile by this process on
//   datasync_operator_unlisted_namespaces                   watched, and cannot be followed
//   datasync_operator_leading                               1 while this process holds the Lease, or needs none
//   datasync_resource_condition, datasync_resource_reason   see operator/reconcile/condition_metrics.hpp
//   datasync_operator_api_calls_total{verb,code}            code 0: no answer

#include <functional>
#include <string_view>

#include "agents/health/metrics.hpp"

namespace datasync::runtime {

/// For ConnectOptions::on_call. `metrics` must outlive the Api.
std::function<void(std::string_view verb, int code)> api_call_counter(health::Metrics& metrics);

}  // namespace datasync::runtime
