#include "package/conda/match_spec.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "core/text.h"
#include "package/conda/platform.h"
#include "package/conda/version.h"
#include "package/conda/version_spec.h"

namespace cloche::conda {
namespace {

constexpr std::size_t kMaxLength = 4096;
constexpr std::size_t kMaxName = 64;    // CEP 26
constexpr std::size_t kMaxBuild = 256;  // CEP 26 says 64; patterns are longer
constexpr auto kNone = std::string_view::npos;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_lower(char c) { return c >= 'a' && c <= 'z'; }
bool is_alnum(char c) { return is_digit(c) || is_lower(c) || (c >= 'A' && c <= 'Z'); }
bool is_hex(char c) { return is_digit(c) || (c >= 'a' && c <= 'f'); }
bool contains(std::string_view set, char c) { return set.find(c) != kNone; }

// An expression of CEP 29's string matching that is a regular one.
bool is_regex(std::string_view text) {
  return text.size() > 1 && text.front() == '^' && text.back() == '$';
}

// ---- What is written where a spec should stand, though it is none ----

struct Foreign {
  std::string_view mark;
  bool at_start;  // else anywhere
  std::string_view message, hint;
};
constexpr std::string_view kPipHint = "put it below '- pip:'";
constexpr std::array<Foreign, 14> kForeign = {{
    {"{{", false, "this is a template that was not filled in",
     "write the package's name in its place"},
    {"{%", false, "this is a template that was not filled in", "render the template first"},
    {"${", false, "variables are not expanded in package specs",
     "write the value in the variable's place"},
    {"<%", false, "this is a template that was not filled in", "render the template first"},
    {"-", true, "this is an option of pip, not a package", kPipHint},
    {"git+", true, "conda has no packages from version control; pip has", kPipHint},
    {"hg+", true, "conda has no packages from version control; pip has", kPipHint},
    {"svn+", true, "conda has no packages from version control; pip has", kPipHint},
    {"bzr+", true, "conda has no packages from version control; pip has", kPipHint},
    {" @ ", false, "'name @ url' is pip's form", kPipHint},
    {";", false, "markers behind ';' are pip's",
     "use a selector for platforms: a comment '# [linux]' or 'sel(linux): ...'"},
    {" if ", false, "a condition behind 'if' is not read",
     "write it in brackets: name[when='python >=3.10']"},
    {"\\", false, "'\\' cannot stand in a package spec", ""},
    {"`", false, "'`' cannot stand in a package spec", ""},
}};

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

bool is_conda_artifact(std::string_view text) {
  return std::ranges::any_of(kArtifactSuffixes, [&](const Suffix& suffix) {
    return suffix.conda && text.ends_with(suffix.text);
  });
}

// ---- Parts ----

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

// Splits a known subdir off the channel's end: "conda-forge/linux-64".
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

// A name is a package's, a glob, or a regular expression.
std::string name_problem(std::string_view name) {
  if (name.size() > kMaxName) {
    return "a package name is longer than 64 characters";
  }
  if (is_regex(name)) {
    const bool simple = name.find("(?") == kNone && std::ranges::all_of(name, [](char c) {
                          return is_alnum(c) || contains("._-*+?()|^$", c);
                        });
    return simple ? "" : "a name's regular expression has letters, digits and . * + ? ( ) | only";
  }
  const auto odd = std::ranges::find_if(
      name, [](char c) { return !is_digit(c) && !is_lower(c) && !contains("._-*", c); });
  if (odd != name.end()) {
    return "'" + printable(std::string_view(&*odd, 1)) + "' cannot stand in a package name";
  }
  return contains(".-", name.front()) ? "a package name starts with a letter, a digit or '_'" : "";
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
  const auto odd =
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

// https://host/conda-forge/linux-64/python-3.11.10-h1_0.conda names all parts (CEP 29, App. C); a
// file elsewhere names at most package, version and build.
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

// ---- Brackets ----

// A value that is a list in brackets, as CEP 44 and 45 write extras and flags.
bool is_list_key(std::string_view key) { return key == "extras" || key == "flags"; }

Result<std::string> checked_hash(std::string_view value, std::size_t digits) {
  std::string lower = to_lower(value);
  if (lower.size() != digits || !std::ranges::all_of(lower, is_hex)) {
    return fail(ErrorKind::kInvalid, "a hash of {} hexadecimal digits is expected", digits);
  }
  return lower;
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

Result<std::string> checked_list(std::string_view value) {
  if (!value.starts_with('[') || !value.ends_with(']')) {
    return fail(ErrorKind::kInvalid, "a list in brackets is expected: [a,b]");
  }
  std::string out;
  for (const std::string_view item : split(value.substr(1, value.size() - 2), ',')) {
    const std::string_view word = trim(item);
    if (word.empty() ||
        !std::ranges::all_of(word, [](char c) { return is_alnum(c) || contains("._-:", c); })) {
      return fail(ErrorKind::kInvalid, "a list holds names separated by commas: [a,b]");
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

Status set_build(MatchSpec& spec, std::string_view value) {
  if (const std::string problem = build_problem(value); !problem.empty()) {
    return fail(ErrorKind::kInvalid, "{}", problem);
  }
  spec.build = value == "*" ? "" : value;
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

using Setter = Status (*)(MatchSpec&, std::string_view);
using Checker = Result<std::string> (*)(std::string_view);

// The keys that are fields of MatchSpec, and those that stay in `brackets`, checked or as they are.
struct Key {
  std::string_view name;
  Setter set = nullptr;
  Checker check = nullptr;
};
constexpr std::array<Key, 22> kKeys = {{
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
    {"extras", nullptr, checked_list},
    {"flags", nullptr, checked_list},
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

std::span<const std::string_view> key_names() {
  static const auto kNames = [] {
    std::array<std::string_view, kKeys.size()> names;
    std::ranges::transform(kKeys, names.begin(), &Key::name);
    return names;
  }();
  return kNames;
}

// ---- The parser ----

class Parser {
 public:
  explicit Parser(std::string_view text)
      : text_(text),
        end_(static_cast<std::size_t>(without_spec_comment(text).end() - text.begin())) {
    skip_blanks();
  }

  Result<MatchSpec> parse() {
    TRY(check_text());
    if (is_artifact()) {
      return artifact();
    }
    TRY(check_foreign());
    const std::size_t bracket = std::min(text_.find('[', position_), end_);
    const std::size_t whole_end = std::exchange(end_, bracket);
    TRY(channel());
    TRY(name());
    TRY(version_and_build());
    end_ = whole_end;
    position_ = bracket;
    if (position_ < end_) {
      TRY(brackets());
    }
    return std::move(spec_);
  }

 private:
  Status check_text() const {
    if (text_.size() > kMaxLength) {
      return fail(ErrorKind::kInvalid, "a package spec is longer than {} characters", kMaxLength);
    }
    if (position_ >= end_) {
      return refuse(0, "the package spec is empty", "write a package's name, such as numpy=1.26");
    }
    for (std::size_t i = position_; i < end_; ++i) {
      const auto byte = static_cast<unsigned char>(text_[i]);
      if ((byte < 0x20 && !is_blank(text_[i])) || byte == 0x7f) {
        return refuse(i, "a control character cannot stand in a package spec");
      }
      if (byte >= 0x80) {
        return refuse(i, "only ASCII characters can stand in a package spec",
                      "it may be a typographic quote or blank from a web page");
      }
    }
    return {};
  }

  Status check_foreign() const {
    const std::string_view all = text_.substr(position_, end_ - position_);
    const std::string_view positional = all.substr(0, all.find('['));
    for (const Foreign& foreign : kForeign) {
      const std::string_view where =
          foreign.mark.front() == '{' || foreign.mark.front() == '$' ? all : positional;
      const std::size_t found = where.find(foreign.mark);
      if (found != kNone && (found == 0 || !foreign.at_start) &&
          !(foreign.mark == "\\" && contains(positional, '^'))) {
        return refuse(position_ + found, std::string(foreign.message), std::string(foreign.hint));
      }
    }
    if (positional.ends_with('@')) {
      return refuse(end_ - 1, "features ('name@') are gone from conda",
                    "name the package that has the feature, or a build: blas=*=mkl");
    }
    return {};
  }

  // ---- URLs and paths ----

  bool is_artifact() const {
    std::string_view all = trim_right(text_.substr(position_, end_ - position_));
    // "foo=1.conda" is a version; a path with '=' in it has a directory.
    return all.find("::") == kNone && is_conda_artifact(without_fragment(all)) &&
           (!contains(all, '=') || contains(all, '/')) && !std::ranges::any_of(all, [](char c) {
             return is_blank(c) || contains("<>|\"'[]{}", c);
           });
  }

  static std::string_view without_fragment(std::string_view url) {
    return url.substr(0, url.find('#'));
  }

  // "...conda#<md5>", "...conda#sha256:<hex>": CEP 23's forms.
  Result<MatchSpec> artifact() const {
    const std::string_view all = trim_right(text_.substr(position_, end_ - position_));
    MatchSpec spec = from_artifact(without_fragment(all));
    const std::size_t hash = all.find('#');
    if (hash == kNone) {
      return spec;
    }
    std::string_view digits = all.substr(hash + 1);
    const bool named = digits.starts_with("sha256:");
    digits.remove_prefix(named ? 7 : 0);
    const bool sha256 = named || digits.size() == 64;
    auto checked = checked_hash(digits, sha256 ? 64 : 32);
    if (!checked.has_value()) {
      return refuse(position_ + hash, "after '#' a URL has an md5 or a sha256",
                    "write a comment with a blank before '#'");
    }
    spec.brackets[sha256 ? "sha256" : "md5"] = *checked;
    return spec;
  }

  // ---- channel, name ----

  // Up to the first character that ends a channel's and a name's text.
  std::size_t head_end() const {
    std::size_t at = position_;
    while (at < end_ && !is_blank(text_[at]) && !contains("=<>!~(", text_[at])) {
      ++at;
    }
    return at;
  }

  Status channel() {
    const std::string_view all = text_.substr(0, end_);
    const std::size_t colons = all.rfind("::");
    if (colons != kNone && colons >= position_) {
      TRY(take_channel(colons));
      position_ = colons + 2;
      skip_blanks();
      return {};
    }
    const std::string_view head = text_.substr(position_, head_end() - position_);
    if (head.find("://") != kNone) {
      return refuse_url(head);
    }
    const std::size_t last = head.rfind(':');
    if (last == kNone) {
      return {};
    }
    const std::size_t first = last == 0 ? kNone : head.rfind(':', last - 1);
    const std::size_t name_space = first == kNone ? 0 : first + 1;
    spec_.name_space = head.substr(name_space, last - name_space);
    if (spec_.name_space.starts_with('-') || !std::ranges::all_of(spec_.name_space, [](char c) {
          return is_alnum(c) || contains("._-", c);
        })) {
      return refuse(position_ + last, "':' does not belong here",
                    "a channel is followed by '::': conda-forge::numpy");
    }
    if (first != kNone) {
      TRY(take_channel(position_ + first));
    }
    position_ += last + 1;
    return {};
  }

  Status take_channel(std::size_t end) {
    auto set = set_channel(spec_, text_.substr(position_, end - position_));
    if (!set.has_value()) {
      return refuse(position_, set.error().message);
    }
    return {};
  }

  Error refuse_url(std::string_view url) const {
    const bool for_pip = std::ranges::any_of(kArtifactSuffixes, [&](const Suffix& suffix) {
      return !suffix.conda && url.ends_with(suffix.text);
    });
    return refuse(position_, "a URL here names a .conda or .tar.bz2 file",
                  for_pip ? std::string(kPipHint) : "a package of a channel is CHANNEL_URL::NAME");
  }

  Status name() {
    std::size_t end = head_end();
    if (position_ < end_ && text_[position_] == '^') {
      end = std::min(text_.find('$', position_), end_);
      end = end < end_ ? end + 1 : end;
    }
    const std::string_view written = text_.substr(position_, end - position_);
    if (written.empty()) {
      // "[md5=...]" alone: any name.
      if (position_ == end_ && end_ < text_.size() && text_[end_] == '[') {
        spec_.name = "*";
        return {};
      }
      return refuse(position_, "the package's name is missing", "a name comes first: numpy>=1.26");
    }
    spec_.name = is_regex(written) ? std::string(written) : to_lower(written);
    if (const std::string problem = name_problem(spec_.name); !problem.empty()) {
      return refuse(position_, problem, name_hint(written));
    }
    position_ = end;
    return {};
  }

  static std::string name_hint(std::string_view name) {
    if (contains(name, '/')) {
      return "a package of a channel is CHANNEL::NAME; a local project goes below '- pip:'";
    }
    if (contains(name, ',')) {
      return "write one package an item";
    }
    if (contains(name, '"') || contains(name, '\'')) {
      return "leave the quotes out";
    }
    return name.size() > kMaxName ? "" : "names have letters, digits, '.', '_' and '-'";
  }

  // ---- version, build ----

  Status version_and_build() {
    const std::size_t after_name = position_;
    skip_blanks();
    if (position_ >= end_) {
      return {};
    }
    const std::size_t begin = position_;
    VersionSpec version = TRY(VersionSpec::parse_within(text_, position_, end_));
    const std::string_view written = text_.substr(begin, position_ - begin);
    // name=1.2: fuzzy, unless a "=build" follows.
    const bool single_equal = written.starts_with('=') && !written.starts_with("==") &&
                              version.kind == VersionSpec::Kind::kClause && !contains(written, '*');
    const std::size_t after_version = position_;
    skip_blanks();
    if (position_ >= end_) {
      set(version);
      return {};
    }
    const bool by_equal = text_[position_] == '=';
    if (by_equal) {
      ++position_;
      skip_blanks();
    } else if (position_ == after_version) {
      return refuse(position_, "'" + std::string(1, text_[position_]) + "' does not belong here");
    } else if (single_equal && begin == after_name) {
      return refuse(position_, "'=' before the version and a blank before the build do not mix",
                    "write " + spec_.name + written_exactly(written) + " for exactly this version");
    }
    if (single_equal && by_equal) {
      version.clause.op = VersionClause::Op::kEqual;
    }
    set(version);
    return build();
  }

  // "=1.2" and what follows as "=1.2=py39_0".
  std::string written_exactly(std::string_view version) const {
    return std::string(version) + "=" +
           std::string(trim(text_.substr(position_, end_ - position_)));
  }

  void set(const VersionSpec& version) { spec_.version = version.any() ? "" : version.to_string(); }

  Status build() {
    const std::string_view rest = trim_right(text_.substr(position_, end_ - position_));
    if (rest.empty()) {
      return refuse(position_ - 1, "a build string is missing after '='",
                    "leave the final '=' out if every build will do");
    }
    const auto blank = std::ranges::find_if(rest, is_blank);
    if (blank != rest.end() && !is_regex(rest)) {
      return refuse(
          position_ + static_cast<std::size_t>(blank - rest.begin()) + 1,
          "nothing can stand behind the build string",
          "a spec is NAME, NAME VERSION or NAME VERSION BUILD; versions are joined by ','");
    }
    if (auto done = set_build(spec_, rest); !done.has_value()) {
      return refuse(position_, done.error().message);
    }
    return {};
  }

  // ---- [key=value, ...] ----

  Status brackets() {
    const std::size_t open = position_++;
    std::vector<std::string_view> seen;
    for (;;) {
      while (position_ < end_ && (is_blank(text_[position_]) || text_[position_] == ',')) {
        ++position_;
      }
      if (position_ >= end_) {
        return refuse(open, "this '[' is never closed", "add a ']' at the end");
      }
      if (text_[position_] == ']') {
        break;
      }
      TRY(key_and_value(seen));
    }
    ++position_;
    skip_blanks();
    if (position_ < end_) {
      return refuse(position_,
                    text_[position_] == '[' ? "a spec has one pair of brackets at most"
                                            : "nothing can stand behind the brackets",
                    text_[position_] == '[' ? "join the parts with commas: [a=1,b=2]"
                                            : "the version goes before them, or into them as "
                                              "[version='...']; extras are pip's");
    }
    return {};
  }

  Status key_and_value(std::vector<std::string_view>& seen) {
    const std::size_t key_at = position_;
    while (position_ < end_ && (is_alnum(text_[position_]) || contains("_-", text_[position_]))) {
      ++position_;
    }
    const std::string_view key = text_.substr(key_at, position_ - key_at);
    skip_blanks();
    if (key.empty() || position_ >= end_ || text_[position_] != '=') {
      return refuse(key_at, "in brackets stands KEY=VALUE",
                    "extras are pip's: put name[extra] below '- pip:'");
    }
    const auto* known = std::ranges::find(kKeys, key, &Key::name);
    if (known == kKeys.end()) {
      const std::string_view near = nearest(key, key_names());
      return refuse(key_at, "'" + std::string(key.substr(0, 40)) + "' is not a key of a package",
                    near.empty() ? "" : "did you mean " + std::string(near) + "?");
    }
    const std::string_view subject = key == "build_string" ? "build" : known->name;
    if (std::ranges::find(seen, subject) != seen.end()) {
      return refuse(key_at, "'" + std::string(subject) + "' stands twice in the brackets");
    }
    seen.push_back(subject);
    ++position_;
    skip_blanks();
    const std::size_t value_at = position_;
    return apply(*known, TRY(value()), value_at);
  }

  Status apply(const Key& key, std::string_view value, std::size_t value_at) {
    Status done;
    if (key.set != nullptr) {
      done = key.set(spec_, value);
    } else {
      auto checked = key.check != nullptr ? key.check(value) : Result<std::string>(value);
      if (checked.has_value()) {
        spec_.brackets[std::string(key.name)] = *checked;
      } else {
        done = Status(std::move(checked).error());
      }
    }
    if (done.has_value()) {
      return {};
    }
    // The value's own column, where its parser gave one.
    const auto column = static_cast<std::size_t>(std::max(done.error().at.column - 1, 0));
    const bool quoted = contains("'\"", text_[value_at]);
    return refuse(value_at + column + (quoted ? 1 : 0), done.error().message, done.error().hint);
  }

  Result<std::string_view> value() {
    const std::size_t begin = position_;
    const char first = position_ < end_ ? text_[position_] : '\0';
    std::size_t end = begin;
    std::size_t after = begin;
    if (first == '\'' || first == '"' || first == '[') {
      const std::size_t close = text_.substr(0, end_).find(first == '[' ? ']' : first, begin + 1);
      if (close == kNone) {
        return refuse(begin, "this '" + std::string(1, first) + "' is never closed");
      }
      position_ = close + 1;
      after = position_;
      end = first == '[' ? close + 1 : close;
      if (after < end_ && !is_blank(text_[after]) && !contains(",]", text_[after])) {
        return refuse(after, "a ',' is missing after a value");
      }
    } else {
      while (position_ < end_ && !is_blank(text_[position_]) && !contains(",]", text_[position_])) {
        ++position_;
      }
      end = position_;
    }
    const std::size_t from = first == '\'' || first == '"' ? begin + 1 : begin;
    const std::string_view value = trim(text_.substr(from, end - from));
    if (value.empty()) {
      return refuse(begin, "a value is missing after '='");
    }
    if (first != '\'' && first != '"' && first != '[' &&
        std::ranges::any_of(value, [](char c) { return contains("'\"[", c); })) {
      return refuse(begin, "a value with quotes or brackets in it is quoted as a whole",
                    "write KEY='VALUE'");
    }
    return value;
  }

  void skip_blanks() {
    while (position_ < end_ && is_blank(text_[position_])) {
      ++position_;
    }
  }

  Error refuse(std::size_t position, std::string why, std::string hint = "") const {
    return fail(ErrorKind::kInvalid, "{}", why)
        .with_location({"", 1, static_cast<int>(position) + 1}, std::string(text_))
        .with_hint(std::move(hint));
  }

  std::string_view text_;
  std::size_t end_;
  std::size_t position_ = 0;
  MatchSpec spec_;
};

// ---- Printing ----

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

std::string_view without_spec_comment(std::string_view text) {
  char quote = '\0';
  bool in_brackets = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quote != '\0') {
      quote = c == quote ? '\0' : quote;
    } else if (in_brackets && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == '[') {
      in_brackets = true;
    } else if (c == '#' && (i == 0 || is_blank(text[i - 1]) ||
                            !is_conda_artifact(text.substr(0, i)))) {  // else a URL's hash
      return trim(text.substr(0, i));
    }
  }
  return trim(text);
}

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

Result<MatchSpec> parse_match_spec(std::string_view text) { return Parser(text).parse(); }

}  // namespace cloche::conda
