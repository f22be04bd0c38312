#include "source/debian/release.h"

#include <algorithm>
#include <array>
#include <chrono>

#include "core/text.h"
#include "package/debian/paragraph.h"

namespace cloche::source {
namespace {

constexpr std::size_t kMaxPackagesFiles = 10'000;
constexpr std::array<std::string_view, 12> kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

std::optional<std::uint64_t> number(std::string_view text, std::uint64_t low, std::uint64_t high) {
  std::uint64_t out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || out > high) {
      return std::nullopt;
    }
    out = (out * 10) + static_cast<std::uint64_t>(c - '0');
  }
  return !text.empty() && out >= low && out <= high ? std::optional(out) : std::nullopt;
}

bool is_packages(std::string_view path) {
  const std::string_view name = path.substr(path.rfind('/') + 1);  // npos + 1 is 0
  return name.starts_with("Packages");
}

std::vector<std::string> words(std::string_view value) {
  std::vector<std::string> out;
  for (const std::string_view word : debian::value_words(value)) {
    out.emplace_back(word);
  }
  return out;
}

// Lines of "hash size path".
Status read_files(std::string_view value, Release& out) {
  for (const std::string_view line : debian::value_lines(value)) {
    const auto parts = debian::value_words(line);
    if (parts.size() != 3) {
      return fail(ErrorKind::kCorrupt, "a line of its SHA256 is no hash, size and path");
    }
    if (!is_packages(parts[2])) {
      continue;
    }
    ReleaseFile file;
    file.path = parts[2];
    constexpr std::uint64_t kMost = std::uint64_t{1} << 50U;
    const auto size = number(parts[1], 0, kMost);
    const auto digest = Digest::parse("sha256:" + std::string(parts[0]));
    if (!size || !digest) {
      return fail(ErrorKind::kCorrupt, "a line of its SHA256 has a bad hash or size");
    }
    file.size_bytes = *size;
    file.sha256 = *digest;
    if (out.packages.size() == kMaxPackagesFiles) {
      return fail(ErrorKind::kCorrupt, "it names too many indexes");
    }
    out.packages.push_back(std::move(file));
  }
  return {};
}

}  // namespace

std::optional<std::int64_t> parse_release_date(std::string_view text) {
  const auto parts = debian::value_words(text);  // Sat, 11 Jul 2026 10:16:37 UTC
  if (parts.size() != 6 || (parts[5] != "UTC" && parts[5] != "GMT" && parts[5] != "+0000")) {
    return std::nullopt;
  }
  constexpr unsigned kLastYear = 9999;
  const auto clock = split(parts[4], ':');
  const auto* const month = std::ranges::find(kMonths, parts[2]);
  const auto day = number(parts[1], 1, 31);
  const auto year = number(parts[3], 1970, kLastYear);
  if (clock.size() != 3 || month == kMonths.end() || !day || !year) {
    return std::nullopt;
  }
  const auto hours = number(clock[0], 0, 23);
  const auto minutes = number(clock[1], 0, 59);
  const auto seconds = number(clock[2], 0, 60);
  const std::chrono::year_month_day date{
      std::chrono::year(static_cast<int>(*year)),
      std::chrono::month(static_cast<unsigned>(month - kMonths.begin()) + 1),
      std::chrono::day(static_cast<unsigned>(*day))};
  if (!hours || !minutes || !seconds || !date.ok()) {
    return std::nullopt;
  }
  const auto time = std::chrono::sys_days(date) + std::chrono::hours(*hours) +
                    std::chrono::minutes(*minutes) + std::chrono::seconds(*seconds);
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

int Release::priority() const {
  constexpr int kAutomatic = 500;
  constexpr int kUpgrades = 100;
  return !not_automatic ? kAutomatic : but_automatic_upgrades ? kUpgrades : 1;
}

const ReleaseFile* Release::find(std::string_view path) const {
  const auto found = std::ranges::find(packages, path, &ReleaseFile::path);
  return found == packages.end() ? nullptr : &*found;
}

Result<Release> parse_release(std::string_view text) {
  debian::ParagraphReader reader(text);
  debian::Paragraph paragraph;
  const auto more = reader.next(paragraph);
  if (!more || !*more) {
    return fail(ErrorKind::kCorrupt, "it is no Release file");
  }
  if (!paragraph.has("SHA256")) {
    return fail(ErrorKind::kCorrupt, "it has no SHA256 of its indexes");
  }
  Release out;
  out.origin = paragraph.value("Origin");
  out.label = paragraph.value("Label");
  out.suite = paragraph.value("Suite");
  out.codename = paragraph.value("Codename");
  out.version = paragraph.value("Version");
  const auto date = parse_release_date(paragraph.value("Date"));
  if (!date) {
    return fail(ErrorKind::kCorrupt, "its Date is none");
  }
  out.date_ms = *date;
  if (paragraph.has("Valid-Until")) {
    out.valid_until_ms = parse_release_date(paragraph.value("Valid-Until"));
    if (!out.valid_until_ms) {
      return fail(ErrorKind::kCorrupt, "its Valid-Until is no date");
    }
  }
  out.components = words(paragraph.value("Components"));
  out.architectures = words(paragraph.value("Architectures"));
  out.all_apart =
      std::ranges::find(out.architectures, "all") != out.architectures.end() &&
      !std::string_view(paragraph.value("No-Support-for-Architecture-all")).contains("Packages");
  out.by_hash = paragraph.value("Acquire-By-Hash") == "yes";
  out.not_automatic = paragraph.value("NotAutomatic") == "yes";
  out.but_automatic_upgrades = paragraph.value("ButAutomaticUpgrades") == "yes";
  TRY(read_files(paragraph.value("SHA256"), out));
  return out;
}

}  // namespace cloche::source
