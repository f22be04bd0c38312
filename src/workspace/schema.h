// The tables of a workspace's database, and how an older one becomes the current one.
// docs/formats/workspace.md describes them.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "core/result.h"
#include "workspace/database.h"

namespace cloche::workspace {

// SQL that takes a database from version N to N + 1, N being the place in the list. What has been
// released never changes; a new version is a new entry at the end.
std::span<const char* const> migrations();

// Opens the file, makes it when it is missing, migrates it forward. Any number of processes may do
// so at once. `read_only` tells afterwards that nothing can be written there. The parent directory
// exists.
// kUnsupported: written by a newer program, or another program's database. kCorrupt: no database.
Result<Database> open_database(const std::string& path, bool& read_only);

// Takes a database to the end of `steps`, in one transaction.
Status migrate(Database& database, std::span<const char* const> steps);

}  // namespace cloche::workspace
