// The files of curated/ and images/, which are compiled into the program (cmake/embed.cmake).
#pragma once

#include <span>
#include <string_view>

namespace cloche::workspace {

struct EmbeddedFile {
  std::string_view path;  // "curated/Cloche-minimal-py311.yaml"
  std::string_view content;
};

std::span<const EmbeddedFile> embedded_files();  // sorted by path

}  // namespace cloche::workspace
