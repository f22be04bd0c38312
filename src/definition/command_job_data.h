// The inputs and outputs of a job file. For the reader of command jobs.
#pragma once

#include <map>
#include <string>

#include "core/diagnostic.h"
#include "core/result.h"
#include "core/yaml.h"
#include "definition/command_job.h"

namespace cloche::definition {

// Paths become relative to where `file` is. kUnsupported: data that only Azure's service reaches.
Result<std::map<std::string, JobInput>> read_job_inputs(const YamlNode& node,
                                                        const std::string& file,
                                                        Diagnostics& diagnostics);
Result<std::map<std::string, JobOutput>> read_job_outputs(const YamlNode& node,
                                                          Diagnostics& diagnostics);

// A path of this machine as a job file or a command line writes it ("data", "file:data",
// "./data"), relative to `directory`. kUnsupported: another kind of address.
Result<std::string> local_data_path(const std::string& text, const std::string& directory);

}  // namespace cloche::definition
