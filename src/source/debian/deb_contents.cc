#include "source/debian/deb_contents.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "core/json.h"
#include "core/text.h"

namespace cloche::source {
namespace {

constexpr std::string_view kKindLetters = "fdsh";  // in the order of TarKind's first four
constexpr int kFormat = 1;

// "f644 0 42 etc/shadow"
bool parse_path(std::string_view line, DebPath& out) {
  const std::size_t kind = line.empty() ? std::string_view::npos : kKindLetters.find(line[0]);
  if (kind == std::string_view::npos) {
    return false;
  }
  out.kind = static_cast<io::TarKind>(kind);
  const char* at = line.data() + 1;
  const char* const end = line.data() + line.size();
  const auto number = [&](std::uint32_t& value, int base) {
    const auto [rest, error] = std::from_chars(at, end, value, base);
    if (error != std::errc() || rest == end || *rest != ' ') {
      return false;
    }
    at = rest + 1;
    return true;
  };
  if (!number(out.mode, 8) || !number(out.uid, 10) || !number(out.gid, 10) || at == end) {
    return false;
  }
  out.path.assign(at, end);
  return true;
}

}  // namespace

bool DebContents::has_script(std::string_view name) const {
  return std::ranges::find(scripts, name) != scripts.end();
}

std::string print_contents(const DebContents& contents) {
  Json files = Json::array();
  for (const auto& [path, md5] : contents.conffiles) {
    files.push(Json::Array{path, md5});
  }
  Json scripts = Json::array();
  for (const std::string& one : contents.scripts) {
    scripts.push(one);
  }
  Json head;
  head.set("format", kFormat)
      .set("control", contents.control)
      .set("conffiles", std::move(files))
      .set("triggers", contents.triggers)
      .set("scripts", std::move(scripts))
      .set("newest", contents.newest_s);
  std::string text = head.dump() + "\n";
  for (const DebPath& one : contents.paths) {
    fmt::format_to(std::back_inserter(text), "{}{:o} {} {} {}",
                   kKindLetters[static_cast<std::size_t>(one.kind)], one.mode, one.uid, one.gid,
                   one.path);
    text += '\0';
  }
  return text;
}

std::optional<DebContents> parse_contents(std::string_view text) {
  const std::size_t end = text.find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const auto head = parse_json(text.substr(0, end));
  if (!head || !head->is_object() || (*head)["format"] != Json(kFormat) ||
      !(*head)["conffiles"].is_array() || !(*head)["scripts"].is_array() ||
      !(*head)["newest"].is_integer()) {
    return std::nullopt;
  }
  DebContents out;
  out.control = head->string_or_empty("control");
  out.triggers = head->string_or_empty("triggers");
  out.newest_s = (*head)["newest"].as_integer();
  for (const Json& one : (*head)["conffiles"].items()) {
    if (!one.is_array() || one.items().size() != 2 || !one.items()[0].is_string() ||
        !one.items()[1].is_string()) {
      return std::nullopt;
    }
    out.conffiles.emplace_back(one.items()[0].as_string(), one.items()[1].as_string());
  }
  for (const Json& one : (*head)["scripts"].items()) {
    if (!one.is_string()) {
      return std::nullopt;
    }
    out.scripts.push_back(one.as_string());
  }
  for (std::string_view rest = text.substr(end + 1); !rest.empty();) {
    const std::size_t nul = rest.find('\0');
    if (nul == std::string_view::npos ||
        !parse_path(rest.substr(0, nul), out.paths.emplace_back())) {
      return std::nullopt;
    }
    rest.remove_prefix(nul + 1);
  }
  return out;
}

Result<std::vector<std::string>> parse_conffiles(std::string_view text) {
  std::vector<std::string> out;
  for (std::string_view line : split_lines(text)) {
    line = trim_right(line);
    if (line.empty() || line.starts_with("remove-on-upgrade ")) {
      continue;
    }
    if (!line.starts_with('/')) {
      return fail(ErrorKind::kInvalid, "the conffile '{}' is no absolute path", printable(line));
    }
    out.push_back("/" + TRY(debian_path(line)));
  }
  return out;
}

}  // namespace cloche::source
