// Which files of a context can reach an image. Where that cannot be said without building, the
// answer is "all": a fingerprint may depend on too much, never on too little.
#include <algorithm>
#include <map>
#include <utility>

#include "core/text.h"
#include "definition/build_context.h"
#include "definition/dockerfile.h"
#include "definition/dockerfile/words.h"
#include "definition/glob.h"

namespace cloche::definition {
namespace {

constexpr std::size_t kMaxSources = 1'000;

// "/a/../b/" and "./b" are "b"; "../b" too, since a build sees nothing above its context. "" is the
// context itself.
std::string rooted(std::string_view path) { return normal_path("/" + std::string(path)).substr(1); }

// One source of a COPY.
class Source {
 public:
  // Nothing, when the pattern is malformed: then nobody knows what it names.
  static std::optional<Source> make(std::string_view text) {
    Source out;
    const std::string pattern = rooted(text);
    out.everything_ = pattern.empty();
    std::string upto;
    for (const std::string_view part : split(pattern, '/')) {
      upto += (upto.empty() ? "" : "/") + std::string(part);
      auto glob = Glob::compile(upto);
      if (!glob.has_value()) {
        return std::nullopt;
      }
      out.levels_.push_back(*std::move(glob));
    }
    out.crosses_directories_ = pattern.contains("**");
    if (out.crosses_directories_) {  // to COPY, unlike to COPY --parents, ** is *
      std::string single = pattern;
      for (std::size_t at = 0; (at = single.find("**", at)) != std::string::npos;) {
        single.erase(at, 1);
      }
      auto glob = Glob::compile(single);
      if (!glob.has_value()) {
        return std::nullopt;
      }
      out.single_ = *std::move(glob);
    }
    return out;
  }

  bool everything() const { return everything_; }

  void exclude(Glob glob) { excluded_.push_back(std::move(glob)); }

  bool takes(std::string_view path) const {
    if (excluded_.empty()) {
      return takes_path_or_parent(path);
    }
    return takes_path_or_parent(path) && !is_excluded(path);
  }

  // Whether the source names a link, or a path through one. A build follows it, so the source's
  // files are others than its name says.
  bool follows(std::string_view link) const {
    const auto depth = static_cast<std::size_t>(std::ranges::count(link, '/'));
    return crosses_directories_ || (depth < levels_.size() && levels_[depth].matches(link));
  }

 private:
  bool takes_path_or_parent(std::string_view path) const {
    return everything_ || levels_.back().matches_path_or_parent(path) ||
           (single_ && single_->matches_path_or_parent(path));
  }

  // Exclusions are relative to the source when it is a directory, else to its name. A pattern with
  // a wildcard may name both, so an excluded path is so for every directory that it may stand in.
  bool is_excluded(std::string_view path) const {
    const auto excluded = [this](std::string_view relative) {
      return std::ranges::any_of(
          excluded_, [&](const Glob& glob) { return glob.matches_path_or_parent(relative); });
    };
    if (everything_) {
      return excluded(path);
    }
    if (crosses_directories_) {
      return false;
    }
    // The source names the part of the path that is as deep as itself.
    std::size_t end = 0;
    for (std::size_t level = 0; level < levels_.size() && end != std::string_view::npos; ++level) {
      end = path.find('/', level == 0 ? 0 : end + 1);
    }
    return excluded(end == std::string_view::npos ? path.substr(path.rfind('/') + 1)
                                                  : path.substr(end + 1));
  }

  bool everything_ = false;
  bool crosses_directories_ = false;
  std::vector<Glob> levels_;    // the pattern's first part, its first two, ...; the last is it all
  std::optional<Glob> single_;  // with ** read as *
  std::vector<Glob> excluded_;
};

bool is_url(std::string_view source) {
  return source.contains("://") || source.starts_with("git@");
}

// The sources that a Dockerfile names.
class CopySources {
 public:
  explicit CopySources(const Dockerfile& dockerfile) {
    for (const Instruction& instruction : dockerfile.instructions) {
      add(instruction);
    }
  }

  bool everything() const { return everything_ || list_.size() > kMaxSources; }
  const std::vector<Source>& list() const { return list_; }

 private:
  void add(const Instruction& instruction) {
    switch (instruction.kind) {
      case InstructionKind::kOnbuild:
        add(instruction.onbuild.front());
        break;
      case InstructionKind::kAdd:
      case InstructionKind::kCopy:
        add_copy(instruction);
        break;
      case InstructionKind::kRun:
        for (const InstructionFlag& flag : instruction.flags) {
          if (flag.name == "mount" && flag.value) {
            add_mount(*flag.value);
          }
        }
        break;
      default:
        break;
    }
  }

  void add_copy(const Instruction& instruction) {
    const InstructionFlag* from = instruction.flag("from");
    if (from != nullptr && from->value && !from->value->empty()) {
      return;  // another stage, or an image
    }
    for (std::size_t i = 0; i + 1 < instruction.args.size(); ++i) {
      const std::string& word = instruction.args[i];
      const bool remote = instruction.kind == InstructionKind::kAdd && is_url(word);
      const bool inline_file = !instruction.heredocs.empty() && !find_heredocs(word).empty();
      if (!remote && !inline_file) {
        add_word(word, instruction);
      }
    }
  }

  void add_word(const std::string& word, const Instruction& instruction) {
    auto plain = expand_word(word, {}, instruction.escape);
    if (word.contains('$') || !plain.has_value()) {
      everything_ = true;
      return;
    }
    add_source(*plain, &instruction);
  }

  void add_source(std::string_view text, const Instruction* instruction) {
    auto source = Source::make(text);
    if (!source) {
      everything_ = true;
      return;
    }
    if (instruction != nullptr) {
      add_exclusions(*source, *instruction);
    }
    everything_ = everything_ || (source->everything() && !has_exclusions(instruction));
    list_.push_back(*std::move(source));
  }

  static bool has_exclusions(const Instruction* instruction) {
    return instruction != nullptr && instruction->flag("exclude") != nullptr;
  }

  // All of them or, where one cannot be understood, none.
  static void add_exclusions(Source& source, const Instruction& instruction) {
    std::vector<Glob> globs;
    for (const InstructionFlag& flag : instruction.flags) {
      if (flag.name != "exclude" || !flag.value) {
        continue;
      }
      auto glob = Glob::compile(rooted(*flag.value));
      const bool unclear = flag.value->contains('$') || flag.value->starts_with('!');
      if (unclear || !glob.has_value() || instruction.flag("parents") != nullptr) {
        return;
      }
      globs.push_back(*std::move(glob));
    }
    for (Glob& glob : globs) {
      source.exclude(std::move(glob));
    }
  }

  // "type=bind,source=a,target=/b": a bind mount is the default, and the context is its default.
  void add_mount(std::string_view value) {
    std::map<std::string, std::string, std::less<>> keys;
    for (const std::string_view field : split(value, ',')) {
      const std::size_t equals = std::min(field.find('='), field.size());
      keys[to_lower(trim(field.substr(0, equals)))] =
          trim(field.substr(std::min(equals + 1, field.size())));
    }
    const bool binds = !keys.contains("type") || keys["type"] == "bind";
    if (value.contains('$') || value.contains('"')) {
      everything_ = true;
    } else if (binds && keys["from"].empty()) {
      add_source(keys.contains("source") ? keys["source"] : keys["src"], nullptr);
    }
  }

  bool everything_ = false;
  std::vector<Source> list_;
};

bool through_a_link(const CopySources& sources, const std::vector<ContextFile>& files) {
  return std::ranges::any_of(files, [&](const ContextFile& file) {
    return file.kind == FileKind::kSymlink &&
           std::ranges::any_of(sources.list(),
                               [&](const Source& source) { return source.follows(file.path); });
  });
}

}  // namespace

std::vector<const ContextFile*> copied_files(const BuildContextBase& context) {
  Diagnostics ignored;
  const auto dockerfile = parse_dockerfile(context.dockerfile, context.dockerfile_path, ignored);
  const CopySources sources =
      dockerfile.has_value() ? CopySources(*dockerfile) : CopySources(Dockerfile());
  const bool all =
      !dockerfile.has_value() || sources.everything() || through_a_link(sources, context.files);
  std::vector<const ContextFile*> out;
  for (const ContextFile& file : context.files) {
    if (all || std::ranges::any_of(sources.list(),
                                   [&](const Source& source) { return source.takes(file.path); })) {
      out.push_back(&file);
    }
  }
  return out;
}

}  // namespace cloche::definition
