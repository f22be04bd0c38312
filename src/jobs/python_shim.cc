#include "jobs/python_shim.h"

#include "io/file.h"

namespace cloche::jobs {
namespace {

// A line is one write to a file that is opened for appending, so ranks may log at once.
constexpr const char* kModule = R"py("""Metrics of a cloche job: lines of outputs/metrics.jsonl.

    import cloche
    cloche.log_metric("loss", 0.25, step=3)
    cloche.log_metrics({"loss": 0.25, "accuracy": 0.9}, step=3)

Outside a job they are written to ./outputs as well.
"""
import json
import os
import time

__all__ = ["log_metric", "log_metrics"]


def log_metrics(values, step=None):
    record = {name: float(value) for name, value in values.items()}
    if step is not None:
        record["step"] = int(step)
    record["time"] = round(time.time(), 3)
    os.makedirs("outputs", exist_ok=True)
    line = (json.dumps(record) + "\n").encode()
    file = os.open("outputs/metrics.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(file, line)
    finally:
        os.close(file)


def log_metric(name, value, step=None):
    log_metrics({name: value}, step)
)py";

}  // namespace

Status write_python_shim(const RunDirectory& directory) {
  return io::write_file_atomically(directory.library() + "/cloche.py", kModule);
}

}  // namespace cloche::jobs
