// The fields of a MatchSpec one by one: what may stand in each, and which key of the brackets sets
// it. For the parser and the printer of match_spec.h only.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/result.h"
#include "package/conda/match_spec.h"

namespace cloche::conda {

inline constexpr std::size_t kMaxNameLength = 64;  // CEP 26

bool contains(std::string_view set, char c);

// A string expression that is a regular one: "^...$" (CEP 29, "String matching").
bool is_regex(std::string_view text);

bool is_conda_artifact(std::string_view text);  // ends in .conda or .tar.bz2
bool is_pip_artifact(std::string_view text);    // .whl, .tar.gz, .zip, .txt

// https://host/conda-forge/linux-64/python-3.11.10-h1_0.conda names all parts (CEP 29, App. C); a
// file elsewhere names at most package, version and build.
MatchSpec from_artifact(std::string_view url);

// Why the text is no name (a package's, a glob or a regular expression), or "".
std::string name_problem(std::string_view name);

// Splits a known subdir off the channel's end: "conda-forge/linux-64". kInvalid.
Status set_channel(MatchSpec& spec, std::string_view text);
Status set_build(MatchSpec& spec, std::string_view value);

Result<std::string> checked_hash(std::string_view value, std::size_t digits);

// A key of the brackets. One with `set` is a field of MatchSpec; the others stay in
// MatchSpec::brackets, as `check` gives them or as they are. Errors may have a column in the value.
struct BracketKey {
  std::string_view name;
  Status (*set)(MatchSpec&, std::string_view) = nullptr;
  Result<std::string> (*check)(std::string_view) = nullptr;
};
std::span<const BracketKey> bracket_keys();

// Whether the value is a list in brackets, as CEP 44 and 45 write extras and flags.
bool is_list_key(std::string_view key);

}  // namespace cloche::conda
