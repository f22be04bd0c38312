// What looks like a secret, by the name of a variable or by the form of a value.
#pragma once

#include <string>
#include <string_view>

namespace cloche::definition {

// Whether a variable of this name usually holds a secret: "DB_PASSWORD", "githubToken"; not
// "TOKENIZERS_PARALLELISM", "PUBLIC_KEY", "PASSWORD_FILE".
bool is_secret_name(std::string_view name);

// Whether a value, given to such a variable, can be one: not empty, a number, a yes or no, a
// reference to another variable, or a stand-in such as "<password>" or "changeme...".
bool can_be_secret(std::string_view value);

// What kind of secret stands in the text, by its form ("a GitHub token"); "" for none.
std::string_view secret_kind(std::string_view text);

// The user's part of a URL in the text holds a password ("https://user:word@host").
bool has_url_password(std::string_view text);

// The text with every secret that the functions above can see replaced by "***". What lint prints
// goes through it: a report must not spread what it warns of.
std::string redacted(std::string_view text);

}  // namespace cloche::definition
