#include "cli/env/lock_output.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "cli/messages.h"
#include "cli/table.h"
#include "cli/terminal.h"
#include "core/text.h"

namespace cloche::cli {
namespace {

constexpr std::size_t kNeededByShown = 3;

Json texts(const std::vector<std::string>& values) {
  Json out = Json::array();
  for (const std::string& value : values) {
    out.push(value);
  }
  return out;
}

Json size_or_null(std::uint64_t bytes) {
  return bytes == 0 ? Json() : Json(static_cast<std::int64_t>(bytes));
}

// The name that the lock gives a channel, which people know; else its URL.
std::string channel_name(const lock::Lock& lock, const std::string& url) {
  const auto found = std::ranges::find(lock.conda.channels, url, &lock::Channel::url);
  return found == lock.conda.channels.end() ? url : found->name;
}

Json package_record(const lock::CondaPackage& package, const lock::Lock& lock) {
  const conda::PackageRecord& r = package.record;
  Json out;
  out.set("ecosystem", "conda")
      .set("name", r.name)
      .set("version", r.version)
      .set("build", text_or_null(r.build))
      .set("channel", text_or_null(channel_name(lock, r.channel)))
      .set("subdir", text_or_null(r.subdir))
      .set("url", text_or_null(r.url))
      .set("size", size_or_null(r.size_bytes))
      .set("sha256", text_or_null(r.sha256))
      .set("md5", text_or_null(r.md5))
      .set("license", text_or_null(r.license))
      .set("requested", texts(package.reason.requested))
      .set("needed_by", texts(package.reason.needed_by));
  return out;
}

Json package_record(const lock::PypiPackage& package) {
  Json out;
  out.set("ecosystem", "pypi")
      .set("name", package.name)
      .set("version", text_or_null(package.version))
      .set("build", Json())
      .set("channel", Json())
      .set("subdir", Json())
      .set("url", text_or_null(package.url))
      .set("size", size_or_null(package.size_bytes))
      .set("sha256", text_or_null(package.sha256))
      .set("md5", text_or_null(package.md5))
      .set("license", Json())
      .set("requested", Json::array())
      .set("needed_by", Json::array());
  return out;
}

Json package_record(const lock::DebianPackage& package) {
  Json out;
  out.set("ecosystem", "debian")
      .set("name", package.name)
      .set("version", package.version)
      .set("build", Json())
      .set("channel", Json())
      .set("subdir", package.architecture)
      .set("url", text_or_null(package.url))
      .set("size", size_or_null(package.size_bytes))
      .set("sha256", text_or_null(package.sha256))
      .set("md5", Json())
      .set("license", Json())
      .set("requested", texts(package.reason.requested))
      .set("needed_by", texts(package.reason.needed_by));
  return out;
}

Json target_record(const lock::Lock& lock) {
  Json out = Json::array();
  for (const lock::VirtualPackage& one : lock.virtual_packages) {
    Json record;
    record.set("name", one.name).set("version", one.version).set("build", one.build);
    out.push(std::move(record));
  }
  return out;
}

Json image_record(const lock::Lock& lock) {
  Json out;
  if (lock.base_image) {
    out.set("reference", lock.base_image->reference)
        .set("digest", text_or_null(lock.base_image->digest));
  }
  return out;
}

Json channels_record(const lock::Lock& lock) {
  Json out = Json::array();
  for (const lock::Channel& one : lock.conda.channels) {
    Json record;
    record.set("name", one.name).set("url", text_or_null(one.url));
    out.push(std::move(record));
  }
  return out;
}

Json unlocked_record(const lock::Lock& lock) {
  const bool pip = !lock.pypi.locked;
  Json out;
  out.set("pip", texts(pip ? lock.pypi.requirements : std::vector<std::string>()))
      .set("apt",
           texts(lock.debian.locked ? std::vector<std::string>() : lock.debian.requirements));
  return out;
}

std::string size_text(const Json& size) {
  if (!size.is_integer()) {
    return "";
  }
  const auto bytes = static_cast<double>(size.as_integer());
  return bytes < 999'950 ? fmt::format("{:.1f} kB", bytes / 1e3)
                         : fmt::format("{:.1f} MB", bytes / 1e6);
}

// "numpy>=1.26" for what the definition names, else "for scipy, pandas, matplotlib +4".
std::string reason_text(const Json& package) {
  std::vector<std::string> parts;
  for (const Json& one : package["requested"].items()) {
    parts.push_back(one.as_string());
  }
  if (!parts.empty()) {
    return join(parts, ", ");
  }
  const Json::Array& needed_by = package["needed_by"].items();
  for (std::size_t i = 0; i < std::min(kNeededByShown, needed_by.size()); ++i) {
    parts.push_back(needed_by[i].as_string());
  }
  if (parts.empty()) {
    return "";
  }
  return fmt::format("for {}{}", fmt::join(parts, ", "),
                     needed_by.size() > kNeededByShown
                         ? fmt::format(" +{}", needed_by.size() - kNeededByShown)
                         : "");
}

std::string unlocked_text(const Json& unlocked) {
  std::string out;
  for (const auto* word : {"pip", "apt"}) {
    for (const Json& one : unlocked[word].items()) {
      out += fmt::format("not locked: {} {}\n", word, printable(one.as_string()));
    }
  }
  return out;
}

Json side_record(const lock::Change::Side& side) {
  if (side == lock::Change::Side()) {
    return {};
  }
  Json out;
  out.set("version", text_or_null(side.version))
      .set("build", text_or_null(side.build))
      .set("channel", text_or_null(side.channel))
      .set("sha256", text_or_null(side.sha256));
  return out;
}

// The version, with the build where that is all that differs, or the hash where that is.
std::string side_text(const Json& side, const Json& other, std::string_view kind) {
  if (side.is_null()) {
    return "";
  }
  std::string out = side.string_or_empty("version");
  if (kind != "rebuilt") {
    return out;
  }
  out += " " + side.string_or_empty("build");
  if (side["build"] == other["build"] && side["channel"] == other["channel"]) {
    out += " sha256 " + side.string_or_empty("sha256").substr(0, 12);
  } else if (side["build"] == other["build"]) {
    out += " " + side.string_or_empty("channel");
  }
  return out;
}

}  // namespace

Json lock_record(const lock::Lock& lock) {
  Json packages = Json::array();
  std::uint64_t size = 0;
  for (const lock::CondaPackage& package : lock.conda.packages) {
    packages.push(package_record(package, lock));
    size += package.record.size_bytes;
  }
  for (const lock::PypiPackage& package : lock.pypi.packages) {
    packages.push(package_record(package));
    size += package.size_bytes;
  }
  for (const lock::DebianPackage& package : lock.debian.packages) {
    packages.push(package_record(package));
    size += package.size_bytes;
  }
  Json out;
  out.set("digest", lock::digest_of(lock).to_string())
      .set("contents_digest", lock::contents_digest_of(lock).to_string())
      .set("fingerprint", text_or_null(lock.fingerprint))
      .set("platform", lock.platform)
      .set("virtual_packages", target_record(lock))
      .set("base_image", image_record(lock))
      .set("channels", channels_record(lock))
      .set("channel_priority", conda::to_string(lock.conda.channel_priority))
      .set("package_count", static_cast<std::int64_t>(packages.items().size()))
      .set("size", static_cast<std::int64_t>(size))
      .set("packages", std::move(packages))
      .set("unlocked", unlocked_record(lock));
  return out;
}

std::string lock_text(const Json& lock_record, const Style& style) {
  Table table({"NAME", "VERSION", "BUILD", "CHANNEL", "SIZE", "WHY"});
  for (const Json& one : lock_record["packages"].items()) {
    const std::string channel = one.string_or_empty("channel");
    table.add({one.string_or_empty("name"), one.string_or_empty("version"),
               one.string_or_empty("build"),
               channel.empty() ? one.string_or_empty("ecosystem") : channel, size_text(one["size"]),
               reason_text(one)});
  }
  return fmt::format("{}{}{} packages, {}, {}\n", table.render(style),
                     unlocked_text(lock_record["unlocked"]),
                     lock_record["package_count"].as_integer(), size_text(lock_record["size"]),
                     printable(lock_record.string_or_empty("platform")));
}

Json lock_diff_record(const lock::Difference& difference) {
  Json changes = Json::array();
  for (const lock::Change& change : difference.changes) {
    Json record;
    record.set("kind", lock::to_string(change.kind))
        .set("ecosystem", change.ecosystem)
        .set("name", change.name)
        .set("requested", change.requested)
        .set("before", side_record(change.before))
        .set("after", side_record(change.after));
    changes.push(std::move(record));
  }
  Json out;
  out.set("changes", std::move(changes))
      .set("unchanged_count", static_cast<std::int64_t>(difference.unchanged_count));
  return out;
}

std::string lock_diff_text(const Json& diff_record, const Style& style) {
  const Json::Array& changes = diff_record["changes"].items();
  if (changes.empty()) {
    return "nothing changed\n";
  }
  Table table({"CHANGE", "NAME", "BEFORE", "AFTER"});
  for (const Json& one : changes) {
    const std::string kind = one.string_or_empty("kind");
    table.add({kind, one.string_or_empty("name"), side_text(one["before"], one["after"], kind),
               side_text(one["after"], one["before"], kind)});
  }
  return table.render(style) + fmt::format("{} changed, {} as before\n", changes.size(),
                                           diff_record["unchanged_count"].as_integer());
}

Json findings_record(const std::vector<lock::Finding>& findings) {
  Json out = Json::array();
  for (const lock::Finding& finding : findings) {
    const auto number = [](int value) { return value > 0 ? Json(value) : Json(); };
    Json record;
    record.set("kind", lock::to_string(finding.kind))
        .set("package", text_or_null(finding.package))
        .set("spec", text_or_null(finding.spec))
        .set("message", finding.message)
        .set("hint", text_or_null(finding.hint))
        .set("file", text_or_null(finding.at.file))
        .set("line", number(finding.at.line))
        .set("column", number(finding.at.column));
    out.push(std::move(record));
  }
  return out;
}

std::string findings_text(const Json& findings_record, const Style& style) {
  std::string out;
  std::string hint;
  const auto end_of_hint = [&] { out += hint.empty() ? "" : fmt::format("hint: {}\n", hint); };
  for (const Json& one : findings_record.items()) {
    const std::string next_hint = printable(one.string_or_empty("hint"));
    if (next_hint != hint) {
      end_of_hint();  // said once for all that share it
      hint = next_hint;
    }
    std::string place = printable(one.string_or_empty("file"));
    if (one["line"].is_integer()) {
      place += fmt::format(":{}:{}", one["line"].as_integer(),
                           one["column"].is_integer() ? one["column"].as_integer() : 1);
    }
    out += fmt::format("{}{}{} {}\n", place, place.empty() ? "" : ": ",
                       colored("error:", "1;31", style), printable(one.string_or_empty("message")));
  }
  end_of_hint();
  return out;
}

}  // namespace cloche::cli
