#include "definition/pip_options.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "core/credentials.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

struct Row {
  PipOption option;
  std::string_view name;
  char letter;  // '\0': has no short form
  bool takes_value;
};

// The first row of an option is its canonical name; the others are pip's aliases.
constexpr std::array<Row, 19> kRows = {{
    {PipOption::kRequirement, "--requirement", 'r', true},
    {PipOption::kConstraint, "--constraint", 'c', true},
    {PipOption::kEditable, "--editable", 'e', true},
    {PipOption::kNoBinary, "--no-binary", '\0', true},
    {PipOption::kOnlyBinary, "--only-binary", '\0', true},
    {PipOption::kUseFeature, "--use-feature", '\0', true},
    {PipOption::kRequireHashes, "--require-hashes", '\0', false},
    {PipOption::kNoIndex, "--no-index", '\0', false},
    {PipOption::kIndexUrl, "--index-url", 'i', true},
    {PipOption::kExtraIndexUrl, "--extra-index-url", '\0', true},
    {PipOption::kFindLinks, "--find-links", 'f', true},
    {PipOption::kPre, "--pre", '\0', false},
    {PipOption::kPreferBinary, "--prefer-binary", '\0', false},
    {PipOption::kTrustedHost, "--trusted-host", '\0', true},
    {PipOption::kHash, "--hash", '\0', true},
    {PipOption::kConfigSettings, "--config-settings", 'C', true},
    {PipOption::kGlobalOption, "--global-option", '\0', true},
    {PipOption::kIndexUrl, "--pypi-url", '\0', true},
    {PipOption::kConfigSettings, "--config-setting", '\0', true},
}};

// What pip knows elsewhere or knew once, with what to do.
struct Foreign {
  std::string_view name;
  std::string_view reason;
};
constexpr std::string_view kCommandLine = "is an option of pip's command line only";
constexpr std::string_view kRemoved = "is no longer known to pip";
constexpr std::array<Foreign, 28> kForeign = {{
    {"--user", kCommandLine},
    {"--upgrade", kCommandLine},
    {"-U", kCommandLine},
    {"--upgrade-strategy", kCommandLine},
    {"--no-deps", kCommandLine},
    {"--no-cache-dir", kCommandLine},
    {"--cache-dir", kCommandLine},
    {"--no-build-isolation", kCommandLine},
    {"--use-pep517", kCommandLine},
    {"--ignore-installed", kCommandLine},
    {"--force-reinstall", kCommandLine},
    {"--quiet", kCommandLine},
    {"-q", kCommandLine},
    {"--verbose", kCommandLine},
    {"--timeout", kCommandLine},
    {"--retries", kCommandLine},
    {"--proxy", kCommandLine},
    {"--cert", kCommandLine},
    {"--target", kCommandLine},
    {"--python-version", kCommandLine},
    {"--platform", kCommandLine},
    {"--break-system-packages", kCommandLine},
    {"--install-option", kRemoved},
    {"--process-dependency-links", kRemoved},
    {"--allow-external", kRemoved},
    {"--allow-unverified", kRemoved},
    {"--allow-all-external", kRemoved},
    {"--use-wheel", kRemoved},
}};

Error error_at(std::string_view line, std::size_t at, std::string message) {
  return fail(ErrorKind::kInvalid, "{}", message)
      .with_location({"", 1, static_cast<int>(at) + 1}, star_passwords(line));
}

struct Word {
  std::string text;
  std::size_t at = 0;
};

// Words as shlex.split(posix=True) makes them.
class WordSplitter {
 public:
  WordSplitter(std::string_view line, std::size_t begin) : line_(line), at_(begin) {}

  Result<std::vector<Word>> split() {
    std::vector<Word> out;
    while (true) {
      at_ = std::min(line_.find_first_not_of(' ', at_), line_.size());
      if (at_ == line_.size()) {
        return out;
      }
      out.push_back(TRY(word()));
    }
  }

 private:
  Result<Word> word() {
    Word out;
    out.at = at_;
    while (at_ < line_.size() && line_[at_] != ' ') {
      const char c = line_[at_];
      if (c == '\'' || c == '"') {
        TRY(quoted(out.text));
      } else if (c == '\\') {
        if (at_ + 1 == line_.size()) {
          return error_at(line_, at_, "nothing follows this '\\'");
        }
        out.text += line_[at_ + 1];
        at_ += 2;
      } else {
        out.text += c;
        ++at_;
      }
    }
    return out;
  }

  Status quoted(std::string& out) {
    const std::size_t open = at_;
    const char quote = line_[at_++];
    for (; at_ < line_.size() && line_[at_] != quote; ++at_) {
      const bool escapes = quote == '"' && line_[at_] == '\\' && at_ + 1 < line_.size() &&
                           (line_[at_ + 1] == '"' || line_[at_ + 1] == '\\');
      at_ += escapes ? 1 : 0;
      out += line_[at_];
    }
    if (at_ == line_.size()) {
      return error_at(line_, open, "this quote is never closed");
    }
    ++at_;
    return {};
  }

  std::string_view line_;
  std::size_t at_;
};

class OptionParser {
 public:
  OptionParser(std::string_view line, std::vector<Word> words)
      : line_(line), words_(std::move(words)) {}

  Result<PipOptions> parse() {
    for (; next_ < words_.size(); ++next_) {
      const Word& word = words_[next_];
      if (word.text == "--") {
        stray(next_ + 1);
        break;
      }
      if (word.text.starts_with("--")) {
        TRY(long_option(word));
      } else if (word.text.starts_with('-') && word.text.size() > 1) {
        TRY(short_option(word));
      } else {
        stray(next_);
      }
    }
    return std::move(out_);
  }

 private:
  void stray(std::size_t index) {
    if (index < words_.size() && !out_.stray) {
      out_.stray = true;
      out_.stray_at = words_[index].at;
    }
  }

  Status long_option(const Word& word) {
    const std::size_t equals = word.text.find('=');
    const std::string_view name = std::string_view(word.text).substr(0, equals);
    const Row& row = *TRY(find_long(word, name));
    if (!row.takes_value && equals != std::string::npos) {
      return error_at(line_, word.at, std::string(row.name) + " takes no value");
    }
    PipOptionUse use = {row.option, "", word.at, word.at};
    if (row.takes_value) {
      if (equals != std::string::npos) {
        use.value = word.text.substr(equals + 1);
        use.value_at = word.at + equals + 1;
      } else {
        TRY(next_word(word, use));
      }
    }
    out_.uses.push_back(std::move(use));
    return {};
  }

  // The exact name, or optparse's rule: a beginning that only one option has.
  Result<const Row*> find_long(const Word& word, std::string_view name) {
    const Row* found = nullptr;
    for (const Row& row : kRows) {
      if (row.name == name) {
        return &row;
      }
      if (row.name.starts_with(name)) {
        if (found != nullptr && found->option != row.option) {
          return error_at(line_, word.at, "the option " + printable(name) + " is ambiguous")
              .with_hint("it begins " + std::string(found->name) + " and " + std::string(row.name));
        }
        found = found != nullptr ? found : &row;
      }
    }
    if (found == nullptr) {
      return unknown(word, name);
    }
    return found;
  }

  Status short_option(const Word& word) {
    const auto row = std::ranges::find(kRows, word.text[1], &Row::letter);
    if (row == kRows.end()) {
      return unknown(word, word.text);
    }
    PipOptionUse use = {row->option, word.text.substr(2), word.at, word.at + 2};
    if (use.value.starts_with('=')) {
      return error_at(line_, use.value_at, "a short option takes its value without '='")
          .with_hint("write " + word.text.substr(0, 2) + " VALUE or " + std::string(row->name) +
                     "=VALUE");
    }
    if (use.value.empty()) {
      TRY(next_word(word, use));
    }
    out_.uses.push_back(std::move(use));
    return {};
  }

  Status next_word(const Word& option, PipOptionUse& use) {
    if (next_ + 1 == words_.size()) {
      return error_at(line_, option.at, printable(option.text) + " needs a value");
    }
    ++next_;
    use.value = words_[next_].text;
    use.value_at = words_[next_].at;
    return {};
  }

  Error unknown(const Word& word, std::string_view name) const {
    const auto foreign = std::ranges::find(kForeign, name, &Foreign::name);
    if (foreign != kForeign.end()) {
      return error_at(line_, word.at, std::string(name) + " " + std::string(foreign->reason))
          .with_hint("leave it out");
    }
    std::array<std::string_view, kRows.size()> names;
    std::ranges::transform(kRows, names.begin(), &Row::name);
    const std::string_view near = nearest(name, names);
    std::string hint = near.empty() ? "" : "did you mean " + std::string(near) + "?";
    if (name.size() == 1 || (!name.starts_with("--") && word.text.size() > 2 && hint.empty())) {
      hint = "long options begin with two dashes";
    }
    return error_at(line_, word.at,
                    "unknown option " + printable(hide_passwords(name.substr(0, 80))))
        .with_hint(std::move(hint));
  }

  std::string_view line_;
  std::vector<Word> words_;
  std::size_t next_ = 0;
  PipOptions out_;
};

const Row& row_of(PipOption option) { return *std::ranges::find(kRows, option, &Row::option); }

// Blanks, quotes and backslashes are what a shell's reader changes.
std::string quote_word(std::string_view value) {
  if (value.find_first_of(" '\"\\") == std::string_view::npos && !value.empty()) {
    return std::string(value);
  }
  std::string out = "\"";
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '"' || value[i] == '\\') {
      out += '\\';
    }
    // pip takes a blank and '#' for a comment even within quotes.
    const bool comment = value[i] == '#' && i > 0 && value[i - 1] == ' ';
    out += comment ? "\"\"" : "";
    out += value[i];
  }
  return out + "\"";
}

}  // namespace

std::string_view option_name(PipOption option) { return row_of(option).name; }

std::string canonical_option(PipOption option, std::string_view value) {
  const Row& row = row_of(option);
  return std::string(row.name) + (row.takes_value ? "=" + quote_word(value) : "");
}

Result<PipOptions> parse_pip_options(std::string_view line, std::size_t begin) {
  return OptionParser(line, TRY(WordSplitter(line, begin).split())).parse();
}

}  // namespace cloche::definition
