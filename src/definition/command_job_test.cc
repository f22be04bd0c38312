#include "definition/command_job.h"

#include <map>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "core/text.h"
#include "definition/command_template.h"

namespace cloche::definition {
namespace {

class CommandJobTest : public testing::Test {
 protected:
  Result<CommandJob> parse(const std::string& text) {
    diagnostics_ = {};
    return parse_command_job(text, "jobs/job.yml", files_, {}, diagnostics_);
  }
  // The whole message of a file that is refused; "" when it is not.
  std::string refusal(const std::string& text, ErrorKind kind = ErrorKind::kInvalid) {
    const auto job = parse(text);
    if (job.has_value()) {
      return "";
    }
    EXPECT_EQ(job.error().kind, kind) << job.error().to_string();
    EXPECT_EQ(job.error().at.file, "jobs/job.yml") << job.error().to_string();
    return job.error().to_string();
  }

  MemoryFiles files_;
  Diagnostics diagnostics_;
};

constexpr const char* kWhole = R"(
$schema: https://azuremlschemas.azureedge.net/latest/commandJob.schema.json
type: command
name: train-1
display_name: the first
experiment_name: digits
description: what it is
tags: {team: vision}
command: >-
  python train.py --lr ${{inputs.lr}} --data ${{inputs.data}}
  --out ${{ outputs.model }}
code: ../src
environment: azureml:train:3
environment_variables:
  EPOCHS: 3
inputs:
  lr: 0.10
  data: {type: uri_folder, path: data, mode: ro_mount}
outputs:
  model:
compute: local
distribution: {type: pytorch, process_count_per_instance: 2}
resources: {instance_count: 2, shm_size: 512m, cpus: 0.5, memory: 1GiB, gpus: 1}
limits: {timeout: 900}
)";

TEST_F(CommandJobTest, ReadsEveryKey) {
  ASSERT_VALUE(job, parse(kWhole));
  EXPECT_EQ(job.name, "train-1");
  EXPECT_EQ(job.experiment_name, "digits");
  EXPECT_EQ(job.display_name, "the first");
  EXPECT_EQ(job.code, "src");
  EXPECT_EQ(std::get<AssetReference>(*job.environment).version, "3");
  EXPECT_EQ(job.environment_variables.at("EPOCHS"), "3");
  EXPECT_EQ(job.inputs.at("lr").kind, JobInput::Kind::kLiteral);
  EXPECT_EQ(job.inputs.at("lr").value, "0.10");
  EXPECT_EQ(job.inputs.at("data").kind, JobInput::Kind::kFolder);
  EXPECT_EQ(job.inputs.at("data").value, "jobs/data");
  EXPECT_EQ(job.outputs.at("model").kind, JobOutput::Kind::kFolder);
  EXPECT_EQ(job.distribution.kind, JobDistribution::Kind::kPyTorch);
  EXPECT_EQ(job.distribution.processes_per_instance, 2);
  EXPECT_EQ(job.resources.instance_count, 2);
  EXPECT_EQ(job.resources.shm_bytes, 512U << 20U);
  EXPECT_EQ(job.resources.milli_cpus, 500);
  EXPECT_EQ(job.resources.memory_bytes, 1U << 30U);
  EXPECT_EQ(job.resources.gpus, 1);
  EXPECT_EQ(job.timeout_s, 900);
  EXPECT_TRUE(diagnostics_.empty());
}

TEST_F(CommandJobTest, TheCommandIsFilledWithWhatItNames) {
  ASSERT_VALUE(job, parse(kWhole));
  const auto pieces = split_command(job.command);
  ASSERT_TRUE(pieces.has_value());
  const std::string filled = fill_command(*pieces, [](const CommandPiece& piece) {
    return (piece.kind == CommandPiece::Kind::kInput ? "/in/" : "/out/") + piece.text;
  });
  EXPECT_EQ(filled, "python train.py --lr /in/lr --data /in/data --out /out/model");
}

TEST_F(CommandJobTest, TheEnvironmentMayStandInTheJob) {
  files_.add("jobs/conda.yml", "dependencies: [python=3.11]\n");
  ASSERT_VALUE(job,
               parse("command: ls\nenvironment: {image: python:3.11, conda_file: conda.yml}\n"));
  EXPECT_TRUE(std::get<Environment>(*job.environment).definition.conda.has_value());
  ASSERT_VALUE(other, parse("command: ls\nenvironment: file:environment.yml\n"));
  EXPECT_EQ(std::get<AssetReference>(*other.environment).file, "jobs/environment.yml");
}

const std::string kMinimal = "command: ls\nenvironment: train\n";

TEST_F(CommandJobTest, RefusesWithPlaceAndRemedy) {
  EXPECT_THAT(refusal("command: ls\n"), testing::HasSubstr("no environment"));
  EXPECT_THAT(refusal("environment: train\n"), testing::HasSubstr("no command"));
  EXPECT_THAT(refusal(kMinimal + "enviroment_variables: {}\n"),
              testing::HasSubstr("did you mean environment_variables?"));
  EXPECT_THAT(refusal("command: |\n  echo\n  cat ${{inputs.z}}\nenvironment: train\n"
                      "inputs: {x: 1}\n"),
              testing::HasSubstr("jobs/job.yml:3:7"));
  EXPECT_THAT(refusal("command: cat ${{inputs.dta}}\nenvironment: t\ninputs: {data: 1}\n"),
              testing::HasSubstr("did you mean ${{inputs.data}}?"));
  EXPECT_THAT(refusal("command: cat ${{inputs.dta\nenvironment: t\n"),
              testing::HasSubstr("without its }}"));
  EXPECT_THAT(refusal("command: cat ${{input.x}}\nenvironment: t\n"),
              testing::HasSubstr("did you mean ${{inputs.x}}?"));
  EXPECT_THAT(refusal(kMinimal + "inputs: {a-b: 1}\n"), testing::HasSubstr("no name of an input"));
  EXPECT_THAT(refusal(kMinimal + "limits: {timeout: soon}\n"), testing::HasSubstr("whole number"));
  EXPECT_THAT(refusal(kMinimal + "resources: {shm_size: 2x}\n"), testing::HasSubstr("2g, 512m"));
  EXPECT_THAT(refusal(kMinimal + "resources: {instance_cout: 2}\n"),
              testing::HasSubstr("did you mean instance_count?"));
  EXPECT_THAT(refusal(kMinimal + "name: a/b\n"), testing::HasSubstr("no name for a job"));
  EXPECT_THAT(refusal(kMinimal + "compute: <your compute>\n"), testing::HasSubstr("placeholder"));
  EXPECT_THAT(refusal(kMinimal + "inputs: {x: {path: d, type: uri_fodler}}\n"),
              testing::HasSubstr("did you mean uri_folder?"));
}

TEST_F(CommandJobTest, SaysWhatIsNotSupported) {
  const auto unsupported = [&](const std::string& text) {
    return refusal(text, ErrorKind::kUnsupported);
  };
  EXPECT_THAT(unsupported("command: run ${{search_space.lr}}\nenvironment: t\n"),
              testing::HasSubstr("sweeps"));
  EXPECT_THAT(unsupported(kMinimal + "resources: {docker_args: --ipc=host}\n"),
              testing::HasSubstr("not supported on this machine"));
  EXPECT_THAT(unsupported(kMinimal + "distribution: {type: tensorflow, worker_count: 2}\n"),
              testing::HasSubstr("pytorch starts one process"));
  EXPECT_THAT(unsupported(kMinimal + "inputs: {t: {type: mltable, path: d}}\n"),
              testing::HasSubstr("write the table into a file"));
  EXPECT_THAT(unsupported(kMinimal + "inputs: {t: {path: \"azureml:data@latest\"}}\n"),
              testing::HasSubstr("Azure workspace"));
  EXPECT_THAT(unsupported(kMinimal + "inputs: {t: {path: \"https://u:pw@x.org/iris.csv\"}}\n"),
              testing::AllOf(testing::HasSubstr("download it first"),
                             testing::Not(testing::HasSubstr("pw"))));
  EXPECT_THAT(unsupported("type: pipeline\njobs: {}\n"), testing::HasSubstr("pipeline"));
  EXPECT_THAT(unsupported(kMinimal + "inputs: {t: {path: d, mode: rw_mount}}\n"),
              testing::HasSubstr("read-only"));
}

TEST_F(CommandJobTest, WarnsOfWhatHasNoMeaningHere) {
  ASSERT_VALUE(job, parse(kMinimal + "services: {x: {type: vs_code}}\nidentity: {type: managed}\n"
                                     "outputs: {o: {path: azureml://datastores/d/paths/p}}\n"));
  EXPECT_EQ(job.command, "ls");
  EXPECT_EQ(diagnostics_.list().size(), 3U);
  EXPECT_EQ(diagnostics_.list()[0].rule, "job-ignored-key");
}

TEST(CommandTemplate, LeavesTheShellsOwnAlone) {
  const auto pieces = split_command("echo ${HOME} $[[x]] {{y}} $ {");
  ASSERT_TRUE(pieces.has_value());
  EXPECT_EQ(pieces->size(), 1U);
}

TEST(Cpus, AreThousandths) {
  EXPECT_EQ(parse_cpus("2").value(), 2000);
  EXPECT_EQ(parse_cpus("0.5").value(), 500);
  EXPECT_EQ(parse_cpus("0.125").value(), 125);
  for (const char* text : {"", "0", "-1", "1.", ".5", "1.2345", "x", "5000"}) {
    EXPECT_FALSE(parse_cpus(text).has_value()) << text;
  }
}

// What becomes of people's own files: most are read; each that is not says why.
TEST_F(CommandJobTest, RealFilesAreReadOrRefusedWithAReason) {
  const std::string data = shared_data(CLOCHE_SOURCE_DIR, "definitions/azureml_job.jsonl");
  if (data.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  std::map<std::string, int> outcomes;
  for (const std::string_view line : split_lines(data)) {
    ASSERT_VALUE(record, parse_json(line));
    files_.add("jobs/docker-context/Dockerfile", "FROM python:3.11\n");
    files_.add("jobs/src/main/resources/Docker/Dockerfile", "FROM python:3.11\n");
    files_.add("jobs/conda.yaml", "dependencies: [python=3.11]\n");
    const auto job = parse(record.string_or_empty("text"));
    if (!job.has_value()) {
      EXPECT_FALSE(job.error().hint.empty()) << job.error().to_string();
    }
    ++outcomes[job.has_value() ? "read" : std::string(to_string(job.error().kind))];
  }
  // Unsupported: data in Azure or on the web, TensorFlow's distribution, docker_args. Invalid:
  // templates.
  EXPECT_EQ(outcomes,
            (std::map<std::string, int>{{"read", 23}, {"unsupported", 17}, {"invalid", 3}}));
}

}  // namespace
}  // namespace cloche::definition
