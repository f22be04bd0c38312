// The text of a YAML file that people write for Azure ML: an environment, a job.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "core/diagnostic.h"
#include "core/excerpt.h"
#include "core/result.h"
#include "core/yaml.h"

namespace cloche::definition {

// Its tree. kInvalid: over the limit (`what` it is, for the message: "a job file"), or no YAML;
// where a template's placeholder is the reason, the hint says so.
Result<YamlNode> parse_yaml_text(std::string_view text, const std::string& file,
                                 std::string_view what, std::size_t limit_bytes);

// What `read(node, diagnostics)` makes of the tree; its error and its diagnostics get the lines
// they are about.
template <class Read>
auto read_yaml_text(std::string_view text, const std::string& file, std::string_view what,
                    std::size_t limit_bytes, Diagnostics& diagnostics, const Read& read)
    -> decltype(read(std::declval<const YamlNode&>(), diagnostics)) {
  const YamlNode node = TRY(parse_yaml_text(text, file, what, limit_bytes));
  Diagnostics found;
  auto out = read(node, found);
  const Excerpts excerpts(text, file);
  excerpts.append(found, diagnostics);
  if (!out.has_value()) {
    excerpts.fill(out.error());
  }
  return out;
}

}  // namespace cloche::definition
