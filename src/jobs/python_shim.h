// The module `cloche` on a job's PYTHONPATH: log_metric() for those who want one line.
#pragma once

#include "core/result.h"
#include "jobs/run_directory.h"

namespace cloche::jobs {

// Writes it below the run's library(). It needs Python 3.6 and nothing else.
Status write_python_shim(const RunDirectory& directory);

}  // namespace cloche::jobs
