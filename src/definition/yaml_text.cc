#include "definition/yaml_text.h"

#include "definition/placeholder.h"

namespace cloche::definition {

Result<YamlNode> parse_yaml_text(std::string_view text, const std::string& file,
                                 std::string_view what, std::size_t limit_bytes) {
  if (text.size() > limit_bytes) {
    return fail(ErrorKind::kInvalid, "{} of {} bytes; {} are allowed", what, text.size(),
                limit_bytes)
        .with_location({file, 0, 0});
  }
  auto node = parse_yaml(text, file);
  if (!node.has_value()) {
    if (std::string hint = placeholder_hint(node.error().excerpt); !hint.empty()) {
      node.error().hint = std::move(hint);
    }
  }
  return node;
}

}  // namespace cloche::definition
