// What a job's inputs were when it was prepared.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "jobs/job.h"

namespace cloche::jobs {

// Hashing takes time, and the job waits for it: of more than this only the size is recorded.
struct InputLimits {
  std::uint64_t bytes = std::uint64_t{1} << 30U;
  std::uint64_t entries = 20'000;
};

// One for each file or folder among the inputs. The digest of a file is that of its content, of a
// folder that of its list (docs/formats/run-directory.md); "" where the limits are exceeded or
// something in it cannot be read. Links in a folder count as links, whatever they lead to.
// kNotFound: an input is not there (any more); kCancelled.
Result<std::vector<InputRecord>> digest_inputs(const definition::CommandJob& job, FileSource& files,
                                               const InputLimits& limits,
                                               const std::stop_token& stop);

}  // namespace cloche::jobs
