// What an image is built from, and what that asks for.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "blob/segment.h"
#include "definition/environment.h"
#include "image/environment_image.h"
#include "image/layout.h"
#include "lock/lock.h"

namespace cloche::build {

struct BuildRequest {
  const definition::Definition& definition;
  const lock::Lock& lock;
  const image::BaseImage& base;
  const image::Layout& layout;  // where the image goes: the workspace's
  blob::SegmentCompression compression = blob::SegmentCompression::kZstd;
  // Bytecode for noarch Python packages, which ship none: compiled by the environment's own Python
  // in a container, and so only where one can be had (see compiles_bytecode).
  bool bytecode = true;
  // Post-link scripts of packages, run in a container. Without: they are told of.
  bool scripts = true;
  bool offline = false;
  // Use nothing that an earlier build made: to compare with it.
  bool from_nothing = false;
};

// What packages ask of the machine and the base that run them: "__glibc >=2.17,<3.0.a0".
std::vector<std::string> needs_of(const lock::Lock& lock);

// Whether this build has anything to compile and could run it: there are noarch Python packages and
// a Python for this machine's processor, on a base that has files. Whether a container can be had
// is not asked.
bool compiles_bytecode(const BuildRequest& request);

// The variables that the image sets: the definition's, and what its conda file adds.
std::map<std::string, std::string> variables_of(const definition::Definition& definition);

// Whether what is built for a platform ("linux/amd64") can run on this machine's processor.
bool runs_here(const std::string& platform);

}  // namespace cloche::build
