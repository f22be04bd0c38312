// Locks, what changed between two, and what a check found: as records, and as text for people made
// out of those records alone (cli/report.h). docs/manual/cli.md lists the keys.
#pragma once

#include <string>
#include <vector>

#include "cli/report.h"
#include "core/diagnostic.h"
#include "core/json.h"
#include "lock/check.h"
#include "lock/diff.h"
#include "lock/lock.h"

namespace cloche::cli {

// {"digest", "contents_digest", "fingerprint", "platform", "virtual_packages", "base_image",
//  "channels", "channel_priority", "package_count", "size", "packages": [...], "unlocked": {...}}
Json lock_record(const lock::Lock& lock);

// A table of the packages, with why each is there; then what is not locked.
std::string lock_text(const Json& lock_record, const Style& style);

// {"changes": [...], "unchanged_count"}
Json lock_diff_record(const lock::Difference& difference);

// A table of the changes, or "nothing changed".
std::string lock_diff_text(const Json& diff_record, const Style& style);

// [{"kind", "package", "spec", "message", "hint", "file", "line", "column"}]
Json findings_record(const std::vector<lock::Finding>& findings);

// A line for each finding, with the place in the author's file; "" where there is none.
std::string findings_text(const Json& findings_record, const Style& style);

}  // namespace cloche::cli
