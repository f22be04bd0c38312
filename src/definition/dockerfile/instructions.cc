#include "definition/dockerfile/instructions.h"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/dockerfile/words.h"

namespace cloche::definition {
namespace {

// Indexed by InstructionKind.
constexpr std::array<std::string_view, 18> kKeywords = {
    "ADD",    "ARG",   "CMD",         "COPY",  "ENTRYPOINT", "ENV",
    "EXPOSE", "FROM",  "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN",    "SHELL", "STOPSIGNAL",  "USER",  "VOLUME",     "WORKDIR",
};

enum class FlagKind { kValue, kSwitch, kMany };

struct FlagRule {
  std::string_view name;
  FlagKind kind = FlagKind::kValue;
};

constexpr std::array kNoFlags = std::array<FlagRule, 0>{};
constexpr std::array kAddFlags = std::to_array<FlagRule>({
    {"checksum", FlagKind::kValue},
    {"chmod", FlagKind::kValue},
    {"chown", FlagKind::kValue},
    {"exclude", FlagKind::kMany},
    {"keep-git-dir", FlagKind::kSwitch},
    {"link", FlagKind::kSwitch},
    {"unpack", FlagKind::kSwitch},
});
constexpr std::array kCopyFlags = std::to_array<FlagRule>({
    {"chmod", FlagKind::kValue},
    {"chown", FlagKind::kValue},
    {"exclude", FlagKind::kMany},
    {"from", FlagKind::kValue},
    {"link", FlagKind::kSwitch},
    {"parents", FlagKind::kSwitch},
});
constexpr std::array kFromFlags = std::to_array<FlagRule>({{"platform", FlagKind::kValue}});
constexpr std::array kHealthcheckFlags = std::to_array<FlagRule>({
    {"interval", FlagKind::kValue},
    {"retries", FlagKind::kValue},
    {"start-interval", FlagKind::kValue},
    {"start-period", FlagKind::kValue},
    {"timeout", FlagKind::kValue},
});
constexpr std::array kRunFlags = std::to_array<FlagRule>({
    {"device", FlagKind::kMany},
    {"mount", FlagKind::kMany},
    {"network", FlagKind::kValue},
    {"security", FlagKind::kValue},
});

const FlagRule* find_flag(std::span<const FlagRule> rules, std::string_view name) {
  const auto found = std::ranges::find(rules, name, &FlagRule::name);
  return found == rules.end() ? nullptr : &*found;
}

std::string flag_hint(std::string_view keyword, std::span<const FlagRule> rules,
                      std::string_view name) {
  if (rules.empty()) {
    return fmt::format(
        "{} takes no flags; a command that starts with -- needs the exec form, [...]", keyword);
  }
  std::vector<std::string_view> names;
  for (const FlagRule& rule : rules) {
    names.push_back(rule.name);
  }
  const std::string_view near = nearest(name, names);
  if (!near.empty()) {
    return fmt::format("did you mean --{}?", near);
  }
  return fmt::format("{} takes --{}", keyword, fmt::join(names, ", --"));
}

// BuildKit: ^[a-z][a-z0-9-_.]*$ after lower-casing.
bool is_stage_name(std::string_view name) {
  const auto letter = [](char c) { return c >= 'a' && c <= 'z'; };
  return !name.empty() && letter(name.front()) && std::ranges::all_of(name, [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

struct InstructionReader::Rule {
  InstructionKind kind;
  std::span<const FlagRule> flags;
  std::string_view needs;  // what is missing when there is no text; "" when nothing is
  Status (InstructionReader::*read)(Instruction&, std::size_t);
};

const InstructionReader::Rule& InstructionReader::rule_of(InstructionKind kind) {
  using enum InstructionKind;
  using Reader = InstructionReader;
  static constexpr std::array<Rule, 18> kRules = {{
      {kAdd, kAddFlags, "a source and a destination", &Reader::read_copy},
      {kArg, kNoFlags, "a name", &Reader::read_arg},
      {kCmd, kNoFlags, "", &Reader::read_command},
      {kCopy, kCopyFlags, "a source and a destination", &Reader::read_copy},
      {kEntrypoint, kNoFlags, "", &Reader::read_command},
      {kEnv, kNoFlags, "name=value", &Reader::read_pairs},
      {kExpose, kNoFlags, "a port", &Reader::read_words},
      {kFrom, kFromFlags, "an image", &Reader::read_from},
      {kHealthcheck, kHealthcheckFlags, "NONE or CMD", &Reader::read_healthcheck},
      {kLabel, kNoFlags, "name=value", &Reader::read_pairs},
      {kMaintainer, kNoFlags, "a name", &Reader::read_text},
      {kOnbuild, kNoFlags, "an instruction", &Reader::read_onbuild},
      {kRun, kRunFlags, "a command", &Reader::read_command},
      {kShell, kNoFlags, "a JSON array", &Reader::read_shell},
      {kStopsignal, kNoFlags, "a signal", &Reader::read_text},
      {kUser, kNoFlags, "a user", &Reader::read_text},
      {kVolume, kNoFlags, "a path", &Reader::read_volume},
      {kWorkdir, kNoFlags, "a path", &Reader::read_text},
  }};
  return kRules.at(static_cast<std::size_t>(kind));
}

std::string_view to_string(InstructionKind kind) {
  return kKeywords.at(static_cast<std::size_t>(kind));
}

std::optional<InstructionKind> instruction_kind(std::string_view keyword) {
  constexpr std::size_t kLongest = 11;
  if (keyword.size() > kLongest) {
    return std::nullopt;
  }
  const std::string upper = to_upper(keyword);
  for (std::size_t i = 0; i < kKeywords.size(); ++i) {
    if (kKeywords.at(i) == upper) {
      return static_cast<InstructionKind>(i);
    }
  }
  return std::nullopt;
}

std::string_view nearest_keyword(std::string_view word) { return nearest(word, kKeywords); }

Error InstructionReader::error(std::size_t offset, std::string message) const {
  return reader_.error(reader_.location(line_, offset), std::move(message));
}

void InstructionReader::warn(std::string rule, std::size_t offset, std::string message,
                             std::string hint) {
  Diagnostic diagnostic;
  diagnostic.rule = std::move(rule);
  diagnostic.message = std::move(message);
  diagnostic.hint = std::move(hint);
  diagnostic.at = reader_.location(line_, offset);
  diagnostic.excerpt = reader_.line(diagnostic.at.line);
  diagnostics_.add(std::move(diagnostic));
}

std::string_view InstructionReader::text_from(std::size_t rest) const {
  return trim_right(std::string_view(line_.text).substr(rest));
}

Result<Instruction> InstructionReader::read(std::size_t begin) {
  const std::vector<Word> words = split_blanks(text_from(begin));
  const std::size_t keyword_at = begin + words.front().offset;
  const auto kind = instruction_kind(words.front().text);
  if (!kind) {
    return error(keyword_at, fmt::format("unknown instruction {}",
                                         printable(words.front().text.substr(0, 40))));
  }
  Instruction out;
  out.kind = *kind;
  out.at = reader_.location(line_, keyword_at);
  out.last_line = line_.last_line;
  out.escape = reader_.escape();
  std::size_t rest = keyword_at + words.front().text.size();
  TRY(read_flags(out, rest, rest));
  out.rest = text_from(rest);
  const Rule& rule = rule_of(*kind);
  if (out.rest.empty() && !rule.needs.empty()) {
    return error(keyword_at, fmt::format("{} needs {}", to_string(*kind), rule.needs));
  }
  TRY((this->*rule.read)(out, rest));
  return out;
}

Status InstructionReader::read_flags(Instruction& instruction, std::size_t begin,
                                     std::size_t& rest) {
  const std::span<const FlagRule> rules = rule_of(instruction.kind).flags;
  const std::string_view keyword = to_string(instruction.kind);
  RawFlags raw = split_flags(std::string_view(line_.text).substr(begin));
  if (raw.open_quote) {
    return error(begin + *raw.open_quote, "the quote in this flag is never closed");
  }
  for (RawFlag& one : raw.flags) {
    const std::size_t at = begin + one.offset;
    const std::size_t equals = one.text.find('=');
    InstructionFlag flag{.name = one.text.substr(2, equals - 2),
                         .value = std::nullopt,
                         .at = reader_.location(line_, at)};
    const FlagRule* rule = find_flag(rules, flag.name);
    if (rule == nullptr) {
      return error(at,
                   fmt::format("{} has no flag --{}", keyword, printable(flag.name.substr(0, 40))))
          .with_hint(flag_hint(keyword, rules, flag.name));
    }
    if (equals != std::string::npos) {
      flag.value = one.text.substr(equals + 1);
    }
    const bool is_switch = rule->kind == FlagKind::kSwitch;
    if (!is_switch && !flag.value) {
      return error(at, fmt::format("--{} needs a value", flag.name))
          .with_hint(fmt::format("write --{}=VALUE, without a blank", flag.name));
    }
    if (is_switch && flag.value && *flag.value != "true" && *flag.value != "false") {
      return error(at, fmt::format("--{} is true or false", flag.name));
    }
    if (rule->kind != FlagKind::kMany && instruction.flag(flag.name) != nullptr) {
      return error(at, fmt::format("--{} is given twice", flag.name));
    }
    instruction.flags.push_back(std::move(flag));
  }
  rest = begin + raw.rest;
  return {};
}

// Exec form, if the text is a JSON array of strings.
Result<bool> InstructionReader::read_array(Instruction& instruction, std::size_t rest) {
  const std::string_view text = text_from(rest);
  const ArrayForm form = parse_string_array(text, instruction.args);
  if (form == ArrayForm::kNotStrings) {
    return error(rest, "an array here may hold strings only")
        .with_hint("put every item into double quotes");
  }
  if (form == ArrayForm::kNone && looks_like_array(text)) {
    warn("dockerfile-broken-array", rest,
         fmt::format("{} looks like a JSON array but is none, so it is read as plain text",
                     to_string(instruction.kind)),
         "JSON wants double quotes, commas between items and \\\\ for a backslash");
  }
  instruction.exec_form = form == ArrayForm::kStrings;
  return instruction.exec_form;
}

Status InstructionReader::read_command(Instruction& instruction, std::size_t rest) {
  TRY(read_array(instruction, rest));
  if (instruction.exec_form && instruction.args.empty() &&
      instruction.kind == InstructionKind::kRun) {
    return error(rest, "RUN needs a command, and this array is empty");
  }
  return {};
}

Status InstructionReader::read_list(Instruction& instruction, std::size_t rest) {
  return TRY(read_array(instruction, rest)) ? Status() : read_words(instruction, rest);
}

Status InstructionReader::read_words(Instruction& instruction, std::size_t rest) {
  for (const Word& word : split_blanks(text_from(rest))) {
    instruction.args.emplace_back(word.text);
  }
  return {};
}

Status InstructionReader::read_shell(Instruction& instruction, std::size_t rest) {
  if (!TRY(read_array(instruction, rest)) || instruction.args.empty()) {
    return error(rest, "SHELL needs a JSON array").with_hint(R"(SHELL ["/bin/bash", "-c"])");
  }
  return {};
}

Status InstructionReader::read_copy(Instruction& instruction, std::size_t rest) {
  TRY(read_list(instruction, rest));
  if (instruction.args.size() < 2) {
    return error(rest,
                 fmt::format("{} needs a source and a destination", to_string(instruction.kind)));
  }
  return {};
}

Status InstructionReader::read_volume(Instruction& instruction, std::size_t rest) {
  TRY(read_list(instruction, rest));
  if (instruction.args.empty() || std::ranges::any_of(instruction.args, &std::string::empty)) {
    return error(rest, "VOLUME needs a path, and this one is empty");
  }
  return {};
}

Status InstructionReader::read_from(Instruction& instruction, std::size_t rest) {
  const std::vector<Word> words = split_blanks(text_from(rest));
  TRY(read_words(instruction, rest));
  instruction.image = words.front().text;
  if (words.size() == 1) {
    return {};
  }
  if (words.size() != 3 || to_lower(words[1].text) != "as") {
    return error(rest + words[1].offset, "FROM takes an image, or an image, AS and a name")
        .with_hint(words[1].text.starts_with('#') ? "a comment needs a line of its own"
                                                  : "FROM python:3.12-slim AS builder");
  }
  instruction.stage_name = to_lower(words[2].text);
  if (!is_stage_name(instruction.stage_name)) {
    return error(rest + words[2].offset, "this is no name for a stage")
        .with_hint("a letter first, then letters, digits and - _ .");
  }
  return {};
}

Status InstructionReader::check_quotes(std::size_t rest) {
  if (const auto open = find_open_quote(text_from(rest), reader_.escape())) {
    return error(rest + *open, "this quote is never closed")
        .with_hint(fmt::format("close it, or write {} before it", reader_.escape()));
  }
  return {};
}

Status InstructionReader::read_pairs(Instruction& instruction, std::size_t rest) {
  TRY(check_quotes(rest));
  const std::vector<Word> words = split_quoted(text_from(rest), reader_.escape());
  if (words.empty() || !words.front().text.contains('=')) {
    return read_legacy_pair(instruction, rest);
  }
  const std::string_view keyword = to_string(instruction.kind);
  for (const Word& word : words) {
    const std::size_t equals = word.text.find('=');
    if (equals == std::string_view::npos) {
      return error(rest + word.offset,
                   fmt::format("{} needs name=value, and here is no =", keyword))
          .with_hint("put a value that holds blanks into quotes");
    }
    if (equals == 0) {
      return error(rest + word.offset, fmt::format("{} needs a name before the =", keyword));
    }
    instruction.pairs.emplace_back(word.text.substr(0, equals), word.text.substr(equals + 1));
  }
  return {};
}

Status InstructionReader::read_legacy_pair(Instruction& instruction, std::size_t rest) {
  const std::string_view text = text_from(rest);
  const std::vector<Word> words = split_blanks(text);
  const std::string_view keyword = to_string(instruction.kind);
  if (words.size() < 2) {
    return error(rest, fmt::format("{} needs a name and a value", keyword))
        .with_hint(
            fmt::format("{} {}=value", keyword, printable(words.front().text.substr(0, 40))));
  }
  instruction.legacy_pair = true;
  instruction.pairs.emplace_back(words[0].text, text.substr(words[1].offset));
  warn("dockerfile-legacy-pair", rest,
       fmt::format("{} name value is the old form, which takes one pair and all that follows",
                   keyword),
       fmt::format("write {} name=value", keyword));
  return {};
}

Status InstructionReader::read_arg(Instruction& instruction, std::size_t rest) {
  TRY(check_quotes(rest));
  for (const Word& word : split_quoted(text_from(rest), reader_.escape())) {
    const std::size_t equals = word.text.find('=');
    if (equals == 0) {
      return error(rest + word.offset, "ARG needs a name before the =");
    }
    std::optional<std::string> value;
    if (equals != std::string_view::npos) {
      value = word.text.substr(equals + 1);
    }
    instruction.pairs.emplace_back(word.text.substr(0, equals), std::move(value));
  }
  return {};
}

Status InstructionReader::read_text(Instruction& instruction, std::size_t rest) {
  if (instruction.kind == InstructionKind::kMaintainer) {
    warn("dockerfile-maintainer", rest, "MAINTAINER is deprecated",
         "write LABEL org.opencontainers.image.authors=...");
  }
  return {};
}

Status InstructionReader::read_healthcheck(Instruction& instruction, std::size_t rest) {
  const std::vector<Word> words = split_blanks(text_from(rest));
  const std::string type = to_upper(words.front().text);
  if (type == "NONE") {
    return words.size() == 1 ? Status()
                             : error(rest + words[1].offset, "HEALTHCHECK NONE takes nothing more");
  }
  if (type != "CMD") {
    return error(rest, "HEALTHCHECK takes NONE or CMD").with_hint("HEALTHCHECK CMD curl ...");
  }
  if (words.size() == 1) {
    return error(rest, "HEALTHCHECK CMD needs a command");
  }
  const std::size_t command = rest + words[1].offset;
  if (!TRY(read_array(instruction, command))) {
    instruction.args.emplace_back(text_from(command));
  }
  return {};
}

Status InstructionReader::read_onbuild(Instruction& instruction, std::size_t rest) {
  // Checked before reading it, so that a long row of ONBUILDs is no deep recursion.
  const auto kind = instruction_kind(split_blanks(text_from(rest)).front().text);
  if (kind == InstructionKind::kOnbuild || kind == InstructionKind::kFrom ||
      kind == InstructionKind::kMaintainer) {
    return error(rest, fmt::format("ONBUILD cannot hold {}", to_string(*kind)));
  }
  instruction.onbuild.push_back(TRY(read(rest)));
  return {};
}

}  // namespace cloche::definition
