// A POSIX shell script cut into simple commands, for rules that look at RUN lines.
//
// No interpreter: it finds words, quotes, operators, redirections and environment prefixes as the
// "Shell Command Language" (POSIX.1-2017, XCU 2) has them, looks into `sh -c '...'`, and takes
// keywords, subshells and groups for mere separators. It accepts anything, in linear time.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "definition/lint/mapped_text.h"

namespace cloche::definition {

struct ShellWord {
  std::string text;       // quotes and backslashes resolved; expansions stay as written
  std::size_t begin = 0;  // bytes of the file, quotes included
  std::size_t end = 0;
  bool quoted = false;
  bool dynamic = false;  // holds an expansion: what it is, only a run can say
};

// What stands between a command and the next one.
enum class ShellOperator { kEnd, kAnd, kOr, kSequence, kPipe, kBackground };

struct ShellCommand {
  std::vector<ShellWord> assignments;  // "A=b" before the command
  std::vector<ShellWord> words;        // may be empty, when there are only assignments
  std::vector<ShellWord> outputs;      // targets of > and >>
  ShellOperator next = ShellOperator::kEnd;
  std::size_t script = 0;  // 0: the text itself; else a number for each `sh -c` text in it
};

// Commands in order; those of a `sh -c` text follow the command that runs it. At most `limit` of
// them: what comes after is not looked at.
std::vector<ShellCommand> split_shell(const MappedText& script, std::size_t limit = 100'000);

// What a command runs in the end: for `sudo -E env A=1 /usr/bin/python3.11 -m pip install x`
// program is "pip", its arguments `install x`. Views into the command, which must outlive it.
struct Call {
  const ShellCommand* command = nullptr;
  std::string program;    // base name, "pip3.11" and "pip3" made "pip", "python3" made "python"
  std::string_view path;  // as written: "/opt/venv/bin/python"
  std::span<const ShellWord> args;
  const ShellWord* word = nullptr;  // the program's word; nullptr when there are only assignments
  bool sudo = false;
  bool conda_run = false;  // under `conda run`

  // The first argument that is no option: "install". `skip_values` names options whose value is the
  // next word.
  std::string_view verb() const;
  const ShellWord* verb_word() const;

  // Whether one of these options is given, with or without "=value"; a one-letter option also in a
  // group of them ("-yq").
  bool has(std::initializer_list<std::string_view> options) const;

  // The values of options ("-n x", "--name x", "--name=x"), in order; `value` is the first, or "".
  struct Value {
    const ShellWord* word = nullptr;  // the value, or the whole "--name=x"
    std::string text;
  };
  std::vector<Value> values(std::initializer_list<std::string_view> options) const;
  std::string value(std::initializer_list<std::string_view> options) const;
};

Call call_of(const ShellCommand& command);

// The arguments that are neither options nor values of options, after the verb; `valued` are the
// options that take the next word.
std::vector<const ShellWord*> operands(const Call& call, std::span<const std::string_view> valued);

}  // namespace cloche::definition
