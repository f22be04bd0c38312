#include "definition/command_job.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "core/size.h"
#include "core/text.h"
#include "definition/command_template.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxName = 255;
constexpr std::int64_t kMaxCpus = 4096;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

}  // namespace

std::string_view to_string(JobInput::Kind kind) {
  switch (kind) {
    case JobInput::Kind::kLiteral:
      return "literal";
    case JobInput::Kind::kFile:
      return "uri_file";
    case JobInput::Kind::kFolder:
      return "uri_folder";
    case JobInput::Kind::kAny:
      return "path";
  }
  return "";
}

std::string_view to_string(JobOutput::Kind kind) {
  return kind == JobOutput::Kind::kFile ? "uri_file" : "uri_folder";
}

std::string_view to_string(JobDistribution::Kind kind) {
  switch (kind) {
    case JobDistribution::Kind::kNone:
      return "none";
    case JobDistribution::Kind::kPyTorch:
      return "pytorch";
    case JobDistribution::Kind::kMpi:
      return "mpi";
  }
  return "";
}

Status check_job_name(std::string_view name) {
  const bool good =
      !name.empty() && name.size() <= kMaxName && is_word(name.front()) &&
      std::ranges::all_of(name, [](char c) { return is_word(c) || c == '-' || c == '_'; });
  if (!good) {
    return fail(ErrorKind::kInvalid, "'{}' is no name for a job", printable(name))
        .with_hint("letters, digits, '-' and '_', beginning with a letter or digit, 255 at most");
  }
  return {};
}

Status check_command(const CommandJob& job) {
  const auto pieces = split_command(job.command);
  if (!pieces) {
    return pieces.error().error;
  }
  for (const CommandPiece& piece : *pieces) {
    const bool input = piece.kind == CommandPiece::Kind::kInput;
    if (piece.kind == CommandPiece::Kind::kText ||
        (input ? job.inputs.contains(piece.text) : job.outputs.contains(piece.text))) {
      continue;
    }
    std::vector<std::string_view> names;
    for (const auto& [name, unused] : job.inputs) {
      if (input) {
        names.push_back(name);
      }
    }
    for (const auto& [name, unused] : job.outputs) {
      if (!input) {
        names.push_back(name);
      }
    }
    const std::string_view scope = input ? "inputs" : "outputs";
    const std::string_view near = nearest(piece.text, names);
    std::string hint = names.empty()
                           ? fmt::format("the job has no {}: add '{}:' with '{}:' below it", scope,
                                         scope, piece.text)
                       : near.empty() ? fmt::format("the {} are {}", scope, fmt::join(names, ", "))
                                      : fmt::format("did you mean ${{{{{}.{}}}}}?", scope, near);
    return fail(ErrorKind::kInvalid,
                "the command names ${{{{{}.{}}}}}, which the job does not have", scope, piece.text)
        .with_hint(std::move(hint));
  }
  return {};
}

Result<std::uint64_t> parse_shm_size(std::string_view text) {
  const Error error = fail(ErrorKind::kInvalid, "'{}' is no shm_size", printable(text))
                          .with_hint("a number and b, k, m or g: 2g, 512m");
  std::uint64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  const std::string unit = to_lower(text.substr(static_cast<std::size_t>(end - text.data())));
  static constexpr std::string_view kUnits = "bkmg";
  const std::size_t place = unit.size() == 1 ? kUnits.find(unit[0]) : std::string_view::npos;
  constexpr std::uint64_t kMax = std::uint64_t{1} << 46U;
  if (code != std::errc() || place == std::string_view::npos || value == 0 ||
      value > (kMax >> (10U * place))) {
    return error;
  }
  return value << (10U * place);
}

Result<std::int64_t> parse_cpus(std::string_view text) {
  std::int64_t whole = 0;
  auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), whole);
  std::int64_t part = 0;
  const char* const last = text.data() + text.size();
  bool good = code == std::errc() && whole >= 0 && whole <= kMaxCpus;
  if (good && end != last) {
    std::string_view digits(end, static_cast<std::size_t>(last - end));
    good = digits.size() >= 2 && digits.size() <= 4 && digits.front() == '.';
    std::int64_t scale = 100;
    for (const char c : digits.substr(good ? 1 : digits.size())) {
      good = good && c >= '0' && c <= '9';
      part += scale * (c - '0');
      scale /= 10;
    }
  }
  const std::int64_t out = (whole * 1000) + part;
  if (!good || out == 0) {
    return fail(ErrorKind::kInvalid, "'{}' is no number of processors", printable(text))
        .with_hint("a number up to 4096 with three decimals at most: 2, 0.5");
  }
  return out;
}

}  // namespace cloche::definition
