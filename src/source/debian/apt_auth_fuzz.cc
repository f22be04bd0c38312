// A file of passwords, and behind a line "--" a URL. A password goes to the host that an entry
// names, once, and without TLS only where the entry says so.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/check.h"
#include "core/text.h"
#include "source/debian/apt_auth.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cloche;
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const std::size_t middle = text.find("\n--\n");
  const std::string_view file = text.substr(0, middle);
  const std::string_view url =
      middle == std::string_view::npos ? "https://a.example/debian" : text.substr(middle + 4);
  source::AptAuth auth;
  auth.add(file);
  const auto headers = auth.headers(url);
  CHECK(headers.size() <= 1);
  if (headers.empty()) {
    return 0;
  }
  CHECK(!auth.empty() && headers[0].name == "Authorization");
  CHECK(headers[0].value.starts_with("Basic "));
  CHECK(printable(headers[0].value) == headers[0].value);  // no second header in it
  const std::string lower = to_lower(file);
  const std::string address = to_lower(url);
  const std::size_t begin = address.find("://");
  CHECK(begin != std::string::npos);
  const std::size_t host = begin + 3;
  const std::string authority = address.substr(host, address.find('/', host) - host);
  CHECK(!authority.contains('@') && lower.contains(authority));
  CHECK(address.starts_with("https://") || lower.contains(address.substr(0, host)));
  return 0;
}
