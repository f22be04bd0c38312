#include "source/conda/credentials.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/json.h"
#include "core/text.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string to_base64(std::string_view bytes) {
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    std::uint32_t group = 0;
    for (std::size_t k = 0; k < 3; ++k) {
      group = group << 8U | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0U);
    }
    for (std::size_t k = 0; k < 4; ++k) {
      out += i + k > bytes.size() ? '=' : kBase64[group >> (18U - (6U * k)) & 0x3FU];
    }
  }
  return out;
}

// As far as the text is Base64.
std::string from_base64(std::string_view text) {
  std::string out;
  std::uint32_t bits = 0;
  unsigned count = 0;
  for (const char c : text) {
    const std::size_t value = kBase64.find(c);
    if (value == std::string_view::npos) {
      break;
    }
    bits = bits << 6U | static_cast<std::uint32_t>(value);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFFU);
    }
  }
  return out;
}

// "https://host/a/b" -> "host/a/b", without a final slash.
std::string_view without_scheme(std::string_view url) {
  if (const std::size_t mark = url.find("://"); mark != std::string_view::npos) {
    url.remove_prefix(mark + 3);
  }
  while (url.ends_with('/')) {
    url.remove_suffix(1);
  }
  return url;
}

// Whether `prefix` ("host/a", "*.host") covers `place` ("host/a/b").
bool covers(std::string_view prefix, std::string_view place) {
  if (prefix.starts_with("*.")) {
    const std::string_view host = place.substr(0, place.find('/'));
    return host.ends_with(prefix.substr(1)) || host == prefix.substr(2);
  }
  return place.starts_with(prefix) &&
         (place.size() == prefix.size() || place[prefix.size()] == '/');
}

// mamba: {"type": "CondaToken", "token": "..."}; passwords in Base64.
Credential mamba_credential(const Json& entry) {
  const std::string type = entry.string_or_empty("type");
  Credential out;
  if (type == "CondaToken") {
    out.token = entry.string_or_empty("token");
  } else if (type == "BearerToken") {
    out.bearer = entry.string_or_empty("token");
  } else if (type == "BasicHTTPAuthentication") {
    out.user = entry.string_or_empty("user");
    out.password = from_base64(entry.string_or_empty("password"));
  }
  return out;
}

// rattler: {"CondaToken": "..."}, {"BearerToken": "..."}, {"BasicHTTP": {"username", "password"}}.
Credential rattler_credential(const Json& entry) {
  Credential out;
  out.token = entry.string_or_empty("CondaToken");
  out.bearer = entry.string_or_empty("BearerToken");
  if (const Json* basic = entry.find("BasicHTTP"); basic != nullptr) {
    out.user = basic->string_or_empty("username");
    out.password = basic->string_or_empty("password");
  }
  return out;
}

// A credential goes into a header or a URL: one with a line break would write others.
bool is_safe(const Credential& credential) {
  const std::array<const std::string*, 4> parts = {&credential.user, &credential.password,
                                                   &credential.bearer, &credential.token};
  return std::ranges::none_of(parts, [](const std::string* part) {
    return std::ranges::any_of(
        *part, [](char c) { return static_cast<unsigned char>(c) < ' ' || c == 0x7F; });
  });
}

}  // namespace

void Credentials::add(const std::string& prefix, Credential credential) {
  const std::string key(without_scheme(prefix));
  if (!key.empty() && !credential.empty() && is_safe(credential)) {
    by_prefix_.emplace(key, std::move(credential));
  }
}

io::HttpUrl Credentials::authorize(std::string_view url) const {
  io::HttpUrl out{std::string(url), {}};
  const std::string_view place = without_scheme(url);
  const Credential* best = nullptr;
  std::size_t best_size = 0;
  for (const auto& [prefix, credential] : by_prefix_) {
    const bool any_host = prefix.starts_with("*.");
    const std::size_t size = any_host ? 1 : prefix.size() + 1;  // a named host before a pattern
    if (covers(prefix, place) && size > best_size) {
      best = &credential;
      best_size = size;
    }
  }
  if (best == nullptr || url.starts_with("file:")) {
    return out;
  }
  if (!best->token.empty()) {
    const std::size_t mark = out.url.find("://");
    const std::size_t path = out.url.find('/', mark == std::string::npos ? 0 : mark + 3);
    out.url.insert(std::min(path, out.url.size()), "/t/" + best->token);
  }
  if (!best->user.empty()) {
    out.headers.push_back(
        {"Authorization", "Basic " + to_base64(best->user + ":" + best->password)});
  } else if (!best->bearer.empty()) {
    out.headers.push_back({"Authorization", "Bearer " + best->bearer});
  }
  return out;
}

Status Credentials::add_file(std::string_view text, const std::string& file) {
  const Json root = TRY(parse_json(text, file));
  if (!root.is_object()) {
    return fail(ErrorKind::kInvalid, "{} is no object of credentials by host", file);
  }
  for (const auto& [host, entry] : root.members()) {
    add(host, entry.find("type") != nullptr ? mamba_credential(entry) : rattler_credential(entry));
  }
  return {};
}

Status read_credentials(const Surroundings& surroundings, FileSource& files, Credentials& into) {
  std::vector<std::string> paths;
  if (const std::string named = surroundings.variable("RATTLER_AUTH_FILE"); !named.empty()) {
    paths.push_back(join_path(surroundings.directory, named));
  }
  if (!surroundings.home.empty()) {
    paths.push_back(join_path(surroundings.home, ".mamba/auth/authentication.json"));
    paths.push_back(join_path(surroundings.home, ".rattler/credentials.json"));
  }
  for (const std::string& path : paths) {
    const Result<std::string> text = files.read(path, kMaxFileBytes);
    if (text) {
      TRY(into.add_file(*text, path));
    } else if (text.error().kind != ErrorKind::kNotFound) {
      return text.error();
    }
  }
  return {};
}

}  // namespace cloche::source
