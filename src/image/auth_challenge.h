// What a server asks for before it answers: the header WWW-Authenticate (RFC 9110, section 11.6.1),
// as registries use it (distribution, docs/spec/auth/token.md).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::image {

struct AuthChallenge {
  std::string scheme;                             // "bearer", "basic": in lower case
  std::map<std::string, std::string> parameters;  // names in lower case: realm, service, scope

  // A parameter, or "".
  std::string parameter(std::string_view name) const;

  bool operator==(const AuthChallenge&) const = default;
};

// All challenges of one header. kInvalid: not the grammar, a parameter twice, over 8 KiB.
Result<std::vector<AuthChallenge>> parse_auth_challenges(std::string_view header);

// One challenge as a header has it; parses to the same again.
std::string to_string(const AuthChallenge& challenge);

}  // namespace cloche::image
