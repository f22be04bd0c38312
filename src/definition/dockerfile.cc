#include "definition/dockerfile.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/dockerfile/instructions.h"
#include "definition/dockerfile/logical_lines.h"
#include "definition/dockerfile/words.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxFileBytes = std::size_t{1} << 20U;
constexpr std::size_t kMaxInstructions = 10'000;  // an image has at most 127 layers
constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

std::vector<std::size_t> find_line_starts(std::string_view text) {
  std::vector<std::size_t> starts;
  for (std::size_t begin = 0; begin < text.size();) {
    starts.push_back(begin);
    const std::size_t end = text.find('\n', begin);
    begin = end == std::string_view::npos ? text.size() : end + 1;
  }
  return starts;
}

std::string_view first_word(std::string_view text) {
  text = trim_left(text);
  return text.substr(0, text.find_first_of(" \t\v\f\r"));
}

// Why a line starts with no instruction: what people get wrong most is the line before.
class UnknownInstruction {
 public:
  UnknownInstruction(const LogicalLine& line, const Instruction* previous, const LineReader& reader)
      : line_(line), previous_(previous), reader_(reader), word_(first_word(line.text)) {
    if (instruction_kind(word_)) {  // ONBUILD, and it is its instruction that is unknown
      word_ = first_word(trim_left(line.text).substr(word_.size()));
    }
  }

  std::string hint() const {
    if (word_.starts_with("<<<<<<<") || word_.starts_with("=======") ||
        word_.starts_with(">>>>>>>")) {
      return "a merge conflict was left in the file";
    }
    if (line_.text.contains("\xc2\xa0")) {
      return "there is a no-break space (U+00A0) in this line; write a plain blank";
    }
    const std::string_view near = nearest_keyword(word_);
    if (previous_ != nullptr && (near.empty() || looks_continued())) {
      return lost_continuation();
    }
    if (!near.empty()) {
      return fmt::format("did you mean {}?", near);
    }
    return "a line starts with an instruction: FROM, RUN, COPY, ENV, ...";
  }

 private:
  // Shell operators, options and indented lower-case words are the middle of a command.
  bool looks_continued() const {
    constexpr std::string_view kOperators = "&|;-)}\"'>";
    if (kOperators.contains(word_.front())) {
      return true;
    }
    const bool indented = line_.pieces.front().column > 1;
    return indented && to_lower(word_) == word_;
  }

  std::string lost_continuation() const {
    const int number = previous_->last_line;
    const std::string_view line = reader_.line(number);
    const std::string_view keyword = to_string(previous_->kind);
    const std::size_t mark = line.rfind(reader_.escape());
    if (mark != std::string_view::npos && trim_left(line.substr(mark + 1)).starts_with('#')) {
      return fmt::format(
          "{} ended on line {}: a comment stands after its {}; give the comment a line of its own",
          keyword, number, reader_.escape());
    }
    return fmt::format("line {} probably lost the {} at its end, so its {} ended there", number,
                       reader_.escape(), keyword);
  }

  const LogicalLine& line_;
  const Instruction* previous_;
  const LineReader& reader_;
  std::string_view word_;
};

class Parser {
 public:
  Parser(LineReader& reader, Diagnostics& diagnostics, Dockerfile& out)
      : reader_(reader), diagnostics_(diagnostics), out_(out) {}

  Status parse() {
    out_.directives = TRY(reader_.read_directives());
    while (auto line = TRY(reader_.next())) {
      TRY(add(*line));
    }
    if (out_.stages.empty()) {
      const bool empty = out_.instructions.empty();
      return reader_
          .error({reader_.file(), reader_.last_line(), 0},
                 empty ? "there is no instruction" : "there is no FROM")
          .with_hint("start with FROM and an image: FROM python:3.12-slim");
    }
    return {};
  }

 private:
  Status add(const LogicalLine& line) {
    InstructionReader instruction_reader(reader_, line, diagnostics_);
    auto read = instruction_reader.read();
    if (!read.has_value()) {
      return explained(std::move(read).error(), line);
    }
    Instruction instruction = *std::move(read);
    if (out_.stages.empty() && instruction.kind != InstructionKind::kFrom &&
        instruction.kind != InstructionKind::kArg) {
      return reader_
          .error(instruction.at,
                 fmt::format("{} stands before the first FROM", to_string(instruction.kind)))
          .with_hint("only ARG may stand before FROM");
    }
    if (out_.instructions.size() == kMaxInstructions) {
      return reader_.error(instruction.at, fmt::format("over {} instructions", kMaxInstructions));
    }
    if (line.empty_line != 0) {
      warn_empty_line(line.empty_line);
    }
    TRY(read_heredocs(line, instruction));
    append(std::move(instruction));
    return {};
  }

  Error explained(Error error, const LogicalLine& line) const {
    if (error.hint.empty() && error.message.starts_with("unknown instruction")) {
      const Instruction* previous = out_.instructions.empty() ? nullptr : &out_.instructions.back();
      return std::move(error).with_hint(UnknownInstruction(line, previous, reader_).hint());
    }
    return error;
  }

  void warn_empty_line(int number) {
    Diagnostic diagnostic;
    diagnostic.rule = "dockerfile-empty-continuation";
    diagnostic.message = "a blank line inside a continued instruction";
    diagnostic.hint = "remove it, or make it a comment: docker will refuse it one day";
    diagnostic.at = {reader_.file(), number, 1};
    diagnostics_.add(std::move(diagnostic));
  }

  Status read_heredocs(const LogicalLine& line, Instruction& instruction) {
    Instruction& owner = instruction.onbuild.empty() ? instruction : instruction.onbuild.front();
    const bool can = owner.kind == InstructionKind::kRun || owner.kind == InstructionKind::kCopy ||
                     owner.kind == InstructionKind::kAdd;
    if (!can || owner.exec_form) {
      return {};
    }
    for (HeredocOpener& opener : find_heredocs(line.text)) {
      Heredoc heredoc;
      heredoc.at = reader_.location(line, opener.offset);
      heredoc.body = TRY(reader_.heredoc_body(opener.name, opener.strip_tabs, heredoc.at));
      heredoc.name = std::move(opener.name);
      heredoc.expand = opener.expand;
      heredoc.strip_tabs = opener.strip_tabs;
      heredoc.fd = opener.fd;
      owner.heredocs.push_back(std::move(heredoc));
      owner.last_line = reader_.last_line();
    }
    instruction.last_line = owner.last_line;
    return {};
  }

  void append(Instruction instruction) {
    if (instruction.kind == InstructionKind::kFrom) {
      out_.stages.push_back({.name = instruction.stage_name,
                             .image = instruction.image,
                             .first = out_.instructions.size(),
                             .last = 0});
    }
    out_.instructions.push_back(std::move(instruction));
    if (!out_.stages.empty()) {
      out_.stages.back().last = out_.instructions.size();
    }
  }

  LineReader& reader_;
  Diagnostics& diagnostics_;
  Dockerfile& out_;
};

}  // namespace

const InstructionFlag* Instruction::flag(std::string_view name) const {
  const auto found = std::ranges::find(flags, name, &InstructionFlag::name);
  return found == flags.end() ? nullptr : &*found;
}

std::string_view Dockerfile::line(int number) const {
  const auto index = static_cast<std::size_t>(number) - 1;
  if (number < 1 || index >= line_starts.size()) {
    return {};
  }
  const std::string_view all = text;
  const std::size_t begin = line_starts[index];
  const std::size_t end = index + 1 < line_starts.size() ? line_starts[index + 1] : all.size();
  std::string_view line = all.substr(begin, end - begin);
  while (line.ends_with('\n') || line.ends_with('\r')) {
    line.remove_suffix(1);
  }
  return line;
}

Result<Dockerfile> parse_dockerfile(std::string_view text, const std::string& file,
                                    Diagnostics& diagnostics) {
  if (text.starts_with(kByteOrderMark)) {
    text.remove_prefix(kByteOrderMark.size());
  }
  if (text.size() > kMaxFileBytes) {
    return fail(ErrorKind::kInvalid, "a Dockerfile of over 1 MiB").with_location({file, 0, 0});
  }
  Dockerfile out;
  out.text = text;
  out.line_starts = find_line_starts(out.text);
  std::vector<std::string_view> lines;
  for (std::size_t i = 1; i <= out.line_starts.size(); ++i) {
    lines.push_back(out.line(static_cast<int>(i)));
  }
  LineReader reader(lines, file);
  TRY(Parser(reader, diagnostics, out).parse());
  return out;
}

}  // namespace cloche::definition
