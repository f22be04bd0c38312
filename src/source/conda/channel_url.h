// URLs of channels and of what stands in them, taken apart and put together.
#pragma once

#include <string>
#include <string_view>

#include "core/result.h"
#include "source/conda/credentials.h"
#include "source/conda/surroundings.h"

namespace cloche::source {

struct ChannelUrl {
  std::string base;    // "https://host:8080/a/channel": no credentials, no subdir, no final slash
  std::string subdir;  // "linux-64", "" when it names none
  Credential credential;  // of "user:password@" and "/t/<token>/"
};

bool has_scheme(std::string_view text);  // "https://", "file:/", "oci://"; not a Windows drive
bool is_path(std::string_view text);     // "./x", "../x", "/x", "~/x", ".", ".."

// kInvalid: no host, a query, something that is a package or a file of repodata, control
// characters; kUnsupported: another scheme than http, https, file.
Result<ChannelUrl> parse_channel_url(std::string_view text);

// The same of a path; relative ones start from the surroundings' directory.
Result<ChannelUrl> channel_url_of_path(std::string_view text, const Surroundings& surroundings);

// file:///a/b%20c -> "/a/b c", and back.
std::string path_of_file_url(std::string_view url);
std::string file_url_of_path(std::string_view path);

// What `reference` means in a file that stands at `base` (RFC 3986, section 5.2): an absolute URL,
// "/x", "../x", "x/". Credentials in it are dropped. An empty one is the folder of `base`.
std::string resolve_url(std::string_view base, std::string_view reference);

// Where a package is: beside the index at `index_url`, or below its base_url (CEP 15), which may
// be relative to it. What a URL cannot hold of the file name is escaped.
std::string package_url(std::string_view index_url, std::string_view reference,
                        std::string_view file_name);

}  // namespace cloche::source
