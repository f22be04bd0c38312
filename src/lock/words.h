// Words that the lock's formats share.
#pragma once

#include <optional>
#include <string_view>

#include "package/conda/record.h"

namespace cloche::lock {

// "python", "generic", "" for none.
std::string_view noarch_word(conda::Noarch noarch);
std::optional<conda::Noarch> noarch_of(std::string_view word);

// Lower-case hex digits, exactly so many.
bool is_hex(std::string_view text, std::size_t digits);

// What may stand in a package's file name, so that no name, version or build leads out of a
// directory: printable ASCII without blanks, '/' and '\', not starting with '.'.
bool is_file_name_part(std::string_view text);

}  // namespace cloche::lock
