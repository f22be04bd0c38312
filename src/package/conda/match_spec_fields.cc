#include "package/conda/match_spec_fields.h"

#include <algorithm>
#include <array>
#include <iterator>

#include "core/ascii.h"
#include "core/text.h"
#include "package/conda/platform.h"
#include "package/conda/version.h"
#include "package/conda/version_spec.h"

namespace cloche::conda {
namespace {

constexpr std::size_t kMaxBuild = 256;  // CEP 26 says 64; patterns are longer
constexpr auto kNone = std::string_view::npos;

struct Suffix {
  std::string_view text;
  bool conda;
};
constexpr std::array<Suffix, 6> kArtifactSuffixes = {{{".conda", true},
                                                      {".tar.bz2", true},
                                                      {".whl", false},
                                                      {".tar.gz", false},
                                                      {".zip", false},
                                                      {".txt", false}}};

std::string strip_final_slashes(std::string_view text) {
  while (text.ends_with('/')) {
    text.remove_suffix(1);
  }
  return std::string(text);
}

// Why the text is no channel, or "".
std::string_view channel_problem(std::string_view text) {
  if (text.find("::") != kNone) {
    return "a channel cannot hold '::'";
  }
  if (text.starts_with(':') || text.ends_with(':')) {
    return "a channel cannot start or end with ':'";
  }
  const bool odd =
      std::ranges::any_of(text, [](char c) { return is_blank(c) || contains("\"'[]<>,|#", c); });
  return odd ? "a channel cannot hold blanks, quotes or brackets" : "";
}

std::string build_problem(std::string_view build) {
  if (build.size() > kMaxBuild) {
    return "a build string is longer than 256 characters";
  }
  if (is_regex(build)) {
    return build.find("(?") == kNone && build.find('\'') == kNone && build.find('"') == kNone
               ? ""
               : "lookaround and quotes are not allowed in a build string";
  }
  const auto* odd =
      std::ranges::find_if(build, [](char c) { return !is_alnum(c) && !contains("._+*-", c); });
  return odd == build.end()
             ? ""
             : "'" + printable(std::string_view(&*odd, 1)) + "' cannot stand in a build string";
}

// "name-version-build" of an artifact's file name, where it is of that form.
void set_from_file_name(MatchSpec& spec, std::string_view path) {
  std::string_view file = path.substr(path.find_last_of("/\\") + 1);
  for (const Suffix& suffix : kArtifactSuffixes) {
    if (suffix.conda && file.ends_with(suffix.text)) {
      file.remove_suffix(suffix.text.size());
    }
  }
  const std::size_t build_dash = file.rfind('-');
  if (build_dash == kNone || build_dash == 0) {
    return;
  }
  const std::size_t version_dash = file.rfind('-', build_dash - 1);
  if (version_dash == kNone || version_dash == 0) {
    return;
  }
  const std::string name = to_lower(file.substr(0, version_dash));
  const std::string_view version = file.substr(version_dash + 1, build_dash - version_dash - 1);
  const std::string_view build = file.substr(build_dash + 1);
  if (!name_problem(name).empty() || contains(name, '*') || !Version::parse(version).has_value() ||
      build.empty() || contains(build, '*') || !build_problem(build).empty()) {
    return;
  }
  spec.name = name;
  spec.version = "==" + to_lower(version);
  spec.build = build;
}

Result<std::string> checked_build_number(std::string_view value) {
  std::string number;
  std::ranges::copy_if(value, std::back_inserter(number), [](char c) { return !is_blank(c); });
  static constexpr std::array<std::string_view, 7> kOperators = {
      "==", "!=", "<=", ">=", "<", ">", ""};
  for (const std::string_view op : kOperators) {
    if (number.starts_with(op)) {
      const std::string_view digits = std::string_view(number).substr(op.size());
      if (!digits.empty() && std::ranges::all_of(digits, is_digit)) {
        return op == "==" ? std::string(digits) : number;
      }
      break;
    }
  }
  return fail(ErrorKind::kInvalid, "a build number is a number, perhaps after an operator: >=3");
}

// CEP 44, "Specification".
bool is_extra(std::string_view word) {
  return !word.empty() && word.size() <= 64 && std::ranges::all_of(word, [](char c) {
    return is_lower(c) || is_digit(c) || contains("_.+-", c);
  });
}

// CEP 45, "MatchSpec syntax changes".
bool is_flag(std::string_view word) {
  const auto part = [](std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
      return is_lower(c) || is_digit(c) || contains("_*", c);
    });
  };
  const std::size_t colon = word.find(':');
  return part(word.substr(0, colon)) &&
         (colon == std::string_view::npos || part(word.substr(colon + 1)));
}

// One word or a list of them, each perhaps in quotes; the list in canonical form.
Result<std::string> checked_list(std::string_view value, bool (*is_word)(std::string_view)) {
  value = trim(value);
  if (value.starts_with('[') && value.ends_with(']')) {
    value = value.substr(1, value.size() - 2);
  }
  std::string out;
  for (std::string_view word : split(value, ',')) {
    word = trim(word);
    if (word.size() >= 2 && contains("'\"", word.front()) && word.front() == word.back()) {
      word = trim(word.substr(1, word.size() - 2));
    }
    if (!is_word(word)) {
      return fail(ErrorKind::kInvalid,
                  "a list holds names in small letters separated by commas: [a,b]");
    }
    out += out.empty() ? "[" : ",";
    out += word;
  }
  return out + "]";
}

Status set_version(MatchSpec& spec, std::string_view value) {
  const VersionSpec version = TRY(VersionSpec::parse(value));
  spec.version = version.any() ? "" : version.to_string();
  return {};
}

Status set_subdir(MatchSpec& spec, std::string_view value) {
  const std::string lower = to_lower(value);
  if (lower.size() > 32 || !std::ranges::all_of(lower, [](char c) {
        return is_digit(c) || is_lower(c) || contains("-_*", c);
      })) {
    return fail(ErrorKind::kInvalid, "a subdir is a platform such as linux-64, or noarch");
  }
  spec.subdir = lower == "*" ? "" : lower;
  return {};
}

Status set_url(MatchSpec& spec, std::string_view value) {
  if (std::ranges::any_of(value, is_blank)) {
    return fail(ErrorKind::kInvalid, "a URL cannot hold blanks");
  }
  spec.url = value;
  return {};
}

}  // namespace

bool contains(std::string_view set, char c) { return set.find(c) != kNone; }

bool is_regex(std::string_view text) {
  return text.size() > 1 && text.front() == '^' && text.back() == '$';
}

bool is_conda_artifact(std::string_view text) {
  return std::ranges::any_of(kArtifactSuffixes, [&](const Suffix& suffix) {
    return suffix.conda && text.ends_with(suffix.text);
  });
}

bool is_pip_artifact(std::string_view text) {
  return std::ranges::any_of(kArtifactSuffixes, [&](const Suffix& suffix) {
    return !suffix.conda && text.ends_with(suffix.text);
  });
}

MatchSpec from_artifact(std::string_view url) {
  MatchSpec spec;
  spec.name = "*";
  spec.url = url;
  set_from_file_name(spec, url);
  const std::size_t slash = url.rfind('/');
  if (slash != kNone && slash > 0) {
    MatchSpec place;
    if (set_channel(place, url.substr(0, slash)).has_value() && !place.subdir.empty()) {
      spec.channel = place.channel;
      spec.subdir = place.subdir;
    }
  }
  return spec;
}

std::string name_problem(std::string_view name) {
  if (name.size() > kMaxNameLength) {
    return "a package name is longer than 64 characters";
  }
  if (is_regex(name)) {
    const bool simple = name.find("(?") == kNone && std::ranges::all_of(name, [](char c) {
                          return is_alnum(c) || contains("._-*+?()|^$", c);
                        });
    return simple ? "" : "a name's regular expression has letters, digits and . * + ? ( ) | only";
  }
  const auto* odd = std::ranges::find_if(
      name, [](char c) { return !is_digit(c) && !is_lower(c) && !contains("._-*", c); });
  if (odd != name.end()) {
    return "'" + printable(std::string_view(&*odd, 1)) + "' cannot stand in a package name";
  }
  return contains(".-", name.front()) ? "a package name starts with a letter, a digit or '_'" : "";
}

Status set_channel(MatchSpec& spec, std::string_view text) {
  std::string channel = strip_final_slashes(trim(text));
  if (const auto problem = channel_problem(channel); !problem.empty()) {
    return fail(ErrorKind::kInvalid, "{}", problem);
  }
  const auto take_subdir = [&channel]() {
    const std::size_t slash = channel.rfind('/');
    if (slash == std::string::npos || !is_known_subdir(channel.substr(slash + 1))) {
      return std::string();
    }
    std::string subdir = channel.substr(slash + 1);
    channel = strip_final_slashes(channel.substr(0, slash));
    return subdir;
  };
  if (std::string subdir = take_subdir(); !subdir.empty()) {
    spec.subdir = std::move(subdir);
    if (!take_subdir().empty()) {
      return fail(ErrorKind::kInvalid, "a channel ends in two platforms");
    }
  }
  spec.channel = channel == "*" ? "" : channel;
  return {};
}

Status set_build(MatchSpec& spec, std::string_view value) {
  if (const std::string problem = build_problem(value); !problem.empty()) {
    return fail(ErrorKind::kInvalid, "{}", problem);
  }
  spec.build = value == "*" ? "" : value;
  return {};
}

Result<std::string> checked_hash(std::string_view value, std::size_t digits) {
  std::string lower = to_lower(value);
  if (lower.size() != digits || !std::ranges::all_of(lower, is_lower_hex)) {
    return fail(ErrorKind::kInvalid, "a hash of {} hexadecimal digits is expected", digits);
  }
  return lower;
}

std::span<const BracketKey> bracket_keys() {
  static constexpr std::array<BracketKey, 22> kKeys = {{
      {"name", [](MatchSpec&, std::string_view) { return Status(); }},  // ignored: CEP 29
      {"version", set_version},
      {"build", set_build},
      {"build_string", set_build},
      {"channel", set_channel},
      {"subdir", set_subdir},
      {"url", set_url},
      {"build_number", nullptr, checked_build_number},
      {"md5", nullptr, [](std::string_view value) { return checked_hash(value, 32); }},
      {"sha256", nullptr, [](std::string_view value) { return checked_hash(value, 64); }},
      {"extras", nullptr, [](std::string_view value) { return checked_list(value, is_extra); }},
      {"flags", nullptr, [](std::string_view value) { return checked_list(value, is_flag); }},
      {"fn"},
      {"license"},
      {"license_family"},
      {"track_features"},
      {"features"},
      {"when"},
      {"noarch"},
      {"arch"},
      {"platform"},
      {"timestamp"},
  }};
  return kKeys;
}

bool is_list_key(std::string_view key) { return key == "extras" || key == "flags"; }

}  // namespace cloche::conda
