#pragma once
// The names of the enumerators of config.hpp in documents, in the order of the enumerators.

#include <string_view>

namespace datasync::config {

inline constexpr std::string_view kTlsModes[] = {"Disabled", "Required", "VerifyCa", "VerifyIdentity"};
inline constexpr std::string_view kEngines[] = {"MariaDB", "MySQL", "PostgreSQL"};
inline constexpr std::string_view kModes[] = {"Continuous", "Once"};
inline constexpr std::string_view kSnapshotModes[] = {"Initial", "Never"};
inline constexpr std::string_view kOnPositionLost[] = {"Halt", "Resnapshot"};
inline constexpr std::string_view kSchemaChanges[] = {"Halt", "ApplyAdditive", "ApplyAll"};
inline constexpr std::string_view kOnConflict[] = {"Halt", "Overwrite"};
inline constexpr std::string_view kOnTableError[] = {"HoldStream", "HoldTable"};

}  // namespace datasync::config
