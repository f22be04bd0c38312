#include <sys/stat.h>
#include <unistd.h>

#include "core/files.h"
#include "io/system.h"
#include "workspace/workspace.h"

namespace cloche::workspace {
namespace {

constexpr const char* kFolder = ".cloche";

// Somebody else's, in a directory where everybody may write: a trap, or a mistake.
bool is_trusted(const struct stat& folder, const std::string& parent) {
  struct stat above{};
  const bool open_to_all = ::stat(parent.c_str(), &above) == 0 && (above.st_mode & S_IWOTH) != 0;
  return folder.st_uid == ::geteuid() || !open_to_all;
}

std::string default_directory() {
  if (const std::string data = io::environment_variable("XDG_DATA_HOME"); data.starts_with('/')) {
    return join_path(data, "cloche");  // a relative one is to be ignored: XDG base directories
  }
  return join_path(io::environment_variable("HOME"), ".local/share/cloche");
}

}  // namespace

std::string find_workspace_directory(const std::string& from) {
  if (std::string named = io::environment_variable("CLOCHE_WORKSPACE"); !named.empty()) {
    return named;
  }
  const std::string start = normal_path(join_path(io::current_directory(), from));
  for (std::string place = start; !place.empty(); place = parent_path(place)) {
    const std::string candidate = join_path(place, kFolder);
    struct stat info{};
    if (::stat(candidate.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && is_trusted(info, place)) {
      return candidate;
    }
    if (place == "/") {
      break;
    }
  }
  return default_directory();
}

}  // namespace cloche::workspace
