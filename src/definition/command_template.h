// A job's command with its ${{...}} places. docs/formats/command-job.md.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace cloche::definition {

// The command cut at its places, in order.
struct CommandPiece {
  enum class Kind { kText, kInput, kOutput };
  Kind kind = Kind::kText;
  std::string text;        // the text, or the input's or output's name
  std::size_t offset = 0;  // where it begins in the command; of a place, its "${{"

  bool operator==(const CommandPiece&) const = default;
};

// kInvalid: a place without an end or a name. kUnsupported: a place that means something in other
// kinds of jobs only (${{search_space.x}}, ${{parent.inputs.x}}, ${{secrets.X}}).
struct TemplateError {
  Error error;
  std::size_t offset = 0;  // of the place that is to blame
};
std::expected<std::vector<CommandPiece>, TemplateError> split_command(std::string_view command);

// The command with each place replaced by what `value` says. Values are put in as they are, as
// Azure does it: the shell reads them.
std::string fill_command(const std::vector<CommandPiece>& pieces,
                         const std::function<std::string(const CommandPiece&)>& value);

}  // namespace cloche::definition
