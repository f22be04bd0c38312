// What channels ask for before they answer. Secrets stand here and in requests, nowhere else: no
// message, lock or cache has them.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "core/result.h"
#include "io/http_client.h"
#include "source/conda/surroundings.h"

namespace cloche::source {

struct Credential {
  std::string user;  // HTTP Basic
  std::string password;
  std::string bearer;  // "Authorization: Bearer ..."
  std::string token;   // conda's: "/t/<token>/" before the channel's path

  bool empty() const { return user.empty() && bearer.empty() && token.empty(); }
  bool operator==(const Credential&) const = default;
};

// By URL prefix: "https://host/channel", or by host: "host", "host/channel", "*.host".
// Values only; may be read by many threads.
class Credentials {
 public:
  // The first for a prefix stays: what stands in a URL comes before what stands in files.
  void add(const std::string& prefix, Credential credential);

  // The URL, which has no secrets, as it is to be asked for. The longest prefix that fits counts.
  io::HttpUrl authorize(std::string_view url) const;

  // An authentication file, either mamba's or rattler's form (docs/formats/channels.md).
  // kInvalid with the place; an entry of an unknown type is left out.
  Status add_file(std::string_view text, const std::string& file);

  std::size_t size() const { return by_prefix_.size(); }

 private:
  std::map<std::string, Credential, std::less<>> by_prefix_;
};

// Reads $RATTLER_AUTH_FILE, ~/.mamba/auth/authentication.json and ~/.rattler/credentials.json as
// far as they exist. (~/.netrc is the HTTP client's: io/http_client.h.)
Status read_credentials(const Surroundings& surroundings, FileSource& files, Credentials& into);

}  // namespace cloche::source
