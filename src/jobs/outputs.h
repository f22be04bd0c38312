// What a job wrote, as its run keeps it.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "jobs/job.h"
#include "jobs/run_directory.h"

namespace cloche::jobs {

inline constexpr std::size_t kMaxRecordedOutputs = 10'000;

struct RecordedOutputs {
  std::vector<OutputFile> files;  // sorted by path
  bool cut = false;               // there are more
};

// Every file below outputs, named outputs and logs, with its digest. Links are recorded, never
// followed; what is neither is left out.
Result<RecordedOutputs> record_outputs(const RunDirectory& directory);

// Code may bring folders "outputs" and "logs" along: what is in them counts as written (of the
// first instance), and both names become the places where the run keeps them.
Status take_in_outputs(const std::string& work, const RunDirectory& directory, bool first);

}  // namespace cloche::jobs
