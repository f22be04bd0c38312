// Passwords for archives, as apt has them: apt_auth.conf(5).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "io/http_client.h"

namespace cloche::source {

inline constexpr const char* kAptDirectory = "/etc/apt";

// Entries "machine [PROTOCOL://]HOST[:PORT][/PATH] login NAME password WORD", in the order of the
// files. Of an entry without protocol only https is meant. Nothing of it is ever shown.
class AptAuth {
 public:
  // auth.conf and auth.conf.d/*.conf below a directory such as /etc/apt. Files that are not there
  // or may not be read (they are root's) are passed over, and words that mean nothing.
  static AptAuth load(FileSource& files, const std::string& directory);

  void add(std::string_view text);

  // What the first entry that fits says to the URL's host; none of a URL that holds a password.
  std::vector<io::HttpHeader> headers(std::string_view url) const;

  bool empty() const { return entries_.empty(); }

 private:
  struct Entry {
    std::string protocol;  // "": https
    std::string host;      // lower case; with its port where it names one
    std::string path;      // "" or "/debian"
    std::string login;
    std::string password;
  };

  static bool fits(const Entry& entry, std::string_view url);

  std::vector<Entry> entries_;
};

}  // namespace cloche::source
