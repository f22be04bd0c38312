#include "runtime/users.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <optional>
#include <vector>

#include "core/text.h"

namespace cloche::runtime {
namespace {

constexpr std::size_t kMaxGroups = 1024;

std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  // The last number means "no change" to the kernel.
  return error == std::errc() && end == text.data() + text.size() &&
                 value != std::numeric_limits<std::uint32_t>::max()
             ? std::optional(value)
             : std::nullopt;
}

struct Account {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

// passwd(5): name:password:UID:GID:GECOS:directory:shell
std::optional<Account> account_of(std::string_view passwd, std::string_view name) {
  const auto wanted = number_of(name);
  for (const std::string_view line : split_lines(passwd)) {
    const auto fields = split(line, ':');
    if (fields.size() < 6) {
      continue;
    }
    const auto uid = number_of(fields[2]);
    const auto gid = number_of(fields[3]);
    if (uid && gid && (fields[0] == name || (wanted && *uid == *wanted))) {
      return Account{std::string(fields[0]), *uid, *gid, std::string(fields[5])};
    }
  }
  return std::nullopt;
}

// group(5): name:password:GID:user_list
Result<std::uint32_t> group_of(std::string_view groups, std::string_view name) {
  for (const std::string_view line : split_lines(groups)) {
    const auto fields = split(line, ':');
    const auto gid = fields.size() >= 3 ? number_of(fields[2]) : std::nullopt;
    if (gid && fields[0] == name) {
      return *gid;
    }
  }
  if (const auto number = number_of(name)) {
    return *number;
  }
  return fail(ErrorKind::kNotFound, "the image has no group '{}'", printable(name));
}

std::vector<std::uint32_t> groups_of(std::string_view groups, const std::string& member) {
  std::vector<std::uint32_t> out;
  for (const std::string_view line : split_lines(groups)) {
    const auto fields = split(line, ':');
    const auto gid = fields.size() >= 4 ? number_of(fields[2]) : std::nullopt;
    if (!gid || out.size() >= kMaxGroups) {
      continue;
    }
    const auto members = split(fields[3], ',');
    if (std::ranges::find(members, member) != members.end()) {
      out.push_back(*gid);
    }
  }
  return out;
}

}  // namespace

Result<ProcessUser> find_user(std::string_view user, std::string_view passwd,
                              std::string_view group) {
  const std::size_t colon = user.find(':');
  const std::string_view name = user.empty() ? "0" : user.substr(0, colon);
  ProcessUser out;
  const auto account = account_of(passwd, name);
  if (account) {
    out = {account->uid, account->gid, groups_of(group, account->name), account->home};
  } else if (const auto number = number_of(name)) {
    out.uid = *number;
    out.home = *number == 0 ? "/root" : "/";
  } else {
    return fail(ErrorKind::kNotFound, "the image has no user '{}'", printable(name));
  }
  if (colon != std::string_view::npos) {
    out.gid = TRY(group_of(group, user.substr(colon + 1)));
    out.groups.clear();  // as container engines do: who names a group gets that one
  }
  return out;
}

}  // namespace cloche::runtime
