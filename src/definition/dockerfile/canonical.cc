// Instruction::canonical(), as docs/formats/dockerfile.md ("Canonical form") specifies it.
#include <span>

#include <fmt/format.h>

#include "core/text.h"
#include "definition/dockerfile.h"

namespace cloche::definition {
namespace {

// How many bytes a valid UTF-8 character takes at the front of `text`; 0 when none stands there.
std::size_t character_size(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return is_valid_utf8(text.substr(0, size)) ? size : 0;
}

// In double quotes. What could end the text or break the line is escaped, so is what is no UTF-8:
// two texts never look the same.
void append_quoted(std::string& out, std::string_view text) {
  out += '"';
  while (!text.empty()) {
    const std::size_t size = character_size(text);
    const char c = text.front();
    const auto byte = static_cast<unsigned char>(c);
    if (size == 0 || byte < 0x20 || byte == 0x7f) {
      out += c == '\n' ? "\\n" : fmt::format("\\x{:02x}", byte);
    } else {
      out.append(c == '"' || c == '\\' ? "\\" : "").append(text.substr(0, size));
    }
    text.remove_prefix(size == 0 ? 1 : size);
  }
  out += '"';
}

void append_array(std::string& out, std::span<const std::string> items) {
  out += '[';
  for (const std::string& item : items) {
    out += out.ends_with('[') ? "" : ",";
    append_quoted(out, item);
  }
  out += ']';
}

void append_pairs(std::string& out, const Instruction& instruction) {
  for (const auto& [name, value] : instruction.pairs) {
    out += ' ';
    append_quoted(out, name);
    if (value) {
      out += '=';
      append_quoted(out, *value);
    }
  }
}

void append_command(std::string& out, const Instruction& instruction, std::string_view text) {
  out += ' ';
  if (instruction.exec_form) {
    append_array(out, instruction.args);
  } else {
    append_quoted(out, text);
  }
}

void append_arguments(std::string& out, const Instruction& instruction) {
  using enum InstructionKind;
  switch (instruction.kind) {
    case kFrom:
      out += ' ';
      append_quoted(out, instruction.image);
      if (!instruction.stage_name.empty()) {
        out += " AS " + instruction.stage_name;
      }
      break;
    case kAdd:
    case kCopy:
    case kExpose:
    case kVolume:
      out += ' ';
      append_array(out, instruction.args);
      break;
    case kArg:
    case kEnv:
    case kLabel:
      append_pairs(out, instruction);
      break;
    case kHealthcheck:
      out += instruction.args.empty() && !instruction.exec_form ? " NONE" : " CMD";
      if (!out.ends_with("NONE")) {
        append_command(out, instruction, instruction.args.empty() ? "" : instruction.args.front());
      }
      break;
    case kOnbuild:
      out += " " + instruction.onbuild.front().canonical();
      break;
    default:
      append_command(out, instruction, instruction.rest);
  }
}

}  // namespace

std::string Instruction::canonical() const {
  std::string out(to_string(kind));
  if (escape != '\\' && kind != InstructionKind::kOnbuild) {
    out += escape;
  }
  for (const InstructionFlag& one : flags) {
    out += " --" + one.name;
    if (one.value) {
      out += '=';
      append_quoted(out, *one.value);
    }
  }
  append_arguments(out, *this);
  for (const Heredoc& heredoc : heredocs) {
    out += " <<";
    append_quoted(out, heredoc.body);
  }
  return out;
}

}  // namespace cloche::definition
