// What went wrong with a transfer, in words with a remedy. For http_client.cc only.
#pragma once

#include <string>
#include <string_view>

#include <curl/curl.h>

#include "core/result.h"

namespace cloche::io {

// "conda.anaconda.org:443 does not answer" and so on. `reason` is curl's own, "" when it has none.
Error transport_error(CURLcode code, std::string_view url, std::string_view reason);

// Whether another attempt may succeed, and whether the host was not reached at all.
bool is_transient(CURLcode code);
bool is_no_connection(CURLcode code);

// "https://host/x: 403 Forbidden".
Error status_error(long status, std::string_view text, std::string_view url);
bool is_transient_status(long status);

}  // namespace cloche::io
