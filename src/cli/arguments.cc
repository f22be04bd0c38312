#include <algorithm>

#include <fmt/format.h>

#include "cli/command.h"
#include "cli/suggest.h"
#include "core/text.h"

namespace cloche::cli {

namespace detail {

Status assign(bool& member, std::string_view /*text*/) {
  member = true;
  return {};
}

Status assign(std::string& member, std::string_view text) {
  member = text;
  return {};
}

Status assign(std::optional<std::string>& member, std::string_view text) {
  member = text;
  return {};
}

Status assign(std::vector<std::string>& member, std::string_view text) {
  member.emplace_back(text);
  return {};
}

Status assign(std::map<std::string, std::string>& member, std::string_view text) {
  const std::size_t equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) {
    return fail(ErrorKind::kUsage, "'{}' is not of the form KEY=VALUE", printable(text));
  }
  member.insert_or_assign(std::string(text.substr(0, equals)),
                          std::string(text.substr(equals + 1)));
  return {};
}

}  // namespace detail

namespace {

// One command line being read: which positional is next, what was given already.
class ArgumentReader {
 public:
  ArgumentReader(const Command& command, std::span<const std::string_view> words, void* options)
      : command_(command), words_(words), options_(options), given_(command.arguments.size()) {}

  Status read() {
    bool options_ended = false;
    while (next_ < words_.size()) {
      const std::string_view word = words_[next_++];
      if (!options_ended && word == "--") {
        options_ended = true;
      } else if (!options_ended && word.starts_with("--")) {
        TRY(read_long(word.substr(2)));
      } else if (!options_ended && word.size() > 1 && word.front() == '-') {
        TRY(read_letters(word.substr(1)));
      } else {
        TRY(read_positional(word));
      }
    }
    return check_complete();
  }

 private:
  // --name, --name=value, --name value
  Status read_long(std::string_view text) {
    const std::size_t equals = text.find('=');
    const std::string_view name = text.substr(0, equals);
    const Argument* argument = find([&](const Argument& one) { return one.name == name; });
    if (argument == nullptr || argument->is_positional()) {
      return unknown_option("--" + std::string(name));
    }
    if (argument->field.is_flag) {
      if (equals != std::string_view::npos) {
        return fail(ErrorKind::kUsage, "option --{} takes no value", name);
      }
      return assign(*argument, "");
    }
    if (equals != std::string_view::npos) {
      return assign(*argument, text.substr(equals + 1));
    }
    return assign(*argument, TRY(take_value(*argument)));
  }

  // -x, -xy, -f value, -fvalue
  Status read_letters(std::string_view letters) {
    while (!letters.empty()) {
      const char letter = letters.front();
      letters.remove_prefix(1);
      const Argument* argument = find([&](const Argument& one) { return one.letter == letter; });
      if (argument == nullptr) {
        return unknown_option(std::string("-") + letter);
      }
      if (argument->field.is_flag) {
        TRY(assign(*argument, ""));
        continue;
      }
      return assign(*argument, letters.empty() ? TRY(take_value(*argument)) : letters);
    }
    return {};
  }

  Status read_positional(std::string_view word) {
    for (const Argument& argument : command_.arguments) {
      if (argument.is_positional() && (argument.field.repeats || !given(argument))) {
        return assign(argument, word);
      }
    }
    return fail(ErrorKind::kUsage, "unexpected argument '{}'", printable(word))
        .with_hint(fmt::format("see: cloche {} --help", command_.path));
  }

  // The next word, unless it is plainly another option: then the value was forgotten.
  Result<std::string_view> take_value(const Argument& argument) {
    const std::string name = shown_name(argument);
    if (next_ == words_.size()) {
      return fail(ErrorKind::kUsage, "option {} needs a value", name)
          .with_hint(fmt::format("{} {}", name, argument.value));
    }
    const std::string_view value = words_[next_];
    if (value.starts_with("--")) {
      return fail(ErrorKind::kUsage, "option {} needs a value, but '{}' follows", name,
                  printable(value))
          .with_hint(fmt::format("a value that begins with dashes is written {}=VALUE", name));
    }
    ++next_;
    return value;
  }

  Status assign(const Argument& argument, std::string_view text) {
    if (given(argument) && !argument.field.repeats && !argument.field.is_flag) {
      return fail(ErrorKind::kUsage, "{} is given twice", shown_name(argument));
    }
    given_[index(argument)] = true;
    if (!argument.choices.empty()) {
      TRY(check_choice(shown_name(argument), argument.choices, text));
    }
    return argument.field.assign(options_, text).context("in {}", shown_name(argument));
  }

  Status check_complete() const {
    for (const Argument& argument : command_.arguments) {
      if (argument.required && !given(argument)) {
        const std::string_view kind = argument.is_positional() ? "argument" : "option";
        return fail(ErrorKind::kUsage, "the {} {} is missing", kind, shown_name(argument))
            .with_hint(fmt::format("see: cloche {} --help", command_.path));
      }
    }
    return {};
  }

  Error unknown_option(const std::string& shown) const {
    std::vector<std::string> names = global_option_names();
    for (const Argument& argument : command_.arguments) {
      if (!argument.is_positional()) {
        names.push_back(shown_name(argument));
      }
    }
    Error error = fail(ErrorKind::kUsage, "unknown option '{}' for cloche {}", printable(shown),
                       command_.path);
    const std::string near = suggest(shown, names);
    return std::move(error).with_hint(near.empty()
                                          ? fmt::format("see: cloche {} --help", command_.path)
                                          : fmt::format("did you mean {}?", near));
  }

  template <class Predicate>
  const Argument* find(Predicate predicate) const {
    const auto found = std::ranges::find_if(command_.arguments, predicate);
    return found != command_.arguments.end() ? &*found : nullptr;
  }
  std::size_t index(const Argument& argument) const {
    return static_cast<std::size_t>(&argument - command_.arguments.data());
  }
  bool given(const Argument& argument) const { return given_[index(argument)]; }

  const Command& command_;
  std::span<const std::string_view> words_;
  void* options_;
  std::vector<bool> given_;  // by index into command_.arguments
  std::size_t next_ = 0;
};

}  // namespace

std::string shown_name(const Argument& argument) {
  return argument.is_positional() ? std::string(argument.name) : "--" + std::string(argument.name);
}

Status parse_arguments(const Command& command, std::span<const std::string_view> words,
                       void* options) {
  return ArgumentReader(command, words, options).read();
}

}  // namespace cloche::cli
