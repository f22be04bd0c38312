// The files of Debian packages as the files of one conda package.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "debian_channel/bytecode_maker.h"
#include "debian_channel/layout.h"
#include "debian_channel/rules.h"
#include "package/debian/record.h"

namespace cloche::debian_channel {

enum class PackageKind { kNative, kNoarchPython, kNoarchGeneric };

// A conda package to be.
struct Group {
  std::string name;
  std::vector<debian::PackageRecord> members = {};  // the first decides the version
  PackageKind kind = PackageKind::kNative;

  std::uint64_t installed_kib() const;

  // Whether its modules are for one Python, so that bytecode belongs to them.
  bool has_bytecode() const;
};

// What is known of a group after its files were converted. The files themselves are a payload
// (source/conda/package_writer.h) beside it.
struct Conversion {
  std::string paths_json;
  std::map<std::string, std::string> path_lists;  // info/files, info/has_prefix
  std::set<std::string> provides;                 // names of shared libraries that others may need
  std::set<std::string> needs;            // those that its files need and that it does not have
  std::vector<std::string> modules;       // top-level Python modules
  std::vector<std::string> entry_points;  // "pip3 = pip._internal.cli.main:main"
  std::map<std::string, std::string> licenses;    // Debian package -> its copyright file
  std::map<std::string, std::string> license_of;  // Debian package -> the one whose file it shares
  std::string license;                            // "BSD-3-Clause", where the copyright file says
  std::string homepage;
  std::string summary;
  std::string description;
  std::int64_t time_s = 0;         // of its youngest file
  std::uint64_t size_bytes = 0;    // installed
  std::vector<std::string> notes;  // links that lead nowhere, ELF files without a run path

  Json to_json() const;
  static Result<Conversion> from_json(const Json& json);
};

// What decides the files of a group: hashed, it names them in a cache. `interpreter`: the key of
// the Python that compiles, or "".
std::string conversion_key(const Group& group, const Rules& rules, const std::string& interpreter);

// Converts the group's packages, whose archives are `debs` in the members' order, and writes the
// payload to `payload_path`. What is done to the files: docs/manual/test-channel.md.
// The same input gives the same bytes. `bytecode` may be nullptr: then there is none.
Result<Conversion> convert(const Group& group, const std::vector<std::string>& debs,
                           const Rules& rules, BytecodeMaker* bytecode,
                           const std::string& payload_path);

// What stands for an installation's prefix: 255 bytes, as conda-build has them.
std::string_view placeholder();

}  // namespace cloche::debian_channel
