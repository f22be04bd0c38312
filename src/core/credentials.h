// Passwords in URLs: found, and kept out of messages.
#pragma once

#include <string>
#include <string_view>

namespace cloche {

// Whether a URL in the text holds a literal password or token ("https://user:secret@host",
// "https://token@host"). A ${VARIABLE} is none, nor is a user's name alone where ssh asks for one.
bool has_password(std::string_view text);

// The text with "****" instead of each such password or token.
std::string hide_passwords(std::string_view text);

// The same with one '*' for each byte, so that columns stay: for excerpts.
std::string star_passwords(std::string_view text);

// A URL as a message shows it: without user, password and fragment, "****" for conda's token in
// "/t/<token>/", and "?****" for a query, which may be a signature. Not for text around URLs.
std::string shown_url(std::string_view url);

}  // namespace cloche
