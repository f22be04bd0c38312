// The version constraint of a MatchSpec as a tree (CEP 29, "Version matching"; conda:
// conda/models/version.py, VersionSpec). What it matches is the solver's business; here it is read,
// checked and printed. docs/formats/match-spec.md specifies the grammar and the canonical form.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::conda {

struct VersionClause {
  enum class Op {
    kAny,           // *
    kEqual,         // ==1.2; the operand is a version
    kNotEqual,      // !=1.2
    kLess,          // <1.2
    kLessEqual,     // <=1.2
    kGreater,       // >1.2
    kGreaterEqual,  // >=1.2
    kPrefix,        // 1.2.*, =1.2, 1.2*; the operand is 1.2
    kNotPrefix,     // !=1.2.*
    kCompatible,    // ~=1.2
    kGlob,          // 1.*.3; the operand is the whole glob
    kRegex,         // ^1\.[23]$; the operand is the whole expression
  };
  Op op = Op::kAny;
  std::string operand;

  std::string to_string() const;
  bool operator==(const VersionClause&) const = default;
};

struct VersionSpec {
  enum class Kind { kClause, kAll, kAny };  // one clause; parts joined by ','; parts joined by '|'
  Kind kind = Kind::kClause;
  VersionClause clause;            // kClause
  std::vector<VersionSpec> parts;  // kAll, kAny: two or more, none of the same kind

  // kInvalid with the column in `text` and, where it can be known, what was meant.
  static Result<VersionSpec> parse(std::string_view text);

  // Reads the constraint that starts at `position` of a longer text as far as it goes, but not
  // beyond `end`, and moves `position` behind it. Columns and hints of errors are about the whole
  // text.
  static Result<VersionSpec> parse_within(std::string_view text, std::size_t& position,
                                          std::size_t end);

  // Canonical: parse(to_string()) is this one, and equal constraints written differently print the
  // same.
  std::string to_string() const;

  bool any() const { return kind == Kind::kClause && clause.op == VersionClause::Op::kAny; }
  // Whether one version is named: ==1.2.
  bool exact() const { return kind == Kind::kClause && clause.op == VersionClause::Op::kEqual; }
  // Whether it says more than a lower bound or an exclusion.
  bool pinned() const;

  bool operator==(const VersionSpec&) const = default;
};

}  // namespace cloche::conda
