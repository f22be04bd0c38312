// parse_command_job(): a table of the file's keys, and what is judged once all are read.
#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "core/files.h"
#include "core/size.h"
#include "core/text.h"
#include "definition/command_job.h"
#include "definition/command_job_data.h"
#include "definition/command_job_keys.h"
#include "definition/command_template.h"
#include "definition/yaml_fields.h"
#include "definition/yaml_text.h"

namespace cloche::definition {
namespace {

using Meaning = ForeignKey::Meaning;

constexpr int kMaxInstances = 64;
constexpr int kMaxProcesses = 256;
constexpr std::int64_t kMaxTimeout = 366LL * 24 * 3600;

// Keys of job files that mean something else or nothing here.
constexpr std::array<ForeignKey, 23> kForeign = {{
    {"services", Meaning::kIgnored, "are not started on this machine",
     "cloche run ENV --shell gives a shell in the same environment"},
    {"identity", Meaning::kIgnored, "is Azure's: a job runs with the rights of its container"},
    {"queue_settings", Meaning::kIgnored, "has no meaning on this machine"},
    {"job_tier", Meaning::kIgnored, "has no meaning on this machine"},
    {"priority", Meaning::kIgnored, "has no meaning on this machine: jobs run in their order"},
    {"properties", Meaning::kIgnored, "are Azure's own and are not kept"},
    {"notification_setting", Meaning::kIgnored, "sends no mail from this machine"},
    {"id", Meaning::kIgnored, "is written by Azure's service"},
    {"status", Meaning::kIgnored, "is written by Azure's service"},
    {"creation_context", Meaning::kIgnored, "is written by Azure's service"},
    {"resourceGroup", Meaning::kIgnored, "is written by Azure's service"},
    {"parent_job_name", Meaning::kIgnored, "is written by Azure's service"},
    {"docker_args", Meaning::kRefused, "is not supported on this machine",
     "say what the job needs: resources.shm_size, inputs, environment_variables"},
    {"jobs", Meaning::kRefused, "makes this a pipeline, and only command jobs run here",
     "submit its steps one by one, each in a file of its own"},
    {"trial", Meaning::kRefused, "makes this a sweep, and only command jobs run here",
     "submit the command with one choice of values"},
    {"search_space", Meaning::kRefused, "makes this a sweep, and only command jobs run here",
     "submit the command with one choice of values"},
    {"sampling_algorithm", Meaning::kRefused, "makes this a sweep, and only command jobs run here",
     "submit the command with one choice of values"},
    {"objective", Meaning::kRefused, "makes this a sweep, and only command jobs run here",
     "submit the command with one choice of values"},
    {"component", Meaning::kRefused, "names a component, and only commands run here",
     "write the component's command, code and environment into the job"},
    {"entry", Meaning::kRefused, "makes this a Spark job, and only command jobs run here"},
    {"task", Meaning::kRefused, "makes this an AutoML job, and only command jobs run here"},
    {"settings", Meaning::kRefused, "is of pipelines, and only command jobs run here"},
    {"is_deterministic", Meaning::kIgnored, "is of components"},
}};

constexpr std::array<ForeignKey, 7> kForeignResources = {{
    {"docker_args", Meaning::kRefused, "is not supported on this machine",
     "say what the job needs: shm_size beside it, inputs, environment_variables"},
    {"instance_type", Meaning::kIgnored, "names a size of Azure's machines",
     "resources.cpus, memory and gpus say what the job needs here"},
    {"properties", Meaning::kIgnored, "has no meaning on this machine"},
    {"locations", Meaning::kIgnored, "has no meaning on this machine"},
    {"max_instance_count", Meaning::kIgnored, "has no meaning on this machine"},
    {"instance_priority", Meaning::kIgnored, "has no meaning on this machine"},
    {"model_properties", Meaning::kIgnored, "has no meaning on this machine"},
}};

class JobReader {
 public:
  JobReader(std::string_view text, const std::string& file, FileSource& files,
            const ReadOptions& options, Diagnostics& diagnostics)
      : text_(text), file_(file), files_(files), options_(options), diagnostics_(diagnostics) {}

  Result<CommandJob> read(const YamlNode& root) {
    if (!root.is_mapping()) {
      return wrong(root, fmt::format("a job is a mapping of keys, not {}", root.kind_name()),
                   "begin with 'command:' and 'environment:'");
    }
    std::vector<std::string_view> names;
    std::ranges::transform(kKeys, std::back_inserter(names), &Key::name);
    TRY(judge_members(root, names, kForeign, "", diagnostics_));
    for (const YamlNode::Member& member : root.members) {
      TRY(read_member(member));
    }
    TRY(check_complete(root));
    TRY(check_places(root));
    return std::move(out_);
  }

 private:
  using Handler = Status (JobReader::*)(const YamlNode&);
  struct Key {
    std::string_view name;
    Handler handler;
  };
  static const std::array<Key, 17> kKeys;

  Status read_member(const YamlNode::Member& member) {
    const auto* key = std::ranges::find(kKeys, member.key.text, &Key::name);
    if (key == kKeys.end()) {
      return {};  // judged already
    }
    if (member.value.is_null()) {
      diagnostics_.warn("azureml-empty-key", member.key.at,
                        fmt::format("'{}' has no value and is left out", member.key.text));
      return {};
    }
    auto status = (this->*key->handler)(member.value);
    return std::move(status).context("reading '{}'", member.key.text);
  }

  // NOLINTNEXTLINE(readability-convert-member-functions-to-static): as every entry of kKeys
  Status read_schema(const YamlNode& node) {
    const std::string text = TRY(text_of(node));
    static constexpr std::string_view kEnd = ".schema.json";
    const std::string_view base = base_name(text);
    if (base.ends_with(kEnd) && base != "commandJob.schema.json") {
      return fail_at(node, ErrorKind::kUnsupported,
                     fmt::format("this is the schema of a {}, not of a command job",
                                 printable(base.substr(0, base.size() - kEnd.size()))),
                     "only command jobs run here");
    }
    return {};
  }

  // NOLINTNEXTLINE(readability-convert-member-functions-to-static)
  Status read_type(const YamlNode& node) {
    const std::string text = TRY(filled_text(node));
    if (text == "command") {
      return {};
    }
    static constexpr std::array<std::string_view, 7> kOthers = {
        "pipeline", "sweep", "spark", "automl", "parallel", "import", "finetuning"};
    if (std::ranges::find(kOthers, text) != kOthers.end()) {
      return fail_at(node, ErrorKind::kUnsupported,
                     fmt::format("this is a {} job, and only command jobs run here", text));
    }
    return wrong(node, fmt::format("unknown type '{}'", printable(text)), "type: command");
  }

  Status read_name(const YamlNode& node) {
    out_.name = TRY(filled_text(node));
    return placed_at(check_job_name(out_.name), node);
  }
  Status read_display_name(const YamlNode& node) {
    out_.display_name = TRY(filled_text(node));
    return {};
  }
  Status read_experiment_name(const YamlNode& node) {
    out_.experiment_name = TRY(filled_text(node));
    return placed_at(check_job_name(out_.experiment_name), node);
  }
  Status read_description(const YamlNode& node) {
    out_.description = TRY(text_of(node));
    return {};
  }
  Status read_tags(const YamlNode& node) {
    out_.tags = TRY(texts_of(node));
    return {};
  }

  Status read_command(const YamlNode& node) {
    out_.command = TRY(text_of(node));
    if (trim(out_.command).empty()) {
      return wrong(node, "the command is empty", "command: python train.py");
    }
    if (out_.command.size() > kMaxCommandBytes) {
      return wrong(node,
                   fmt::format("a command of {} bytes; {} are allowed", out_.command.size(),
                               kMaxCommandBytes),
                   "put it into a script in the code folder");
    }
    return {};
  }

  Status read_code(const YamlNode& node) {
    auto local = local_data_path(TRY(filled_text(node)), parent_path(file_));
    if (!local) {
      return placed(std::move(local).error(), node);
    }
    out_.code = local->empty() ? "." : normal_path(*local);
    return {};
  }

  Status read_environment(const YamlNode& node) {
    if (node.is_scalar()) {
      TRY(filled_text(node));
    }
    out_.environment = TRY(read_environment_use(node, file_, files_, options_, diagnostics_));
    out_.environment_at = node.at;
    if (auto* reference = std::get_if<AssetReference>(&*out_.environment);
        reference != nullptr && !reference->file.empty()) {
      reference->file = join_path(parent_path(file_), reference->file);
    }
    return {};
  }

  Status read_variables(const YamlNode& node) {
    out_.environment_variables = TRY(variables_of(node));
    return {};
  }

  Status read_inputs(const YamlNode& node) {
    out_.inputs = TRY(read_job_inputs(node, file_, diagnostics_));
    return {};
  }
  Status read_outputs(const YamlNode& node) {
    out_.outputs = TRY(read_job_outputs(node, diagnostics_));
    return {};
  }

  Status read_compute(const YamlNode& node) {
    out_.compute = TRY(filled_text(node));
    out_.compute_at = node.at;
    return {};
  }

  Status read_distribution(const YamlNode& node) {
    if (!node.is_mapping()) {
      return wrong(node, fmt::format("a distribution is a mapping, not {}", node.kind_name()),
                   "distribution: {type: pytorch, process_count_per_instance: 2}");
    }
    const YamlNode* type = node.find("type");
    if (type == nullptr || type->is_null()) {
      return wrong(node, "the distribution has no type", "type: pytorch, or type: mpi");
    }
    const std::string text = to_lower(TRY(filled_text(*type)));
    if (text == "tensorflow" || text == "ray") {
      return fail_at(*type, ErrorKind::kUnsupported,
                     fmt::format("the distribution {} is not supported on this machine", text),
                     "pytorch starts one process a rank, with RANK and WORLD_SIZE; mpi starts "
                     "mpirun");
    }
    if (text != "pytorch" && text != "mpi") {
      return wrong(*type, fmt::format("unknown distribution '{}'", printable(text)),
                   "pytorch or mpi");
    }
    static constexpr std::array<std::string_view, 2> kNames = {"type",
                                                               "process_count_per_instance"};
    TRY(judge_members(node, kNames, {}, "distribution", diagnostics_));
    out_.distribution.kind =
        text == "mpi" ? JobDistribution::Kind::kMpi : JobDistribution::Kind::kPyTorch;
    if (const YamlNode* count = node.find("process_count_per_instance");
        count != nullptr && !count->is_null()) {
      out_.distribution.processes_per_instance =
          static_cast<int>(TRY(integer_of(*count, 1, kMaxProcesses, "process_count_per_instance")));
    }
    return {};
  }

  Status read_resources(const YamlNode& node) {
    static constexpr std::array<std::string_view, 5> kNames = {"instance_count", "shm_size", "cpus",
                                                               "memory", "gpus"};
    if (!node.is_mapping()) {
      return wrong(node, fmt::format("resources is a mapping, not {}", node.kind_name()));
    }
    TRY(judge_members(node, kNames, kForeignResources, "resources", diagnostics_));
    JobResources& out = out_.resources;
    for (const auto& [key, value] : node.members) {
      if (value.is_null()) {
        continue;
      }
      if (key.text == "instance_count") {
        out.instance_count =
            static_cast<int>(TRY(integer_of(value, 1, kMaxInstances, "instance_count")));
      } else if (key.text == "gpus") {
        out.gpus = static_cast<int>(TRY(integer_of(value, 0, kMaxProcesses, "gpus")));
      } else if (key.text == "shm_size") {
        out.shm_bytes = TRY(at(parse_shm_size(TRY(filled_text(value))), value));
      } else if (key.text == "memory") {
        out.memory_bytes = TRY(at(parse_size(TRY(filled_text(value))), value));
      } else if (key.text == "cpus") {
        out.milli_cpus = TRY(at(parse_cpus(TRY(filled_text(value))), value));
      }
    }
    return {};
  }

  template <class T>
  static Result<T> at(Result<T> result, const YamlNode& node) {
    return result.has_value() ? std::move(result)
                              : Result<T>(placed(std::move(result).error(), node));
  }

  Status read_limits(const YamlNode& node) {
    static constexpr std::array<std::string_view, 1> kNames = {"timeout"};
    if (!node.is_mapping()) {
      return wrong(node, fmt::format("limits is a mapping, not {}", node.kind_name()),
                   "limits: {timeout: SECONDS}");
    }
    TRY(judge_members(node, kNames, {}, "limits", diagnostics_));
    if (const YamlNode* timeout = node.find("timeout"); timeout != nullptr && !timeout->is_null()) {
      out_.timeout_s = TRY(integer_of(*timeout, 1, kMaxTimeout, "timeout, in seconds,"));
    }
    return {};
  }

  Status check_complete(const YamlNode& root) const {
    if (out_.command.empty()) {
      return wrong(root, "the job has no command", "command: python train.py");
    }
    if (!out_.environment) {
      return wrong(root, "the job has no environment",
                   "environment: NAME, or below it 'image:' and 'conda_file:'");
    }
    return {};
  }

  // The places of the command, each at its own line where that can be told.
  Status check_places(const YamlNode& root) const {
    Status checked = check_command(out_);
    const YamlNode* node = root.find("command");
    if (checked.has_value() || node == nullptr) {
      return checked;
    }
    Error error = std::move(checked).error();
    error.at = node->at;
    const std::size_t named = error.message.find("${{");
    const std::size_t end = error.message.find("}}", named);
    if (named != std::string::npos && end != std::string::npos) {
      error.at = find(error.message.substr(named, end + 2 - named), node->at);
    }
    return error;
  }

  // The line at or below `from` that holds the text, else `from`.
  Location find(std::string_view wanted, const Location& from) const {
    const std::vector<std::string_view> lines = split_lines(text_);
    for (std::size_t i = static_cast<std::size_t>(std::max(from.line, 1)) - 1; i < lines.size();
         ++i) {
      const std::size_t column = lines[i].find(wanted);
      if (column != std::string_view::npos) {
        return {from.file, static_cast<int>(i) + 1, static_cast<int>(column) + 1};
      }
    }
    return from;
  }

  std::string_view text_;
  const std::string& file_;
  FileSource& files_;
  const ReadOptions& options_;
  Diagnostics& diagnostics_;
  CommandJob out_;
};

const std::array<JobReader::Key, 17> JobReader::kKeys = {{
    {"$schema", &JobReader::read_schema},
    {"type", &JobReader::read_type},
    {"name", &JobReader::read_name},
    {"display_name", &JobReader::read_display_name},
    {"experiment_name", &JobReader::read_experiment_name},
    {"description", &JobReader::read_description},
    {"tags", &JobReader::read_tags},
    {"command", &JobReader::read_command},
    {"code", &JobReader::read_code},
    {"environment", &JobReader::read_environment},
    {"environment_variables", &JobReader::read_variables},
    {"inputs", &JobReader::read_inputs},
    {"outputs", &JobReader::read_outputs},
    {"compute", &JobReader::read_compute},
    {"distribution", &JobReader::read_distribution},
    {"resources", &JobReader::read_resources},
    {"limits", &JobReader::read_limits},
}};

}  // namespace

Result<CommandJob> parse_command_job(std::string_view text, const std::string& file,
                                     FileSource& files, const ReadOptions& options,
                                     Diagnostics& diagnostics) {
  return read_yaml_text(text, file, "a job file", kMaxCommandJobBytes, diagnostics,
                        [&](const YamlNode& node, Diagnostics& found) {
                          return JobReader(text, file, files, options, found).read(node);
                        });
}

}  // namespace cloche::definition
