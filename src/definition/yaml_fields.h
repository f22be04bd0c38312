// What the readers of Azure ML's YAML files have in common: values of keys, and errors that say
// where they stand. For the files of this module.
#pragma once

#include <cstdint>
#include <string>

#include "core/error.h"
#include "core/result.h"
#include "core/yaml.h"
#include "definition/environment.h"

namespace cloche::definition {

Error fail_at(const YamlNode& node, ErrorKind kind, std::string message, std::string hint = "");

// fail_at() with kInvalid.
Error wrong(const YamlNode& node, std::string message, std::string hint = "");

// An error of another parser, placed where this file caused it unless it knows a better place.
Error placed(Error error, const YamlNode& node);
Status placed_at(Status status, const YamlNode& node);

// A single value as its author wrote it: unquoted 1.10 is "1.10".
Result<std::string> text_of(const YamlNode& node);

// The same; kInvalid when there is nothing, or a template's placeholder.
Result<std::string> filled_text(const YamlNode& node);

// A mapping of at most 1000 texts; an absent value is "".
Result<StringMap> texts_of(const YamlNode& node);

// The same, for variables of a process: kInvalid, a name that is none.
Result<StringMap> variables_of(const YamlNode& node);

// A whole number between the two; `what` begins the message.
Result<std::int64_t> integer_of(const YamlNode& node, std::int64_t low, std::int64_t high,
                                const std::string& what);

}  // namespace cloche::definition
