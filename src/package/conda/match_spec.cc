#include "package/conda/match_spec.h"

#include <algorithm>

#include "core/ascii.h"
#include "package/conda/match_spec_fields.h"
#include "package/conda/platform.h"
#include "package/conda/version_spec.h"

namespace cloche::conda {
namespace {

std::string quoted(std::string_view value) {
  const char quote = contains(value, '\'') ? '"' : '\'';
  return quote + std::string(value) + quote;
}

void add_pair(std::string& pairs, std::string_view key, std::string_view value) {
  pairs += pairs.empty() ? "" : ",";
  pairs += key;
  pairs += '=';
  pairs += is_list_key(key) ? std::string(value) : quoted(value);
}

// What of channel and subdir goes before the name; the rest goes into `pairs`.
std::string printed_head(const MatchSpec& spec, std::string& pairs) {
  // Only what cannot be taken for anything else; "-c" or "git+x" would look like pip's.
  const bool positional = !spec.channel.empty() && spec.channel.front() != '-' &&
                          std::ranges::all_of(spec.channel, [](char c) {
                            return is_alnum(c) || contains("._-:/%", c);
                          });
  std::string out = positional ? spec.channel : "";
  if (!positional && !spec.channel.empty()) {
    add_pair(pairs, "channel", spec.channel);
  }
  if (positional && is_known_subdir(spec.subdir)) {
    out += "/" + spec.subdir;
  } else if (!spec.subdir.empty()) {
    add_pair(pairs, "subdir", spec.subdir);
  }
  if (positional) {
    out += ":" + spec.name_space + ":";
  } else if (!spec.name_space.empty()) {
    out += spec.name_space + ":";
  }
  return out;
}

std::string printed_version(const MatchSpec& spec, std::string& pairs) {
  const auto version = VersionSpec::parse(spec.version.empty() ? "*" : spec.version);
  const bool clause = version.has_value() && version->kind == VersionSpec::Kind::kClause;
  const bool prefix = clause && version->clause.op == VersionClause::Op::kPrefix;
  const bool odd_build = spec.build.empty() || is_regex(spec.build) || contains(spec.build, '-');
  std::string out;
  if (contains(spec.version, '^')) {
    add_pair(pairs, "version", spec.version);
  } else if (prefix) {
    out = "=" + version->clause.operand + (odd_build ? "" : ".*");
  } else if (!spec.version.empty()) {
    out = (contains("=<>!~", spec.version.front()) ? "" : " ") + spec.version;
  }
  if (spec.build.empty()) {
    return out;
  }
  if (odd_build || out.empty()) {
    add_pair(pairs, "build", spec.build);
    return out;
  }
  return out + "=" + spec.build;
}

}  // namespace

bool MatchSpec::exact() const {
  if (!url.empty() || brackets.contains("md5") || brackets.contains("sha256")) {
    return true;
  }
  const auto parsed = VersionSpec::parse(version.empty() ? "*" : version);
  return parsed.has_value() && parsed->exact();
}

bool MatchSpec::pinned() const {
  if (exact()) {
    return true;
  }
  const auto parsed = VersionSpec::parse(version.empty() ? "*" : version);
  return parsed.has_value() && parsed->pinned();
}

std::string MatchSpec::to_string() const {
  if (!url.empty() && is_conda_artifact(url)) {
    const auto bare = parse_match_spec(url);
    if (bare.has_value() && *bare == *this) {
      return url;
    }
  }
  std::string pairs;
  std::string out = printed_head(*this, pairs) + name;
  out += printed_version(*this, pairs);
  if (!url.empty()) {
    add_pair(pairs, "url", url);
  }
  for (const auto& [key, value] : brackets) {
    add_pair(pairs, key, value);
  }
  if (!pairs.empty()) {
    return out + "[" + pairs + "]";
  }
  return is_conda_artifact(out) && version.empty() ? out + "=*" : out;  // a name, not a path
}

}  // namespace cloche::conda
