#include "io/system_error.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "core/text.h"

namespace cloche::io {
namespace {

struct ErrnoRow {
  int number;
  ErrorKind kind;
  std::string_view hint;
};

constexpr auto kErrnos = std::to_array<ErrnoRow>({
    {ENOENT, ErrorKind::kNotFound, "check the path; relative ones start at the current directory"},
    {ENOTDIR, ErrorKind::kNotFound, "a part of the path is a file, not a directory"},
    {EACCES, ErrorKind::kPermission, "check the permissions of it and of the directories above"},
    {EPERM, ErrorKind::kPermission, "check who owns it, and its attributes (lsattr)"},
    {EROFS, ErrorKind::kPermission, "the file system is mounted read-only; use another directory"},
    {EEXIST, ErrorKind::kConflict, ""},
    {ENOTEMPTY, ErrorKind::kConflict, ""},
    {EISDIR, ErrorKind::kInvalid, "a file is expected here"},
    {ENAMETOOLONG, ErrorKind::kInvalid, "use a shorter name"},
    {ELOOP, ErrorKind::kInvalid, "symbolic links form a circle or are not allowed here"},
    {EINVAL, ErrorKind::kInvalid, ""},
    {ENOSPC, ErrorKind::kUnavailable, "the disk is full: free some space and run this again"},
    {EDQUOT, ErrorKind::kUnavailable, "the disk quota is used up: free some space and run again"},
    {EFBIG, ErrorKind::kUnavailable, "the file would exceed the size limit (ulimit -f)"},
    {EMFILE, ErrorKind::kUnavailable, "raise the limit of open files (ulimit -n)"},
    {ENFILE, ErrorKind::kUnavailable, "the whole machine has too many open files"},
    {EIO, ErrorKind::kUnavailable, "the disk reports an error; see dmesg before trying again"},
    {ENXIO, ErrorKind::kInvalid, ""},
});

std::string description(int error_number) {
  const char* text = strerrordesc_np(error_number);
  std::string out = text != nullptr ? text : "error " + std::to_string(error_number);
  // "No such file" becomes "no such file"; an acronym ("RPC ...") stays.
  const bool acronym = out.size() > 1 && out[1] >= 'A' && out[1] <= 'Z';
  if (!acronym && out[0] >= 'A' && out[0] <= 'Z') {
    out[0] = static_cast<char>(out[0] - 'A' + 'a');
  }
  return out;
}

}  // namespace

Error system_error(int error_number, std::string_view doing, std::string_view path) {
  const auto* row = std::ranges::find(kErrnos, error_number, &ErrnoRow::number);
  const bool known = row != kErrnos.end();
  Error error = make_error(known ? row->kind : ErrorKind::kUnavailable, "cannot {} {}: {}", doing,
                           printable(path), description(error_number));
  error.hint = known ? row->hint : "";
  return error;
}

Status check_path(std::string_view path) {
  if (path.find('\0') != std::string_view::npos) {
    return fail(ErrorKind::kInvalid, "the path {} holds a NUL byte", printable(path));
  }
  return {};
}

}  // namespace cloche::io
