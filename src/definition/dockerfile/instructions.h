// The eighteen instructions: which flags each takes and how its text is read.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/diagnostic.h"
#include "core/result.h"
#include "definition/dockerfile.h"
#include "definition/dockerfile/logical_lines.h"

namespace cloche::definition {

// By keyword, any case.
std::optional<InstructionKind> instruction_kind(std::string_view keyword);

// The keyword that `word` most likely is a typo of; "" when none is near.
std::string_view nearest_keyword(std::string_view word);

// Reads one instruction from a logical line. The references must outlive the call.
class InstructionReader {
 public:
  InstructionReader(const LineReader& reader, const LogicalLine& line, Diagnostics& diagnostics)
      : reader_(reader), line_(line), diagnostics_(diagnostics) {}

  // The instruction whose keyword is the first word at or after `begin`. kInvalid: see
  // parse_dockerfile(). Heredocs have no bodies yet.
  Result<Instruction> read(std::size_t begin = 0);

  // An error, or a warning, at a byte of the logical line.
  Error error(std::size_t offset, std::string message) const;
  void warn(std::string rule, std::size_t offset, std::string message, std::string hint);

 private:
  struct Rule;  // a row of the table in instructions.cc
  static const Rule& rule_of(InstructionKind kind);

  Status read_flags(Instruction& instruction, std::size_t begin, std::size_t& rest);
  Status read_command(Instruction& instruction, std::size_t rest);
  Status read_list(Instruction& instruction, std::size_t rest);
  Result<bool> read_array(Instruction& instruction, std::size_t rest);
  Status read_words(Instruction& instruction, std::size_t rest);
  Status read_shell(Instruction& instruction, std::size_t rest);
  Status read_copy(Instruction& instruction, std::size_t rest);
  Status read_volume(Instruction& instruction, std::size_t rest);
  Status read_from(Instruction& instruction, std::size_t rest);
  Status read_pairs(Instruction& instruction, std::size_t rest);
  Status read_legacy_pair(Instruction& instruction, std::size_t rest);
  Status read_arg(Instruction& instruction, std::size_t rest);
  Status read_text(Instruction& instruction, std::size_t rest);
  Status read_healthcheck(Instruction& instruction, std::size_t rest);
  Status read_onbuild(Instruction& instruction, std::size_t rest);
  Status check_quotes(std::size_t rest);

  std::string_view text_from(std::size_t rest) const;

  const LineReader& reader_;
  const LogicalLine& line_;
  Diagnostics& diagnostics_;
};

}  // namespace cloche::definition
