#pragma once
// What operators report about a fault, against what they shall report. Pure: no cluster is asked here.

#include <map>
#include <set>
#include <string>
#include <vector>

namespace datasync::test {

/// The reasons that one DataSync reports a fault by. What is in none of the three, it may not report: all but the
/// reasons of a DataSync that is well.
struct ExpectedEvents {
  std::set<std::string> always = {};     ///< a condition shows it, and an Event has reported it
  std::set<std::string> sometimes = {};  ///< it depends on who looked when
  std::set<std::string> events = {};     ///< reported by an Event alone, each time
};

/// By CLUSTER/NAME; a DataSync that is not named reports nothing.
using Golden = std::map<std::string, ExpectedEvents>;

/// An agent of the DataSync was started, moved or replaced while its operator looked on: it reports `Starting`, and
/// sometimes how the pod went and came. Beside that, `besides`.
ExpectedEvents replaced(ExpectedEvents besides = {});
/// The same where the operator may have come too late to see it.
ExpectedEvents maybe_replaced(ExpectedEvents besides = {});

/// Ready, as it stood for a while.
struct Shown {
  std::string reason, message;
  bool operator==(const Shown&) const = default;
};

/// An Event about a DataSync; `last` is the time of its last occurrence (UTC, as the API writes it).
struct ObservedEvent {
  std::string uid, reason, note, last;
};

/// What was seen of one DataSync since a scenario began.
struct Observed {
  std::string uid;    ///< of the resource as it is now
  std::string begun;  ///< when the scenario began, written as an Event's time
  std::vector<Shown> shown;
  std::vector<ObservedEvent> events;  ///< also those of earlier
};

/// Empty when what was seen is what shall be reported; else a line for each difference. A reason that conditions show
/// has an Event of this scenario. One of an earlier time counts for the same resource with the same words alone:
/// recorders count those, and write the count only now and then.
std::string differences(const Observed& seen, const ExpectedEvents& expected);

/// "Starting, Streaming": the reasons in order, for the log.
std::string summary(const std::vector<Shown>& shown);

}  // namespace datasync::test
