#include "definition/lint/dockerfile_view.h"

#include <algorithm>
#include <charconv>
#include <ranges>
#include <utility>

#include "core/text.h"

namespace cloche::definition {
namespace {

// Nobody writes more; a hostile file must not take more memory than it is worth.
constexpr std::size_t kMaxCommands = 20'000;
constexpr std::size_t kMaxParents = 32;

// Reads an instruction's lines out of the file again, this time with the place of every byte: the
// parser's own text has none. The rules are the parser's (docs/formats/dockerfile.md): a line that
// ends in the escape character and blanks goes on, comment and empty lines within are left out.
class InstructionText {
 public:
  InstructionText(const SourceFile& source, const Instruction& instruction, char escape)
      : source_(source), instruction_(instruction), escape_(escape) {}

  // After keyword and flags; next_line is then the first line of the heredocs.
  MappedText arguments() {
    MappedText all = logical_line();
    std::size_t begin = skip_word(all.text, 0);
    for (std::size_t i = 0; i < instruction_.flags.size(); ++i) {
      begin = skip_word(all.text, skip_blanks(all.text, begin));
    }
    begin = skip_blanks(all.text, begin);
    all.text.erase(0, begin);
    all.offsets.erase(all.offsets.begin(),
                      all.offsets.begin() + static_cast<std::ptrdiff_t>(begin));
    return all;
  }

  MappedText heredoc(const Heredoc& heredoc) {
    MappedText body;
    for (; line_ <= instruction_.last_line; ++line_) {
      std::string_view text = source_.line(line_);
      std::size_t tabs = 0;
      while (heredoc.strip_tabs && tabs < text.size() && text[tabs] == '\t') {
        ++tabs;
      }
      if (text.substr(tabs) == heredoc.name) {
        ++line_;
        break;
      }
      push(body, text, tabs, text.size());
      body.push('\n', source_.offset(line_, static_cast<int>(text.size()) + 1));
    }
    return body;
  }

 private:
  static std::size_t skip_blanks(std::string_view text, std::size_t i) {
    while (i < text.size() && is_blank(text[i])) {
      ++i;
    }
    return i;
  }
  static std::size_t skip_word(std::string_view text, std::size_t i) {
    while (i < text.size() && !is_blank(text[i])) {
      ++i;
    }
    return i;
  }

  void push(MappedText& out, std::string_view line, std::size_t begin, std::size_t end) const {
    const std::size_t start = source_.offset(line_, 1);
    for (std::size_t i = begin; i < end; ++i) {
      out.push(line[i], start + i);
    }
  }

  MappedText logical_line() {
    MappedText out;
    line_ = instruction_.at.line;
    std::size_t begin =
        instruction_.at.column > 0 ? static_cast<std::size_t>(instruction_.at.column) - 1 : 0;
    for (bool more = true; more && line_ <= instruction_.last_line; ++line_, begin = 0) {
      const std::string_view line = source_.line(line_);
      const std::string_view body = trim_right(line);
      if (line_ > instruction_.at.line && (trim_left(line).starts_with('#') || body.empty())) {
        continue;
      }
      more = body.ends_with(escape_) && !body.ends_with(std::string(2, escape_));
      push(out, line, std::min(begin, body.size()), more ? body.size() - 1 : body.size());
    }
    return out;
  }

  const SourceFile& source_;
  const Instruction& instruction_;
  char escape_;
  int line_ = 0;
};

bool is_shell_name(std::string_view word) {
  const std::string_view name = base_name(word);
  return name == "sh" || name == "bash" || name == "dash" || name == "ash";
}

bool understands(const std::vector<std::string>* shell) {
  return shell == nullptr || std::ranges::any_of(*shell, is_shell_name);
}

// `RUN <<EOF` and `RUN bash <<EOF`: the body is the script. The line itself is what is left.
bool is_script(const InstructionView& view, const MappedText& body) {
  const std::string_view line = view.text.text;
  const std::string_view before = trim(line.substr(0, line.find("<<")));
  const bool shebang = body.text.starts_with("#!");
  const std::string_view first = std::string_view(body.text).substr(0, body.text.find('\n'));
  return (before.empty() && (!shebang || first.find("sh") != std::string_view::npos)) ||
         is_shell_name(before.substr(0, before.find(' ')));
}

// The words of an exec form as one command; their places cannot be told apart in the file.
std::vector<ShellCommand> exec_command(const InstructionView& view, std::size_t limit) {
  std::string quoted;
  for (const std::string& arg : view.instruction->args) {
    quoted += "'";
    for (const char c : arg) {
      quoted += c == '\'' ? std::string("'\"'\"'") : std::string(1, c);
    }
    quoted += "' ";
  }
  return split_shell(MappedText::at(quoted, view.text.offset(0)), limit);
}

bool runs_commands(InstructionKind kind) {
  return kind == InstructionKind::kRun || kind == InstructionKind::kCmd ||
         kind == InstructionKind::kEntrypoint;
}

std::vector<ShellCommand> commands_of(const InstructionView& view, InstructionText& reader,
                                      std::size_t limit) {
  const Instruction& instruction = *view.instruction;
  if (instruction.exec_form) {
    return exec_command(view, limit);
  }
  if (!understands(view.shell)) {
    return {};
  }
  if (!instruction.heredocs.empty()) {
    const MappedText body = reader.heredoc(instruction.heredocs.front());
    if (is_script(view, body)) {
      return split_shell(body, limit);
    }
  }
  return split_shell(view.text, limit);
}

}  // namespace

DockerfileView::DockerfileView(const Dockerfile& dockerfile, const SourceFile& source,
                               FileSource& files, std::string directory)
    : dockerfile_(dockerfile), source_(source), files_(files), directory_(std::move(directory)) {
  const auto escape = dockerfile.directives.find("escape");
  if (escape != dockerfile.directives.end() && escape->second == "`") {
    escape_ = '`';
  }
  std::size_t budget = kMaxCommands;
  std::size_t stage = 0;
  instructions_.reserve(dockerfile.instructions.size());
  for (std::size_t i = 0; i < dockerfile.instructions.size(); ++i) {
    while (stage < dockerfile.stages.size() && i >= dockerfile.stages[stage].last) {
      ++stage;
    }
    const bool inside = stage < dockerfile.stages.size() && i >= dockerfile.stages[stage].first;
    add_instruction(dockerfile.instructions[i], i, inside ? stage : kNoStage, budget);
  }
  add_stages();
}

void DockerfileView::add_instruction(const Instruction& instruction, std::size_t index,
                                     std::size_t stage, std::size_t& budget) {
  InstructionView view;
  view.instruction = &instruction;
  view.index = index;
  view.stage = stage;
  view.begin = source_.offset(instruction.at.line, instruction.at.column);
  if (!instructions_.empty() && instruction.kind != InstructionKind::kFrom) {
    const InstructionView& before = instructions_.back();
    view.shell = before.instruction->kind == InstructionKind::kShell ? &before.instruction->args
                                                                     : before.shell;
  }
  InstructionText reader(source_, instruction, escape_);
  view.text = reader.arguments();
  if (runs_commands(instruction.kind) && budget > 0) {
    view.commands = commands_of(view, reader, budget);
    budget -= std::min(budget, view.commands.size());
    view.calls.reserve(view.commands.size());
    for (const ShellCommand& command : view.commands) {
      view.calls.push_back(call_of(command));
    }
  }
  instructions_.push_back(std::move(view));
}

void DockerfileView::add_stages() {
  const std::vector<std::string> images = stage_images(dockerfile_);
  for (std::size_t i = 0; i < dockerfile_.stages.size(); ++i) {
    StageView stage;
    stage.stage = &dockerfile_.stages[i];
    stage.index = i;
    const auto parent = names_.find(to_lower(stage.stage->image));
    if (parent != names_.end()) {
      stage.parent = parent->second;
      stage.base = stages_[parent->second].base;
    } else {
      stage.base = describe_image(i < images.size() ? images[i] : "");
    }
    for (std::size_t j = stage.stage->first + 1; j < stage.stage->last; ++j) {
      const InstructionView& view = instructions_[j];
      stage.instructions.push_back(&view);
      for (const auto& [name, value] : view.instruction->pairs) {
        if (view.instruction->kind != InstructionKind::kLabel) {
          stage.variables.emplace(name, j);
        }
      }
    }
    if (!stage.stage->name.empty()) {
      names_.emplace(stage.stage->name, i);
    }
    stages_.push_back(std::move(stage));
  }
  shipped_.resize(stages_.size());
  for (const StageView* one : lineage(final_stage())) {
    shipped_[one->index] = true;
  }
}

std::vector<const StageView*> DockerfileView::lineage(const StageView& stage) const {
  std::vector<const StageView*> line = {&stage};
  for (auto parent = stage.parent; parent && line.size() < kMaxParents;
       parent = line.back()->parent) {
    line.push_back(&stages_[*parent]);
  }
  return line;
}

bool DockerfileView::is_set(const StageView& stage, std::string_view variable,
                            std::size_t before) const {
  return std::ranges::any_of(lineage(stage), [&](const StageView* one) {
    const auto found = one->variables.find(variable);
    return found != one->variables.end() && found->second < before;
  });
}

const StageView* DockerfileView::stage_named(std::string_view name, std::size_t before) const {
  const std::string lower = to_lower(name);
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(lower.data(), lower.data() + lower.size(), number);
  if (error == std::errc() && end == lower.data() + lower.size()) {
    return number < std::min(before, stages_.size()) ? &stages_[number] : nullptr;
  }
  const auto found = names_.find(lower);
  return found != names_.end() && found->second < before ? &stages_[found->second] : nullptr;
}

const InstructionView* last_of(const DockerfileView& view, const StageView& stage,
                               InstructionKind kind) {
  for (const StageView* one : view.lineage(stage)) {
    for (const InstructionView* view_of_one : std::views::reverse(one->instructions)) {
      if (view_of_one->instruction->kind == kind) {
        return view_of_one;
      }
    }
  }
  return nullptr;
}

}  // namespace cloche::definition
