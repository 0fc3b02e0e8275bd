#pragma once
// How the ids of requests on the state topic begin.

#include <string_view>

namespace datasync::protocol::request_ids {

/// A copy that the annotation of a resource asks for: "copy/TASK/VALUE".
inline constexpr std::string_view kCopy = "copy/";
/// What a stream has to know of transactions before its beginning: "before/0-1-12/15".
inline constexpr std::string_view kBefore = "before/";
/// A transaction that a user accepted, and an XA PREPARE that was passed: "accept/0-1-7".
inline constexpr std::string_view kAccept = "accept/", kAcceptPrepare = "accept-xa/";
/// What capture knows of the source: "fact/domain/2" (agents/capture/replica/source_domains.hpp).
inline constexpr std::string_view kFact = "fact/";

/// Their answers are what capture remembers: they are needed however many others follow.
inline constexpr std::string_view kForGood[] = {kBefore, kAccept, kAcceptPrepare, kFact};

}  // namespace datasync::protocol::request_ids
