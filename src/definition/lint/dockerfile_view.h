// A Dockerfile as rules want to see it: stages with what is known of their base, RUN lines as
// commands, every word with its place in the file.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/files.h"
#include "definition/dockerfile.h"
#include "definition/lint/base_images.h"
#include "definition/lint/mapped_text.h"
#include "definition/lint/shell_words.h"
#include "definition/lint/source_file.h"

namespace cloche::definition {

inline constexpr std::size_t kNoStage = static_cast<std::size_t>(-1);

struct InstructionView {
  const Instruction* instruction = nullptr;
  std::size_t index = 0;
  std::size_t stage = kNoStage;        // kNoStage: an ARG before the first FROM
  MappedText text;                     // after the keyword and the flags, continuations joined
  std::size_t begin = 0;               // bytes of the file: the keyword
  std::vector<ShellCommand> commands;  // RUN, and CMD and ENTRYPOINT; none where it is no shell's
  std::vector<Call> calls;             // one for each command
  const std::vector<std::string>* shell = nullptr;  // SHELL in force; nullptr: the default
};

struct StageView {
  const Stage* stage = nullptr;
  std::size_t index = 0;
  std::optional<std::size_t> parent;  // FROM an earlier stage
  BaseImage base;                     // of the first stage in the chain of parents
  // Names that ENV or ARG set here, with the first instruction that does.
  std::map<std::string, std::size_t, std::less<>> variables;
  std::vector<const InstructionView*> instructions;  // without FROM
};

class DockerfileView {
 public:
  // `dockerfile` and `source` must outlive the view. `directory` is the context, "" for none.
  DockerfileView(const Dockerfile& dockerfile, const SourceFile& source, FileSource& files,
                 std::string directory);
  DockerfileView(const DockerfileView&) = delete;
  DockerfileView& operator=(const DockerfileView&) = delete;

  const Dockerfile& dockerfile() const { return dockerfile_; }
  const SourceFile& source() const { return source_; }
  FileSource& files() const { return files_; }
  const std::string& directory() const { return directory_; }
  const std::vector<InstructionView>& instructions() const { return instructions_; }
  const std::vector<StageView>& stages() const { return stages_; }
  const StageView& final_stage() const { return stages_.back(); }

  // The stage and those it is built FROM, nearest first; at most 32 of them.
  std::vector<const StageView*> lineage(const StageView& stage) const;

  // Whether the stage, or one it is built from, sets the variable before this instruction.
  bool is_set(const StageView& stage, std::string_view variable, std::size_t before) const;

  // An earlier stage by its name or number; nullptr when there is none.
  const StageView* stage_named(std::string_view name, std::size_t before) const;

  // Whether the layers of the stage are part of the final image: the final stage and its parents.
  bool is_shipped(std::size_t stage) const { return stage < shipped_.size() && shipped_[stage]; }

  char escape() const { return escape_; }

 private:
  void add_instruction(const Instruction& instruction, std::size_t index, std::size_t stage,
                       std::size_t& budget);
  void add_stages();

  const Dockerfile& dockerfile_;
  const SourceFile& source_;
  FileSource& files_;
  std::string directory_;
  char escape_ = '\\';
  std::vector<InstructionView> instructions_;
  std::vector<StageView> stages_;
  std::vector<bool> shipped_;
  std::map<std::string, std::size_t, std::less<>> names_;  // of stages, the first of each name
};

// Calls `check` with each RUN that has commands one can look at.
template <class Check>
void each_run(const DockerfileView& view, Check check) {
  for (const InstructionView& one : view.instructions()) {
    if (one.instruction->kind == InstructionKind::kRun && !one.calls.empty()) {
      check(one);
    }
  }
}

// The last USER, ENTRYPOINT, CMD, ... of a stage or of those it is built from; nullptr: none here.
const InstructionView* last_of(const DockerfileView& view, const StageView& stage,
                               InstructionKind kind);

}  // namespace cloche::definition
