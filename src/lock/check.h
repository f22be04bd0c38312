// Whether a lock still is what a definition asks for: for `--check`, and for every lock that comes
// from elsewhere.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/location.h"
#include "definition/environment.h"
#include "lock/lock.h"

namespace cloche::lock {

enum class FindingKind {
  kPlatform,    // the definition is not for the lock's platform
  kRequest,     // the definition asks for what is not locked
  kDependency,  // a locked package needs what is not locked
  kConstraint,  // a locked package does not go with another one
  kDuplicate,   // a name stands twice
  kUnreadable,  // a spec or a version that cannot be understood
};

std::string_view to_string(FindingKind kind);  // "platform", "request", "dependency", ...

struct Finding {
  FindingKind kind = FindingKind::kRequest;
  std::string package;  // the locked package that is to blame; "" for a request
  std::string spec;     // what it says, or what the definition says
  std::string message;  // "numpy>=2 is not met: numpy 1.26.4 is locked"
  std::string hint;
  Location at;  // the definition's line, for requests; else empty

  bool operator==(const Finding&) const = default;
};

// The conda dependencies of a definition that count on a platform, in its order. They point into
// the definition.
std::vector<const definition::CondaDependency*> requested_on(
    const definition::Definition& definition, std::string_view platform);

// Makes the lock the definition's: fingerprint, base image (a digest stays where the reference
// does), requested specs ("pip" among them where there is a pip part), pip and apt requirements,
// and why each package is there. The packages themselves stay as they are.
void bind(Lock& lock, const definition::Definition& definition);

// What is wrong, requests first, then packages by name; empty: the lock satisfies the definition.
// Virtual packages (__glibc) are held against the lock's target, and taken for granted where an
// imported lock names none. Dependencies of incomplete packages are not known and not checked, nor
// are pip's and apt's requirements.
std::vector<Finding> check(const Lock& lock, const definition::Definition& definition);

}  // namespace cloche::lock
