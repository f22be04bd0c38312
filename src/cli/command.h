// A command: a plain struct of options, a function that runs with it, and the words of its manual
// page, all in one constant. Parsing, help, completion, typos and docs/manual/commands.md are made
// from these constants, so they cannot disagree.
//
//   struct ShowOptions { std::string reference; };
//   Result<Report> run_show(const ShowOptions& options, Context& context);
//   constexpr Argument kArguments[] = {{.name = "REF", .field = kField<&ShowOptions::reference>,
//   ...}}; constexpr Command kEnvShow = {.path = "env show", .arguments = kArguments,
//                                 .run = run<ShowOptions, run_show>};
#pragma once

#include <array>
#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cli/report.h"
#include "core/result.h"

namespace cloche::cli {

class Context;
struct Command;

// Where shell completion takes an argument's values from.
enum class Source {
  kNothing,
  kFiles,
  kDirectories,
  kEnvironments,
  kEnvironmentsAndFiles,
  kRegistries,
  kImages,
  kLintRules,
};

// How a text from the command line gets into a member of an options struct.
struct Field {
  Status (*assign)(void* options, std::string_view text) = nullptr;
  bool is_flag = false;
  bool repeats = false;
};

namespace detail {

Status assign(bool& member, std::string_view text);
Status assign(std::string& member, std::string_view text);
Status assign(std::optional<std::string>& member, std::string_view text);
Status assign(std::vector<std::string>& member, std::string_view text);
Status assign(std::map<std::string, std::string>& member, std::string_view text);  // key=value

template <class T>
struct MemberTraits;
template <class Options, class T>
struct MemberTraits<T Options::*> {
  using Owner = Options;
  using Type = T;
};

template <class T>
inline constexpr bool kRepeats = std::is_same_v<T, std::vector<std::string>> ||
                                 std::is_same_v<T, std::map<std::string, std::string>>;

}  // namespace detail

namespace detail {

// Owner stands among the parameters for GCC 12's sake: it gives a template over &Owner::member
// alone external linkage even when Owner is in an unnamed namespace, and the linker then makes one
// of two files' functions.
template <class Owner, auto Member>
Status assign_member(void* options, std::string_view text) {
  return assign(static_cast<Owner*>(options)->*Member, text);
}

}  // namespace detail

template <auto Member>
inline constexpr Field kField = {
    .assign = detail::assign_member<typename detail::MemberTraits<decltype(Member)>::Owner, Member>,
    .is_flag = std::is_same_v<typename detail::MemberTraits<decltype(Member)>::Type, bool>,
    .repeats = detail::kRepeats<typename detail::MemberTraits<decltype(Member)>::Type>};

// A member of a base of the options struct, for arguments that several commands share.
template <class Options, auto Member>
inline constexpr Field kInheritedField = {.assign = detail::assign_member<Options, Member>,
                                          .is_flag = kField<Member>.is_flag,
                                          .repeats = kField<Member>.repeats};

// An option (`name` in lower case: "conda-file" for --conda-file) or a positional (in upper case:
// "REF").
struct Argument {
  std::string_view name = {};
  char letter = 0;                // -f
  std::string_view value = {};    // "FILE", what help calls an option's value; "" for a flag
  std::string_view help = {};     // a sentence without the final period
  bool required = false;          // positionals
  std::string_view choices = {};  // "json|yaml|table": the only values, in help and checked
  Source source = Source::kNothing;
  Field field = {};

  bool is_positional() const { return name.front() >= 'A' && name.front() <= 'Z'; }
};

// Arguments that several commands share, behind those of one.
template <std::size_t A, std::size_t B>
constexpr std::array<Argument, A + B> joined(const std::array<Argument, A>& first,
                                             const std::array<Argument, B>& second) {
  std::array<Argument, A + B> out{};
  for (std::size_t i = 0; i < A + B; ++i) {
    out[i] = i < A ? first[i] : second[i - A];
  }
  return out;
}

struct Example {
  std::string_view says;     // what it is for, without the final period
  std::string_view command;  // as typed
};

struct Command {
  std::string_view path = {};     // "env show"
  std::string_view summary = {};  // one line in the imperative: "show an environment"
  std::string_view description =
      {};  // paragraphs, "\n\n" between; lines that start with a blank stay
  std::span<const Argument> arguments = {};
  std::span<const Example> examples = {};
  std::string_view exit_codes = {};  // what they mean here beyond the common ones: "1  it differs"
  std::string_view see_also = {};    // "env list, env history"
  Result<Report> (*run)(const Command& command, std::span<const std::string_view> words,
                        Context& context) = nullptr;
};

// The name as typed: "--conda-file", or "REF".
std::string shown_name(const Argument& argument);

// Fills an options struct from the words after the command's name. kUsage: an unknown option (the
// nearest one in the hint), a missing value or argument, a value that is not among the choices.
Status parse_arguments(const Command& command, std::span<const std::string_view> words,
                       void* options);

template <class Options, Result<Report> (*Run)(const Options&, Context&)>
Result<Report> run(const Command& command, std::span<const std::string_view> words,
                   Context& context) {
  Options options;
  TRY(parse_arguments(command, words, &options));
  return Run(options, context);
}

}  // namespace cloche::cli
