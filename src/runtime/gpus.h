// Which GPUs a container is given: `--gpus` in terms of the Container Device Interface.
#pragma once

#include <string>
#include <vector>

#include "core/result.h"
#include "runtime/cdi_registry.h"

namespace cloche::runtime {

// The qualified devices that are meant by "all", by names of the only kind of GPUs that this
// machine has ("0", "0,1", "GPU-<uuid>"), or by qualified names ("amd.com/gpu=1"); "none" means
// none. A kind of GPUs is a kind whose class is "gpu". kNotFound: no such GPU, or no spec of any;
// kConflict: there are several kinds; kInvalid: a name that is none.
Result<std::vector<std::string>> find_gpus(const std::vector<std::string>& asked,
                                           const CdiRegistry& registry);

// Each GPU of this machine once, qualified, in the order of the specs: of several names of the same
// device nodes the first, and no name for several together ("all"). What a job may be given.
std::vector<std::string> single_gpus(const CdiRegistry& registry);

// What a container is given with them, device nodes with the type and the numbers that they have on
// this host. kUnavailable: a device node or a file that the spec names is not there (any more).
Result<CdiEdits> gpu_edits(const std::vector<std::string>& qualified, const CdiRegistry& registry);

}  // namespace cloche::runtime
