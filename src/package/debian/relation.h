// What Debian packages say of each other: Depends, Conflicts, Provides and their like
// (deb-control(5), Policy 7.1; architectures and profiles: deb-src-control(5)).
//
//   libc6 (>= 2.36), default-mta | mail-transport-agent, python3:any, gcc [amd64 i386] <!nocheck>
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::debian {

enum class Comparison : std::uint8_t {
  kAny,             // no version is asked for
  kEarlier,         // <<
  kEarlierOrEqual,  // <=, and the obsolete <
  kEqual,           // =
  kLaterOrEqual,    // >=, and the obsolete >
  kLater,           // >>
};

std::string_view to_string(Comparison comparison);  // "<<", "<=", ...; "" for kAny

// One package that would do. Views into the text that was parsed.
struct Relation {
  std::string_view name;
  std::string_view architecture;  // behind ':': "any", "native" or an architecture; "" mostly
  Comparison comparison = Comparison::kAny;
  std::string_view version;
  std::string_view architectures;  // between '[' and ']', as written: "amd64 i386", "!hurd-any"
  std::string_view profiles;       // the "<...>" lists, as written: "<!nocheck> <cross stage1>"

  bool operator==(const Relation&) const = default;
};

// Whether a version is one that the relation is about.
bool allows(const Relation& relation, std::string_view version);

// Whether the relation counts on an architecture and with these build profiles: one of the
// architectures holds ("any" and "linux-any" included), or none of the negated ones; and one of the
// profile lists holds wholly.
bool counts_on(const Relation& relation, std::string_view architecture,
               std::span<const std::string_view> profiles = {});

std::string to_string(const Relation& relation);

// Packages of which one has to be there, the most wanted first. Conflicts and Provides have one in
// each.
using Alternatives = std::vector<Relation>;

inline constexpr std::size_t kMaxRelationBytes = std::size_t{1} << 20U;

// The value of a field; "" gives none, and so do empty places between commas. Linear time.
// kInvalid with the offset as column: a name, version or operator that is none, brackets that do
// not close, alternatives without one, over kMaxRelationBytes.
Result<std::vector<Alternatives>> parse_relations(std::string_view text);

}  // namespace cloche::debian
