#include "package/debian/record.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/text.h"

namespace cloche::debian {
namespace {

constexpr std::array<std::string_view, 4> kMultiArch = {"no", "same", "foreign", "allowed"};
constexpr std::array<std::string_view, 5> kPriorities = {"required", "important", "standard",
                                                         "optional", "extra"};
constexpr std::size_t kMaxWordBytes = 256;  // of a name, version or architecture

// What stands in file names and in dpkg's database, whoever wrote it.
bool is_word(std::string_view text) {
  return !text.empty() && text.size() <= kMaxWordBytes && text[0] != '.' && text[0] != '-' &&
         std::ranges::all_of(text, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '+' || c == '-' || c == '.' || c == '~' || c == ':' || c == '_';
         });
}

Error invalid(const Paragraph& paragraph, std::string_view field) {
  const std::string name = printable(paragraph.value("Package").substr(0, kMaxWordBytes));
  return fail(ErrorKind::kInvalid, "the paragraph of '{}' has {} {}", name,
              paragraph.has(field) ? "a bad" : "no", field)
      .with_location({"", paragraph.line(), 1});
}

Result<std::string> word(const Paragraph& paragraph, std::string_view field) {
  const std::string_view value = paragraph.value(field);
  if (!is_word(value)) {
    return invalid(paragraph, field);
  }
  return std::string(value);
}

Result<std::uint64_t> number(const Paragraph& paragraph, std::string_view field) {
  const std::string_view value = paragraph.value(field);
  std::uint64_t out = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), out);
  if (!value.empty() && (error != std::errc() || end != value.data() + value.size())) {
    return invalid(paragraph, field);
  }
  return out;
}

bool is_yes(const Paragraph& paragraph, std::string_view field) {
  return paragraph.value(field) == "yes";
}

Status read_identity(const Paragraph& paragraph, PackageRecord& out) {
  out.name = TRY(word(paragraph, "Package"));
  out.version = TRY(word(paragraph, "Version"));
  out.architecture = TRY(word(paragraph, "Architecture"));
  const std::string_view file = paragraph.value("Filename");
  const auto path = path_in_archive(file);
  if (!path) {
    return invalid(paragraph, "Filename");
  }
  out.filename = *path;
  out.size_bytes = TRY(number(paragraph, "Size"));
  out.installed_kib = TRY(number(paragraph, "Installed-Size"));
  out.sha256 = to_lower(paragraph.value("SHA256"));
  constexpr std::size_t kDigits = 64;
  if (!out.sha256.empty() &&
      (out.sha256.size() != kDigits ||
       out.sha256.find_first_not_of("0123456789abcdef") != std::string::npos)) {
    return invalid(paragraph, "SHA256");
  }
  return {};
}

}  // namespace

MultiArch multi_arch_of(std::string_view word) {
  const auto* const found = std::ranges::find(kMultiArch, word);
  return found == kMultiArch.end() ? MultiArch::kNo
                                   : static_cast<MultiArch>(found - kMultiArch.begin());
}

std::string_view to_string(MultiArch multi_arch) {
  return kMultiArch.at(static_cast<std::size_t>(multi_arch));
}

Priority priority_of(std::string_view word) {
  const auto* const found = std::ranges::find(kPriorities, word);
  return found == kPriorities.end() ? Priority::kOptional
                                    : static_cast<Priority>(found - kPriorities.begin());
}

std::string_view to_string(Priority priority) {
  return kPriorities.at(static_cast<std::size_t>(priority));
}

std::string_view source_name(const PackageRecord& record) {
  const std::string_view source = record.source;
  return source.empty() ? std::string_view(record.name)
                        : trim_right(source.substr(0, source.find('(')));
}

std::string_view source_version(const PackageRecord& record) {
  const std::string_view source = record.source;
  const std::size_t open = source.find('(');
  const std::size_t close = source.rfind(')');
  return open == std::string_view::npos || close == std::string_view::npos || close < open
             ? std::string_view(record.version)
             : trim(source.substr(open + 1, close - open - 1));
}

std::optional<std::string_view> path_in_archive(std::string_view filename) {
  while (filename.starts_with("./")) {
    filename.remove_prefix(2);
  }
  const bool leaves = filename.starts_with('/') || filename == ".." ||
                      filename.starts_with("../") || filename.ends_with("/..") ||
                      filename.contains("/../");
  return leaves ? std::nullopt : std::optional(filename);
}

Result<PackageRecord> read_record(const Paragraph& paragraph) {
  PackageRecord out;
  TRY(read_identity(paragraph, out));
  out.essential = is_yes(paragraph, "Essential");
  out.is_protected = is_yes(paragraph, "Protected") || is_yes(paragraph, "Important");
  out.priority = priority_of(paragraph.value("Priority"));
  out.multi_arch = multi_arch_of(paragraph.value("Multi-Arch"));
  out.section = paragraph.value("Section");
  out.source = paragraph.value("Source");
  out.pre_depends = paragraph.value("Pre-Depends");
  out.depends = paragraph.value("Depends");
  out.recommends = paragraph.value("Recommends");
  out.suggests = paragraph.value("Suggests");
  out.conflicts = paragraph.value("Conflicts");
  out.breaks = paragraph.value("Breaks");
  out.replaces = paragraph.value("Replaces");
  out.provides = paragraph.value("Provides");
  return out;
}

}  // namespace cloche::debian
