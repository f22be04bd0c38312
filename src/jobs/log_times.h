// When a log had how many bytes, so that one can begin reading at a time.
// docs/formats/run-directory.md.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"

namespace cloche::jobs {

// Appends that the log at `log` has its present size at `now`, unless it has not grown since the
// last entry in `times`. Entries are 16 bytes, so the cost does not grow with the log. What cannot
// be written is left out.
void note_log_size(const std::string& log, const std::string& times, std::int64_t now);

// How many bytes the log had at `ms`, or the most before that: where reading begins. 0 when nobody
// knows.
std::uint64_t log_offset_at(const std::string& times, std::int64_t ms);

// The last of a log, at most so many bytes and lines; "" when there is none. A link is not
// followed: the job might have put it there.
std::string log_tail(const std::string& folder, const std::string& name, std::size_t bytes,
                     std::size_t lines);

}  // namespace cloche::jobs
