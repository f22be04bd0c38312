#include "package/oci/reference.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/ascii.h"
#include "core/text.h"

namespace cloche::oci {
namespace {

constexpr std::string_view kDefaultRegistry = "docker.io";
constexpr std::string_view kOfficialPrefix = "library/";  // one part on docker.io
constexpr std::size_t kMaxBytes = 1024;  // registry, 255 of repository, 128 of tag, 71 of digest
constexpr std::size_t kMaxRepository = 255;  // distribution/reference, RepositoryNameTotalLengthMax
constexpr std::size_t kMaxTag = 128;
constexpr std::size_t kShaDigits = 64;

bool is_path_alnum(char c) { return is_digit(c) || is_lower(c); }

// Where one part of the reference stands in the whole text, so that errors have a column.
class Part {
 public:
  Part(std::string_view whole, std::size_t begin, std::size_t end)
      : whole_(whole), begin_(begin), text_(whole.substr(begin, end - begin)) {}

  std::string_view text() const { return text_; }

  // An error at the part's byte `offset`.
  template <class... Args>
  Error invalid(std::size_t offset, fmt::format_string<Args...> format, Args&&... args) const {
    return fail(ErrorKind::kInvalid, format, std::forward<Args>(args)...)
        .with_location({"", 1, static_cast<int>(begin_ + offset) + 1}, std::string(whole_));
  }

 private:
  std::string_view whole_;
  std::size_t begin_;
  std::string_view text_;
};

// The parts as they are written, before any is checked or filled in.
struct Split {
  Part registry;  // empty when none is written
  Part repository;
  Part tag;
  bool has_tag = false;
  Part digest;
  bool has_digest = false;
};

// normalize.go, splitDockerDomain: the first component is a registry when it looks like a host.
bool is_registry(std::string_view component) {
  return component == "localhost" || component.find_first_of(".:[") != std::string_view::npos ||
         std::ranges::any_of(component, is_upper);
}

Split split_reference(std::string_view text) {
  const std::size_t at = text.find('@');
  const std::size_t name_end = std::min(at, text.size());
  const std::string_view name = text.substr(0, name_end);
  const std::size_t slash = name.find('/');
  const bool registry = slash != std::string_view::npos && is_registry(name.substr(0, slash));
  const std::size_t path_begin = registry ? slash + 1 : 0;
  const std::size_t last_slash = name.rfind('/');
  const std::size_t colon =
      name.find(':', std::max(path_begin, last_slash == std::string_view::npos ? 0 : last_slash));
  const bool has_tag = colon != std::string_view::npos;
  const std::size_t path_end = has_tag ? colon : name_end;
  const bool has_digest = at != std::string_view::npos;
  return {Part(text, 0, registry ? slash : 0),
          Part(text, path_begin, path_end),
          Part(text, has_tag ? colon + 1 : name_end, name_end),
          has_tag,
          Part(text, has_digest ? at + 1 : text.size(), text.size()),
          has_digest};
}

Status check_port(const Part& registry, std::size_t begin) {
  const std::string_view port = registry.text().substr(begin);
  if (port.empty() || !std::ranges::all_of(port, is_digit)) {
    return registry.invalid(begin, "the port of registry {} is not a number", registry.text())
        .with_hint("write host:5000/repository");
  }
  constexpr std::size_t kMaxDigits = 5;
  if (port.size() > kMaxDigits || std::stoi(std::string(port)) > 65535) {
    return registry.invalid(begin, "port {} is larger than 65535", port);
  }
  return {};
}

// "[" IPv6 address "]": hexadecimal groups and colons, no zone (reference.go, ipv6address).
Status check_ipv6(const Part& registry) {
  const std::string_view text = registry.text();
  const std::size_t close = text.find(']');
  if (close == std::string_view::npos) {
    return registry.invalid(0, "the address {} has no closing ']'", text);
  }
  const std::string_view address = text.substr(1, close - 1);
  const bool plain = std::ranges::all_of(
      address, [](char c) { return is_lower_hex(to_lower({&c, 1})[0]) || c == ':'; });
  if (!plain || std::ranges::count(address, ':') < 2) {
    return registry.invalid(1, "{} is no IPv6 address", address)
        .with_hint("write [fe80::1]:5000/repository, without a zone");
  }
  if (close + 1 == text.size()) {
    return {};
  }
  if (text[close + 1] != ':') {
    return registry.invalid(close + 1, "only ':' and a port may follow the address");
  }
  return check_port(registry, close + 2);
}

Status check_host_component(const Part& registry, std::size_t begin, std::string_view component) {
  if (component.empty()) {
    return registry.invalid(begin, "the registry's name has an empty part");
  }
  for (std::size_t i = 0; i < component.size(); ++i) {
    const bool outer = i == 0 || i + 1 == component.size();
    if (!is_alnum(component[i]) && (outer || component[i] != '-')) {
      return registry.invalid(begin + i, "a registry's name cannot hold '{}' here",
                              printable(component.substr(i, 1)));
    }
  }
  return {};
}

Status check_registry(const Part& registry) {
  const std::string_view text = registry.text();
  if (text.starts_with('[')) {
    return check_ipv6(registry);
  }
  const std::size_t colon = text.find(':');
  std::size_t begin = 0;
  for (const std::string_view component : split(text.substr(0, colon), '.')) {
    TRY(check_host_component(registry, begin, component));
    begin += component.size() + 1;
  }
  return colon == std::string_view::npos ? Status() : check_port(registry, colon + 1);
}

// path-component := [a-z0-9]+ (separator [a-z0-9]+)*, separator := '.' | '_' | "__" | '-'+
Status check_component(const Part& repository, std::size_t begin, std::string_view component) {
  if (component.empty()) {
    return repository.invalid(begin, "the repository has an empty part")
        .with_hint("write repository:tag, with one '/' between parts");
  }
  for (std::size_t i = 0; i < component.size();) {
    if (is_path_alnum(component[i])) {
      ++i;
      continue;
    }
    const std::size_t end = std::min(component.find_first_not_of("._-", i), component.size());
    const std::string_view separator = component.substr(i, end - i);
    if (separator.empty()) {
      return repository.invalid(begin + i, "a repository's name cannot hold '{}'",
                                printable(component.substr(i, 1)));
    }
    if (i == 0 || end == component.size()) {
      return repository.invalid(begin + i,
                                "a part of a repository's name begins and ends with a "
                                "letter or digit");
    }
    const bool dashes = separator.find_first_not_of('-') == std::string_view::npos;
    if (separator != "." && separator != "_" && separator != "__" && !dashes) {
      return repository
          .invalid(begin + i, "'{}' cannot separate the words of a repository's name", separator)
          .with_hint("use one '.', '_' or '-'");
    }
    i = end;
  }
  return {};
}

Status check_repository(const Part& repository) {
  const std::string_view text = repository.text();
  if (text.empty()) {
    return repository.invalid(0, "the repository is missing").with_hint("write python:3.11-slim");
  }
  const auto* const upper = std::ranges::find_if(text, is_upper);
  if (upper != text.end()) {
    return repository
        .invalid(static_cast<std::size_t>(upper - text.begin()),
                 "a repository's name is lower case")
        .with_hint("did you mean " + to_lower(text) + "?");
  }
  std::size_t begin = 0;
  for (const std::string_view component : split(text, '/')) {
    TRY(check_component(repository, begin, component));
    begin += component.size() + 1;
  }
  // reference.go, ParseAnyReference: 64 hex digits mean an image's id, not a name.
  if (text.size() == kShaDigits && std::ranges::all_of(text, is_lower_hex)) {
    return repository.invalid(0, "64 hexadecimal digits are an image id, not a name")
        .with_hint("write repository@sha256:...");
  }
  return {};
}

Status check_tag(const Part& tag) {
  const std::string_view text = tag.text();
  if (text.empty()) {
    return tag.invalid(0, "the tag after ':' is missing")
        .with_hint("write it or leave the ':' out");
  }
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool inner = i > 0 && (text[i] == '.' || text[i] == '-');
    if (!is_alnum(text[i]) && text[i] != '_' && !inner) {
      return tag
          .invalid(i, "a tag cannot hold '{}'{}", printable(text.substr(i, 1)),
                   i == 0 ? " at its beginning" : "")
          .with_hint("tags are letters, digits, '_', '.' and '-'");
    }
  }
  if (text.size() > kMaxTag) {
    return tag.invalid(0, "the tag is longer than {} bytes", kMaxTag);
  }
  return {};
}

Status check_digest(const Part& digest) {
  const std::string_view text = digest.text();
  const std::size_t colon = text.find(':');
  const std::string_view algorithm = text.substr(0, colon);
  if (colon == std::string_view::npos || algorithm.empty()) {
    return digest.invalid(0, "a digest is an algorithm, ':' and hexadecimal digits")
        .with_hint("write @sha256:<64 hexadecimal digits>");
  }
  static constexpr std::array<std::string_view, 2> kOthers = {"sha512", "sha384"};
  if (std::ranges::find(kOthers, algorithm) != kOthers.end()) {
    Error error = digest.invalid(0, "digests by {} are not supported", algorithm);
    error.kind = ErrorKind::kUnsupported;
    return std::move(error).with_hint("use the image's sha256 digest");
  }
  if (algorithm != "sha256") {
    return digest.invalid(0, "unknown digest algorithm {}", printable(algorithm))
        .with_hint("write @sha256:<64 hexadecimal digits>");
  }
  const std::string_view hex = text.substr(colon + 1);
  for (std::size_t i = 0; i < hex.size(); ++i) {
    if (!is_lower_hex(hex[i])) {
      return digest.invalid(colon + 1 + i, "a digest is lower-case hexadecimal digits")
          .with_hint(is_upper(hex[i]) && is_lower_hex(to_lower(hex.substr(i, 1))[0])
                         ? "write it in lower case"
                         : "");
    }
  }
  if (hex.size() != kShaDigits) {
    return digest
        .invalid(colon + 1, "a sha256 has {} hexadecimal digits, this one {}", kShaDigits,
                 hex.size())
        .with_hint("was it cut while copying?");
  }
  return {};
}

// What is no reference at all, but often tried.
Status check_whole(std::string_view text) {
  const Part whole(text.substr(0, kMaxBytes), 0, std::min(text.size(), kMaxBytes));
  if (text.empty()) {
    return whole.invalid(0, "the image reference is empty").with_hint("write python:3.11-slim");
  }
  if (text.size() > kMaxBytes) {
    return whole.invalid(0, "the image reference is longer than {} bytes", kMaxBytes);
  }
  const std::size_t scheme = text.find("://");
  if (scheme != std::string_view::npos) {
    // The rest is not repeated in the message: people paste URLs with passwords.
    return fail(ErrorKind::kInvalid, "an image reference has no \"{}://\"",
                printable(text.substr(0, scheme)))
        .with_location({"", 1, 1})
        .with_hint("write registry/repository:tag");
  }
  const auto* const blank = std::ranges::find_if(text, is_blank);
  if (blank != text.end()) {
    return whole.invalid(static_cast<std::size_t>(blank - text.begin()),
                         "an image reference holds no blanks");
  }
  return {};
}

}  // namespace

std::string Reference::to_string() const {
  std::string out = registry + "/" + repository;
  if (!tag.empty()) {
    out += ":" + tag;
  }
  if (!digest.empty()) {
    out += "@" + digest;
  }
  return out;
}

std::string Reference::familiar() const {
  std::string full = to_string();
  if (registry != kDefaultRegistry) {
    return full;
  }
  // "docker.io/localhost/a" would be read as something else without its registry.
  const std::string_view first = std::string_view(repository).substr(0, repository.find('/'));
  if (is_registry(first)) {
    return full;
  }
  full.erase(0, kDefaultRegistry.size() + 1);
  const std::size_t slash = repository.find('/');
  if (first == "library" && repository.find('/', slash + 1) == std::string::npos) {
    full.erase(0, slash + 1);
  }
  return full;
}

Result<Reference> parse_reference(std::string_view text) {
  TRY(check_whole(text));
  const Split parts = split_reference(text);
  if (!parts.registry.text().empty()) {
    TRY(check_registry(parts.registry));
  }
  TRY(check_repository(parts.repository));
  if (parts.has_tag) {
    TRY(check_tag(parts.tag));
  }
  if (parts.has_digest) {
    TRY(check_digest(parts.digest));
  }
  Reference out;
  out.registry = parts.registry.text();
  out.repository = parts.repository.text();
  out.tag = parts.tag.text();
  out.digest = parts.digest.text();
  if (out.registry.empty() || out.registry == "index.docker.io") {
    out.registry = kDefaultRegistry;
  }
  if (out.registry == kDefaultRegistry && out.repository.find('/') == std::string::npos) {
    out.repository.insert(0, kOfficialPrefix);
  }
  if (out.repository.size() > kMaxRepository) {
    return parts.repository.invalid(0, "the repository's name is longer than {} bytes",
                                    kMaxRepository);
  }
  return out;
}

}  // namespace cloche::oci
