// What a job wrote, copied to where a person wants it.
#pragma once

#include <cstdint>
#include <string>

#include "core/result.h"
#include "jobs/job.h"
#include "jobs/run_directory.h"

namespace cloche::jobs {

struct CopyChoice {
  std::string output = {};  // only this named output; "": outputs and all named ones
  bool all = false;         // logs as well
};

struct CopiedOutputs {
  std::uint64_t files = 0;
  std::uint64_t bytes = 0;
};

// Into the new folder `target`, by names relative to the run directory. Links are copied as links
// and never followed: a job may point them anywhere. kConflict: `target` is there. kNotFound: the
// job has no such output.
Result<CopiedOutputs> copy_outputs(const Job& job, const RunDirectory& directory,
                                   const CopyChoice& choice, const std::string& target);

}  // namespace cloche::jobs
