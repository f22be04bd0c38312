// Whether a package is what a MatchSpec asks for (CEP 29; conda: conda/models/match_spec.py,
// version.py). Compiled once, asked thousands of times.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"
#include "package/conda/match_spec.h"
#include "package/conda/version.h"
#include "package/conda/version_spec.h"

namespace cloche::conda {

// Values only; may be shared between threads for reading.
class VersionMatcher {
 public:
  // kInvalid: an operand that is no version, or an expression that RE2 refuses.
  static Result<VersionMatcher> compile(const VersionSpec& spec);

  bool matches(const Version& version) const;

 private:
  struct Clause;
  VersionSpec::Kind kind_ = VersionSpec::Kind::kClause;
  std::shared_ptr<const Clause> clause_;  // shared: immutable, and matchers are copied with specs
  std::vector<VersionMatcher> parts_;
};

// A build string or another text: exact, a glob with '*', or ^a regular expression$.
class TextMatcher {
 public:
  static Result<TextMatcher> compile(std::string_view pattern);  // "" matches everything
  bool matches(std::string_view text) const;

 private:
  enum class Kind { kAnything, kExact, kGlob, kRegex };
  Kind kind_ = Kind::kAnything;
  std::string pattern_;                     // lower case: CEP 29 ignores the case
  std::shared_ptr<const void> expression_;  // re2::RE2
};

// What a matcher needs to know of a package record. Views: they live as long as the record.
struct RecordView {
  std::string_view name;
  const Version* version = nullptr;
  std::string_view build;
  std::int64_t build_number = 0;
  std::string_view channel;  // its name, or its URL without the subdir
  std::string_view subdir;
  std::string_view file_name;
  std::string_view md5;
  std::string_view sha256;
  std::string_view url;
  std::string_view license;
  std::string_view license_family;
  std::string_view track_features;  // joined by blanks
};

// The whole spec but for its name when that is exact: records are looked up by name.
class RecordMatcher {
 public:
  // kInvalid: as above, or a build_number that is none. kUnsupported: a bracket that cannot be held
  // against a record.
  static Result<RecordMatcher> compile(const MatchSpec& spec);

  bool matches(const RecordView& record) const;

  // Nothing but a version: matches() then depends on record.version alone, so that one answer
  // serves all its builds.
  bool version_only() const { return version_only_; }
  const VersionMatcher& version() const { return version_; }

  // Whether matches() looks at what RecordView has from file_name on.
  bool needs_file() const;

 private:
  MatchSpec spec_;
  VersionMatcher version_;
  TextMatcher name_;
  TextMatcher build_;
  TextMatcher license_;
  TextMatcher license_family_;
  VersionMatcher build_number_;
  bool has_build_number_ = false;
  bool version_only_ = true;
};

}  // namespace cloche::conda
