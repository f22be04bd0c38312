// The lock: exactly which packages a definition becomes, each with URL and hash.
//
// Plain values, and pure functions on them. A lock belongs to a definition's fingerprint, a
// platform and the virtual packages of the target that it was solved for. It says why each package
// is there, but names no file or line of an author: equal definitions share one lock.
//
// docs/formats/lock.md describes the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/digest.h"
#include "core/json.h"
#include "package/conda/channel_priority.h"
#include "package/conda/record.h"
#include "package/conda/virtual_package.h"

namespace cloche::lock {

inline constexpr int kFormatVersion = 1;

// Of the target; never a package of a lock.
using conda::VirtualPackage;

struct BaseImage {
  std::string reference;  // as the definition has it
  std::string digest;     // "sha256:..."; "" until the image was looked at
  // "bootstrap": made of Debian's archive, since no registry was in reach; "" for all others.
  std::string origin = {};

  bool operator==(const BaseImage&) const = default;
};

struct Channel {
  std::string name;  // as the definition has it: "conda-forge"
  std::string url;   // without credentials and without a final slash

  bool operator==(const Channel&) const = default;
};

using conda::ChannelPriority;

// Why a package is in the lock; both empty for one that nothing asks for.
struct Reason {
  std::vector<std::string> requested;  // specs as the definition has them, in its order
  std::vector<std::string> needed_by;  // names of locked packages, sorted

  bool operator==(const Reason&) const = default;
};

struct CondaPackage {
  conda::PackageRecord record;
  Reason reason = {};
  // Imported from a format that keeps less than the channel says (explicit files: the URL alone;
  // conda-lock: that and the dependencies). To be completed from the channel before it is used.
  bool incomplete = false;

  bool operator==(const CondaPackage&) const = default;
};

struct CondaLock {
  std::vector<Channel> channels;  // as solved, in their order of priority
  ChannelPriority channel_priority = ChannelPriority::kStrict;
  std::vector<std::string> requested;  // the specs that were solved, in the definition's order
  std::vector<CondaPackage> packages;  // by name, then by the rest of what tells two apart

  bool operator==(const CondaLock&) const = default;
};

// A wheel or source distribution. Imported ones only, until PyPI has a source.
struct PypiPackage {
  std::string name = {};     // normalised (PEP 503)
  std::string version = {};  // PEP 440
  std::string url = {};      // without credentials; a path for a local one
  std::string sha256 = {};
  std::string md5 = {};
  std::uint64_t size_bytes = 0;                 // 0: not known
  std::vector<std::string> requires_dist = {};  // PEP 508
  std::string requires_python = {};

  bool operator==(const PypiPackage&) const = default;
};

// What pip is asked for. `locked` false: the lines are kept as they are, not made exact.
struct PypiLock {
  bool locked = false;
  // The lines as the definition has them, by kind, each in their order.
  std::vector<std::string> requirements;  // "numpy==1.26", "--editable=./src"
  std::vector<std::string> constraints;   // "urllib3<2"
  std::vector<std::string> options;       // "--index-url=https://..."
  std::vector<PypiPackage> packages;      // by name and version

  bool empty() const {
    return requirements.empty() && constraints.empty() && options.empty() && packages.empty();
  }
  bool operator==(const PypiLock&) const = default;
};

// Where Debian packages come from: one suite of an archive, as it was when it was read.
struct DebianArchive {
  std::string uri = {};    // without credentials and without a final slash
  std::string suite = {};  // as asked for: "bookworm-security"
  std::vector<std::string> components = {};
  std::string date = {};    // of its Release, RFC 3339
  std::string sha256 = {};  // of its Release: which state of the archive it was

  bool operator==(const DebianArchive&) const = default;
};

// A package that is put onto the base, new or in place of the base's own version.
struct DebianPackage {
  std::string name = {};
  std::string version = {};       // Policy 5.6.12
  std::string architecture = {};  // "amd64", "all"
  std::string source = {};        // "torch", "torch (1.13.1-1)"; "" where it is called so itself
  std::string url = {};           // without credentials
  std::uint64_t size_bytes = 0;
  std::string sha256 = {};
  // As the index has them, one entry for each group of alternatives (Policy 7.1).
  std::vector<std::string> pre_depends = {};
  std::vector<std::string> depends = {};
  std::vector<std::string> provides = {};
  Reason reason = {};

  bool operator==(const DebianPackage&) const = default;
};

// Debian packages, solved against what the base has installed. `locked` false: the requirements are
// kept as they are, not made exact.
struct DebianLock {
  bool locked = false;
  std::vector<std::string> requirements;  // "git", "git=1:2.39.*", in the definition's order
  std::string distribution;               // of the base, os-release's ID: "debian"
  std::string codename;                   // of the base: "bookworm"
  std::string architecture;               // Debian's word for the platform: "amd64"
  std::vector<DebianArchive> archives;    // in their order of importance
  std::vector<DebianPackage> packages;    // by name; the base's own ones are not among them
  std::vector<std::string> removes;       // names of the base's packages that have to go, sorted

  bool empty() const {
    return requirements.empty() && packages.empty() && archives.empty() && removes.empty() &&
           distribution.empty() && codename.empty() && architecture.empty();
  }
  bool operator==(const DebianLock&) const = default;
};

struct Lock {
  std::string fingerprint;  // of the definition (definition/fingerprint.h); "" for an imported one
  std::string platform = "linux-64";
  std::vector<VirtualPackage> virtual_packages;  // of the target, by name
  std::optional<BaseImage> base_image;           // nothing where a Dockerfile stands instead
  CondaLock conda;
  PypiLock pypi;
  DebianLock debian;

  bool operator==(const Lock&) const = default;
};

// Puts everything that has no order of its own into the order of the file: virtual packages and
// packages. Every reader and writer does so; whoever makes a lock by hand may.
void sort(Lock& lock);

// The lock as JSON, with the keys of docs/formats/lock.md; for a lock that is sorted.
Json to_json(const Lock& lock);

// sha256 over the RFC 8785 form of to_json() of the sorted lock: which lock it is.
Digest digest_of(const Lock& lock);

// The same over what decides the installed files alone: platform, base image, packages, and the
// requirements that are not locked. Two definitions that are written differently but lead to the
// same packages agree in it.
Digest contents_digest_of(const Lock& lock);

// The same without the base image: what an environment's layers are made from, whatever they are
// put onto.
Digest packages_digest_of(const Lock& lock);

// sha256 over the virtual packages: which target a lock was solved for, whatever their order.
Digest target_digest_of(const std::vector<VirtualPackage>& virtual_packages);

// The name that a MatchSpec in `depends` is about: "python" for "python >=3.11,<3.12.0a0"; "" where
// the text is no spec.
std::string dependency_name(std::string_view spec);

// Why each conda package is there, by name, out of `requested` and the records' `depends`.
std::map<std::string, Reason> why(const Lock& lock);

// The same of the Debian packages: a dependency counts for each locked package whose name it has
// among its alternatives, or that provides one of them, whatever the versions.
std::map<std::string, Reason> why_debian(const DebianLock& debian);

// Writes the answers of why() and why_debian() into the packages.
void set_reasons(Lock& lock);

// The order in which conda packages are put into a prefix, as places in lock.conda.packages: each
// after what it depends on, otherwise by name; noarch Python packages after python itself, whose
// entry points and bytecode they need. Python comes before pip, as in conda; any other circle is
// broken at the package where it was entered, which then comes last.
std::vector<std::size_t> install_order(const Lock& lock);

}  // namespace cloche::lock
