// A Dockerfile as a tree that knows its lines. Parsing only; the executor is elsewhere.
//
// The grammar is the Dockerfile reference's and BuildKit's: parser directives (syntax, escape,
// check), comments and blank lines anywhere, also inside a continuation, blanks after the final
// backslash, heredocs, CRLF, no final newline, exec and shell forms, flags.
// docs/formats/dockerfile.md says what is read how.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/diagnostic.h"
#include "core/location.h"
#include "core/result.h"

namespace cloche::definition {

enum class InstructionKind {
  kAdd,
  kArg,
  kCmd,
  kCopy,
  kEntrypoint,
  kEnv,
  kExpose,
  kFrom,
  kHealthcheck,
  kLabel,
  kMaintainer,
  kOnbuild,
  kRun,
  kShell,
  kStopsignal,
  kUser,
  kVolume,
  kWorkdir,
};

std::string_view to_string(InstructionKind kind);  // "ADD", ...

// "--from=builder": name without dashes. A flag without '=' has no value.
struct InstructionFlag {
  std::string name;
  std::optional<std::string> value;
  Location at;
  bool operator==(const InstructionFlag& other) const {
    return name == other.name && value == other.value;
  }
};

// <<EOF ... EOF; the body without the terminator, "\n" after each line, tabs stripped for <<-.
struct Heredoc {
  std::string name;
  std::string body;
  bool expand = true;  // false when the name was quoted
  bool strip_tabs = false;
  int fd = 0;  // 3<<EOF; 0 when none was written
  Location at;
};

struct Instruction {
  InstructionKind kind = InstructionKind::kRun;
  std::vector<InstructionFlag> flags;
  // The text after the keyword and its flags: continuations joined, comments gone, blanks trimmed.
  std::string rest;
  bool exec_form = false;  // a JSON array of strings
  // Exec form: its strings. COPY, ADD, EXPOSE, VOLUME, FROM: the words, as written. HEALTHCHECK:
  // its command, one string in shell form, none for NONE.
  std::vector<std::string> args;
  // ENV, LABEL, ARG: name and value as written, quotes and escapes kept (expand_word() removes
  // them); an ARG without '=' has no value.
  std::vector<std::pair<std::string, std::optional<std::string>>> pairs;
  bool legacy_pair = false;          // ENV k v, LABEL k v
  std::vector<Heredoc> heredocs;     // in ONBUILD: its instruction has them
  std::vector<Instruction> onbuild;  // ONBUILD's instruction: exactly one
  Location at;                       // the keyword
  int last_line = 0;                 // heredoc bodies and their terminators included
  char escape = '\\';                // what the file's escape directive says; for expand_word()

  // FROM image AS name: the parts (as written, variables unexpanded).
  std::string image;
  std::string stage_name;  // lower case; "" when unnamed

  const InstructionFlag* flag(std::string_view name) const;

  // One line that is the same for every way of writing the same instruction that differs only in
  // keyword case, continuations, comments, blanks at the ends and line ends, and that differs for
  // instructions that mean different things. It is valid UTF-8 and goes into the fingerprint;
  // docs/formats/dockerfile.md specifies it by byte.
  std::string canonical() const;
};

// FROM up to the next FROM. Indices, not pointers: `first` is the FROM.
struct Stage {
  std::string name;   // lower case; "" when unnamed
  std::string image;  // as written
  std::size_t first = 0;
  std::size_t last = 0;  // one past the end, into Dockerfile::instructions
};

struct Dockerfile {
  std::map<std::string, std::string> directives;  // syntax, escape, check
  std::vector<Instruction> instructions;          // ARGs before the first FROM included
  std::vector<Stage> stages;
  std::string text;                      // what was parsed (without a byte order mark)
  std::vector<std::size_t> line_starts;  // offsets into `text`, for line()

  // The text of a line (1-based) without its end; "" beyond the end.
  std::string_view line(int number) const;
};

// kInvalid with line, column, excerpt and hint for the first thing that is broken: an unknown
// instruction (the nearest name, or the line that lost its backslash, in the hint), no FROM, an
// unterminated heredoc, a malformed flag, a missing argument, a file over 1 MiB, a line over 64
// KiB, over 10,000 instructions. Lesser oddities (legacy ENV, an empty continuation line,
// MAINTAINER, what looks like a broken exec form) go to `diagnostics`.
Result<Dockerfile> parse_dockerfile(std::string_view text, const std::string& file,
                                    Diagnostics& diagnostics);

using Variables = std::map<std::string, std::string>;

// ARG/ENV expansion of a word: $x ${x} ${x:-y} ${x:+y} ${x:?m} and their forms without colon,
// ${x#p} ${x##p} ${x%p}
// ${x%%p} ${x/p/r} ${x//p/r}, \$, single quotes (no expansion), double quotes. Quotes are removed.
// An unset variable is "". `unset`, when given, collects the names that were not set and for which
// the word has nothing of its own to say (no :- :+ :?), each once.
// kInvalid: an unclosed brace or quote, an unknown modifier, ${x:?m} of an unset x, nesting over
// 16, a result over 64 KiB, too large a pattern for its value.
Result<std::string> expand_word(std::string_view word, const Variables& variables,
                                char escape = '\\', std::vector<std::string>* unset = nullptr);

// The image that each stage stands on in the end, as far as it can be known without building: ARG
// defaults (and `build_args`) filled in, a FROM of an earlier stage followed; "" where a value is
// unknown.
std::vector<std::string> stage_images(const Dockerfile& dockerfile,
                                      const Variables& build_args = {});

}  // namespace cloche::definition
