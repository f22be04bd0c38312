#include "definition/lint/shell_words.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/ascii.h"
#include "core/files.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr int kMaxScripts = 64;  // `sh -c` texts in one script; they cannot nest deeper than that

bool is_name_start(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }

bool is_assignment(const ShellWord& word) {
  const std::size_t equals = word.text.find('=');
  return equals != std::string::npos && equals > 0 && is_name_start(word.text[0]) &&
         std::ranges::all_of(word.text.substr(0, equals),
                             [](char c) { return is_name_start(c) || is_digit(c); });
}

// Keywords that a command may follow at once, or that end a compound command: separators to us.
bool is_keyword(const ShellWord& word) {
  static constexpr std::array<std::string_view, 14> kKeywords = {
      "if", "then", "elif", "else", "fi", "while", "until",
      "do", "done", "esac", "{",    "}",  "!",     "time"};
  return !word.quoted && std::ranges::find(kKeywords, word.text) != kKeywords.end();
}

class Splitter {
 public:
  Splitter(const MappedText& script, std::size_t number, std::size_t limit,
           std::vector<ShellCommand>& out)
      : script_(script), text_(script.text), number_(number), limit_(limit), out_(out) {}

  // Reads one command; false at the end.
  bool next() {
    ShellCommand command;
    command.script = number_;
    while (pos_ < text_.size() && out_.size() < limit_) {
      if (skip_blanks_and_comments()) {
        continue;
      }
      if (read_operator(command)) {
        if (finish(command)) {
          return true;
        }
        continue;
      }
      if (!read_redirection(command)) {
        add_word(command, read_word());
      }
    }
    return finish(command);
  }

 private:
  char at(std::size_t i) const { return i < text_.size() ? text_[i] : '\0'; }

  bool skip_blanks_and_comments() {
    const std::size_t before = pos_;
    while (pos_ < text_.size() && text_[pos_] != '\n' && is_blank(text_[pos_])) {
      ++pos_;
    }
    if (at(pos_) == '\\' && at(pos_ + 1) == '\n') {
      pos_ += 2;
    } else if (at(pos_) == '#') {
      pos_ = std::min(text_.find('\n', pos_), text_.size());
    }
    return pos_ != before;
  }

  bool read_operator(ShellCommand& command) {
    struct Operator {
      std::string_view text;
      ShellOperator meaning;
    };
    static constexpr std::array<Operator, 12> kOperators = {{
        {"&&", ShellOperator::kAnd},
        {"||", ShellOperator::kOr},
        {"|&", ShellOperator::kPipe},
        {";;", ShellOperator::kSequence},
        {"|", ShellOperator::kPipe},
        {";", ShellOperator::kSequence},
        {"\n", ShellOperator::kSequence},
        {"(", ShellOperator::kSequence},
        {")", ShellOperator::kSequence},
        {"&>", ShellOperator::kEnd},  // a redirection, told apart from '&'
        {"&", ShellOperator::kBackground},
        {"", ShellOperator::kEnd},
    }};
    const std::string_view rest = std::string_view(text_).substr(pos_);
    for (const Operator& one : kOperators) {
      if (!one.text.empty() && rest.starts_with(one.text)) {
        if (one.meaning == ShellOperator::kEnd) {
          return false;
        }
        pos_ += one.text.size();
        command.next = one.meaning;
        return true;
      }
    }
    return false;
  }

  // [n]>file, >>file, >&n, &>file, <file, <<<word; here-documents are the Dockerfile parser's.
  bool read_redirection(ShellCommand& command) {
    std::size_t i = pos_;
    while (is_digit(at(i))) {
      ++i;
    }
    i += at(i) == '&' && at(i + 1) == '>' ? 1 : 0;
    if (at(i) != '>' && at(i) != '<') {
      return false;
    }
    const bool input = at(i) == '<';
    while (at(i) == '>' || at(i) == '<' || at(i) == '&' || at(i) == '|' || at(i) == '-') {
      ++i;
    }
    const bool output = !input && at(i - 1) != '&';  // 2>&1 names no file
    pos_ = i;
    while (at(pos_) == ' ' || at(pos_) == '\t') {
      ++pos_;
    }
    ShellWord target = read_word();
    if (output && target.end > target.begin) {
      command.outputs.push_back(std::move(target));
    }
    return true;
  }

  ShellWord read_word() {
    ShellWord word;
    const std::size_t begin = pos_;
    while (pos_ < text_.size() && !ends_word(text_[pos_])) {
      read_piece(word);
    }
    word.begin = script_.offset(begin);
    word.end = pos_ > begin ? script_.offset(pos_ - 1) + 1 : word.begin;
    return word;
  }

  static bool ends_word(char c) {
    return is_blank(c) || c == ';' || c == '&' || c == '|' || c == '<' || c == '>' || c == '(' ||
           c == ')';
  }

  void read_piece(ShellWord& word) {
    const char c = text_[pos_];
    if (c == '\'') {
      read_single_quotes(word);
    } else if (c == '"') {
      read_double_quotes(word);
    } else if (c == '\\') {
      pos_ += 1;
      if (pos_ < text_.size()) {
        if (text_[pos_] != '\n') {
          word.text.push_back(text_[pos_]);
        }
        ++pos_;
      }
    } else if (c == '$' || c == '`') {
      read_expansion(word);
    } else {
      word.text.push_back(c);
      ++pos_;
    }
  }

  void read_single_quotes(ShellWord& word) {
    word.quoted = true;
    const std::size_t end = std::min(text_.find('\'', pos_ + 1), text_.size());
    word.text.append(text_, pos_ + 1, end - pos_ - 1);
    pos_ = std::min(end + 1, text_.size());
  }

  void read_double_quotes(ShellWord& word) {
    word.quoted = true;
    ++pos_;
    while (pos_ < text_.size() && text_[pos_] != '"') {
      const char c = text_[pos_];
      if (c == '\\' && pos_ + 1 < text_.size()) {
        const char next = text_[pos_ + 1];
        if (next != '"' && next != '\\' && next != '$' && next != '`' && next != '\n') {
          word.text.push_back('\\');
        }
        if (next != '\n') {
          word.text.push_back(next);
        }
        pos_ += 2;
      } else if (c == '$' || c == '`') {
        read_expansion(word);
      } else {
        word.text.push_back(c);
        ++pos_;
      }
    }
    pos_ = std::min(pos_ + 1, text_.size());
  }

  // $(...), ${...}, `...` as they are written; a lone $ is itself.
  void read_expansion(ShellWord& word) {
    const std::size_t begin = pos_;
    if (text_[pos_] == '`') {
      pos_ = std::min(text_.find('`', pos_ + 1), text_.size() - 1) + 1;
    } else if (at(pos_ + 1) == '(') {
      skip_balanced('(', ')');
    } else if (at(pos_ + 1) == '{') {
      skip_balanced('{', '}');
    } else {
      ++pos_;
    }
    word.dynamic = true;
    word.text.append(text_, begin, pos_ - begin);
  }

  void skip_balanced(char open, char close) {
    std::size_t depth = 0;
    for (++pos_; pos_ < text_.size(); ++pos_) {
      const char c = text_[pos_];
      if (c == '\\') {
        ++pos_;
      } else if (c == '\'' && open == '(') {
        pos_ = std::min(text_.find('\'', pos_ + 1), text_.size());
      } else if (c == open) {
        ++depth;
      } else if (c == close && --depth == 0) {
        ++pos_;
        break;
      }
    }
    pos_ = std::min(pos_, text_.size());
  }

  static void add_word(ShellCommand& command, ShellWord word) {
    if (command.words.empty() && is_keyword(word)) {
      return;
    }
    if (command.words.empty() && is_assignment(word)) {
      command.assignments.push_back(std::move(word));
    } else {
      command.words.push_back(std::move(word));
    }
  }

  bool finish(ShellCommand& command) {
    if (command.words.empty() && command.assignments.empty()) {
      command = {};
      command.script = number_;
      return false;
    }
    out_.push_back(std::move(command));
    return true;
  }

  const MappedText& script_;
  const std::string& text_;
  std::size_t number_;
  std::size_t limit_;
  std::vector<ShellCommand>& out_;
  std::size_t pos_ = 0;
};

bool is_shell(std::string_view program) {
  static constexpr std::array<std::string_view, 5> kShells = {"sh", "bash", "dash", "ash", "zsh"};
  return std::ranges::find(kShells, program) != kShells.end();
}

// The word after the -c of `bash -lc '...'`; nullptr when there is none.
const ShellWord* script_word(const ShellCommand& command) {
  const Call call = call_of(command);
  if (!is_shell(call.program)) {
    return nullptr;
  }
  for (std::size_t i = 0; i + 1 < call.args.size(); ++i) {
    const std::string& option = call.args[i].text;
    if (option.size() < 2 || option[0] != '-') {
      return nullptr;
    }
    if (option[1] != '-' && option.back() == 'c') {
      return &call.args[i + 1];
    }
  }
  return nullptr;
}

// The inner text with places: exact where the quotes hold it unchanged, else all at its beginning.
MappedText inner_script(const MappedText& script, const ShellWord& word) {
  const auto first = std::ranges::find(script.offsets, static_cast<std::uint32_t>(word.begin));
  const auto start = static_cast<std::size_t>(first - script.offsets.begin()) + 1;
  if (script.text.substr(std::min(start, script.text.size()), word.text.size()) == word.text) {
    MappedText inner;
    inner.text = word.text;
    inner.offsets.assign(
        script.offsets.begin() + static_cast<std::ptrdiff_t>(start),
        script.offsets.begin() + static_cast<std::ptrdiff_t>(start + word.text.size()));
    return inner;
  }
  return MappedText::at(word.text, word.begin);
}

}  // namespace

std::vector<ShellCommand> split_shell(const MappedText& script, std::size_t limit) {
  std::vector<ShellCommand> commands;
  Splitter splitter(script, 0, limit, commands);
  int scripts = 0;
  while (splitter.next()) {
    const ShellWord* inner = scripts < kMaxScripts ? script_word(commands.back()) : nullptr;
    if (inner != nullptr) {
      ++scripts;
      const MappedText text = inner_script(script, *inner);
      Splitter nested(text, static_cast<std::size_t>(scripts), limit, commands);
      while (nested.next()) {
      }
    }
  }
  return commands;
}

namespace {

using Words = std::span<const ShellWord>;

// Drops leading options and the values of those in `valued`.
Words after_options(Words words, std::initializer_list<std::string_view> valued) {
  while (!words.empty() && words[0].text.starts_with('-')) {
    const bool takes_value = std::ranges::find(valued, words[0].text) != valued.end();
    words = words.subspan(std::min<std::size_t>(takes_value ? 2 : 1, words.size()));
  }
  return words;
}

// "python3.11" is "python", "pip3" is "pip"; other names stay.
std::string plain_program(std::string_view name) {
  for (const std::string_view stem : {"python", "pip"}) {
    if (name.starts_with(stem) && std::ranges::all_of(name.substr(stem.size()), [](char c) {
          return is_digit(c) || c == '.';
        })) {
      return std::string(stem);
    }
  }
  return std::string(name);
}

// One step from a wrapper to what it runs; false when `call` is no wrapper.
bool unwrap(Call& call) {
  Words rest;
  if (call.program == "sudo") {
    call.sudo = true;
    rest = after_options(call.args, {"-u", "-g", "-h", "-p"});
  } else if (call.program == "env") {
    rest = after_options(call.args, {"-u", "-C", "-S"});
    while (!rest.empty() && is_assignment(rest[0])) {
      rest = rest.subspan(1);
    }
  } else if (call.program == "exec" || call.program == "command" || call.program == "nohup" ||
             call.program == "eatmydata") {
    rest = after_options(call.args, {});
  } else if ((call.program == "conda" || call.program == "mamba" || call.program == "micromamba") &&
             call.verb() == "run") {
    call.conda_run = true;
    const auto verb = static_cast<std::size_t>(call.verb_word() - call.args.data());
    rest = after_options(call.args.subspan(verb + 1), {"-n", "--name", "-p", "--prefix", "--cwd"});
  } else if (call.program == "python" && call.args.size() > 1 && call.args[0].text == "-m") {
    call.program = plain_program(call.args[1].text);
    call.args = call.args.subspan(2);
    return false;
  } else {
    return false;
  }
  if (rest.empty()) {
    return false;
  }
  call.word = rest.data();
  call.path = rest[0].text;
  call.program = plain_program(base_name(call.path));
  call.args = rest.subspan(1);
  return true;
}

}  // namespace

Call call_of(const ShellCommand& command) {
  Call call;
  call.command = &command;
  if (command.words.empty()) {
    return call;
  }
  call.word = command.words.data();
  call.path = call.word->text;
  call.program = plain_program(base_name(call.path));
  call.args = Words(command.words).subspan(1);
  for (int wrappers = 0; wrappers < 8 && unwrap(call); ++wrappers) {
  }
  return call;
}

const ShellWord* Call::verb_word() const {
  const auto found =
      std::ranges::find_if(args, [](const ShellWord& arg) { return !arg.text.starts_with('-'); });
  return found == args.end() ? nullptr : &*found;
}

std::string_view Call::verb() const {
  const ShellWord* found = verb_word();
  return found == nullptr ? std::string_view() : std::string_view(found->text);
}

namespace {

bool is_option(std::string_view word, std::string_view option) {
  if (word == option) {
    return true;
  }
  if (option.starts_with("--")) {
    return word.starts_with(option) && word.size() > option.size() && word[option.size()] == '=';
  }
  return option.size() == 2 && word.size() > 2 && word[0] == '-' && word[1] != '-' &&
         word.find(option[1]) != std::string_view::npos;
}

}  // namespace

bool Call::has(std::initializer_list<std::string_view> options) const {
  return std::ranges::any_of(args, [&](const ShellWord& arg) {
    return std::ranges::any_of(
        options, [&](std::string_view option) { return is_option(arg.text, option); });
  });
}

std::vector<Call::Value> Call::values(std::initializer_list<std::string_view> options) const {
  std::vector<Value> out;
  for (std::size_t i = 0; i < args.size(); ++i) {
    for (const std::string_view option : options) {
      if (args[i].text == option && i + 1 < args.size()) {
        out.push_back({&args[i + 1], args[i + 1].text});
      } else if (option.starts_with("--") && args[i].text != option &&
                 is_option(args[i].text, option)) {
        out.push_back({&args[i], args[i].text.substr(option.size() + 1)});
      }
    }
  }
  return out;
}

std::string Call::value(std::initializer_list<std::string_view> options) const {
  const std::vector<Value> all = values(options);
  return all.empty() ? "" : all.front().text;
}

std::vector<const ShellWord*> operands(const Call& call, std::span<const std::string_view> valued) {
  std::vector<const ShellWord*> out;
  bool verb_seen = false;
  for (std::size_t i = 0; i < call.args.size(); ++i) {
    const ShellWord& word = call.args[i];
    if (word.text.starts_with('-')) {
      i += std::ranges::find(valued, word.text) != valued.end() ? 1 : 0;
    } else if (verb_seen) {
      out.push_back(&word);
    } else {
      verb_seen = true;
    }
  }
  return out;
}

}  // namespace cloche::definition
