// Errors and diagnostics as people and programs read them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "cli/report.h"
#include "core/diagnostic.h"
#include "core/error.h"
#include "core/json.h"

namespace cloche::cli {

// "error: ...", safe for a terminal whatever the message holds.
std::string to_text(const Error& error, const Style& style);
std::string to_text(const Diagnostic& diagnostic, const Style& style);

// One record each; docs/manual/cli.md lists the keys.
Json error_record(const Error& error);
Json diagnostic_record(const Diagnostic& diagnostic);

// And back, of what another process of this program wrote. nothing: it is no such record.
std::optional<Error> error_from(const Json& record);
std::optional<Diagnostic> diagnostic_from(const Json& record);

// "12.3 MB"; decimal, as downloads are counted everywhere.
std::string bytes_text(std::uint64_t bytes);

// null for "".
Json text_or_null(std::string_view text);

// The report in the format "json", "yaml" or "table".
std::string render(const Report& report, std::string_view format, const Style& style);

}  // namespace cloche::cli
