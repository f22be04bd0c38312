#include "definition/conda_yaml.h"

#include <chrono>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "core/text.h"

namespace cloche::definition {
namespace {

constexpr const char* kFile = "env/environment.yml";

struct Read {
  Result<CondaYaml> result = CondaYaml();
  Diagnostics diagnostics;

  bool ok() const { return result.has_value(); }
  const CondaSection& conda() const { return result->conda; }
  std::vector<std::string> rules() const {
    std::vector<std::string> out;
    for (const Diagnostic& one : diagnostics.list()) {
      out.push_back(one.rule);
    }
    return out;
  }
};

Read read(const std::string& text) {
  Read out;
  MemoryFiles files;
  files.add("env/more.txt", "scipy==1.11\n");
  out.result = parse_conda_yaml(text, kFile, files, {}, out.diagnostics);
  return out;
}

std::vector<std::string> texts(const CondaSection& conda) {
  std::vector<std::string> out;
  for (const CondaDependency& one : conda.dependencies) {
    out.push_back(one.selector.empty() ? one.text : one.text + " [" + one.selector + "]");
  }
  return out;
}

using Texts = std::vector<std::string>;

TEST(CondaYaml, ReadsEveryKey) {
  const Read env = read(
      "name: train\n"
      "channels:\n"
      "  - conda-forge\n"
      "  - nodefaults\n"
      "dependencies:\n"
      "  - python =3.11   # comments go\n"
      "  - \"numpy   >=1.26 # also these\"\n"
      "  - pip:\n"
      "      - requests==2.31\n"
      "  - conda-forge::scipy\n"
      "platforms: [linux-64, osx-arm64]\n"
      "variables:\n"
      "  A: 1.10\n"
      "  B: yes\n"
      "  C: 'x y'\n"
      "  D:\n");
  ASSERT_TRUE(env.ok()) << env.result.error().to_string();
  EXPECT_EQ(env.conda().name, "train");
  ASSERT_EQ(env.conda().channels.size(), 1U);
  EXPECT_EQ(env.conda().channels[0].text, "conda-forge");
  EXPECT_EQ(env.conda().channels[0].at, (Location{kFile, 3, 5}));
  EXPECT_TRUE(env.conda().nodefaults);
  EXPECT_EQ(texts(env.conda()), (Texts{"python =3.11", "numpy >=1.26", "conda-forge::scipy"}));
  EXPECT_EQ(env.conda().dependencies[2].at, (Location{kFile, 10, 5}));
  EXPECT_EQ(env.conda().platforms, (Texts{"linux-64", "osx-arm64"}));
  EXPECT_EQ(env.conda().variables,
            (StringMap{{"A", "1.10"}, {"B", "yes"}, {"C", "x y"}, {"D", ""}}));
  ASSERT_TRUE(env.result->pip.has_value());
  ASSERT_EQ(env.result->pip->lines.size(), 1U);
  EXPECT_EQ(env.result->pip->lines[0].text, "requests==2.31");
  EXPECT_EQ(env.result->pip->lines[0].at.line, 9);
  EXPECT_TRUE(env.diagnostics.empty());
}

TEST(CondaYaml, FillsInTheConfiguredChannels) {
  for (const char* text : {"dependencies: [numpy]", "dependencies: [numpy]\nchannels:\n",
                           "dependencies: [numpy]\nchannels: []\n"}) {
    MemoryFiles files;
    Diagnostics diagnostics;
    ReadOptions options;
    options.default_channels = {"https://mirror/a", "b"};
    ASSERT_VALUE(env, parse_conda_yaml(text, kFile, files, options, diagnostics));
    ASSERT_EQ(env.conda.channels.size(), 2U);
    EXPECT_EQ(env.conda.channels[0].text, "https://mirror/a");
    ASSERT_EQ(diagnostics.list().size(), 1U);
    EXPECT_EQ(diagnostics.list()[0].rule, "no-channels");
  }
}

TEST(CondaYaml, ReadsSelectorsFromCommentsAndKeys) {
  const Read env = read(
      "channels: [conda-forge]\n"
      "dependencies:\n"
      "  - a  # [linux]\n"
      "  - b  #[ osx   and arm64 ] for laptops\n"
      "  - c  # only there # [win]\n"
      "  - d  # explicitly install for [document_parsing]\n"
      "  - e  # [py3k]\n"
      "  - sel(linux): f\n"
      "  - sel( unix ): g  # [x86_64]\n"
      "  - \"h # [linux]\"\n"
      "  - 'it[build=x]'  # [not win]\n"
      "  - [j\n"
      "# [linux]\n"
      "  - k\n");
  ASSERT_FALSE(env.ok());  // line 12 opens a list that never closes
  const Read good = read(
      "channels: [conda-forge]\n"
      "dependencies:\n"
      "  - a  # [linux]\n"
      "  - b  #[ osx   and arm64 ] for laptops\n"
      "  - c  # only there # [win]\n"
      "  - d  # explicitly install for [document_parsing]\n"
      "  - e  # [py3k]\n"
      "  - sel(linux): f\n"
      "  - sel( unix ): g  # [x86_64]\n"
      "  - \"h # [linux]\"\n"
      "  - 'i[build=x]'  # [not win]\n"
      "# [linux]\n"
      "  - k\n");
  ASSERT_TRUE(good.ok()) << good.result.error().to_string();
  EXPECT_EQ(texts(good.conda()),
            (Texts{"a [linux]", "b [osx and arm64]", "c [win]", "d", "e", "f [linux]",
                   "g [(unix) and (x86_64)]", "h", "i[build=x] [not win]", "k"}));
  EXPECT_TRUE(good.diagnostics.empty());
}

TEST(CondaYaml, GivesAFlowListsLineToAllItsItems) {
  const Read env = read("channels: [c]\ndependencies: [a, 'b', c]  # [linux]\n");
  ASSERT_TRUE(env.ok());
  EXPECT_EQ(texts(env.conda()), (Texts{"a [linux]", "b [linux]", "c [linux]"}));
}

TEST(CondaYaml, CountsLinesAsYamlDoes) {
  const Read env = read("channels: [c]\r\ndependencies:\r# x\n  - a # [linux]\r\n  - b\r\n");
  ASSERT_TRUE(env.ok()) << env.result.error().to_string();
  EXPECT_EQ(texts(env.conda()), (Texts{"a [linux]", "b"}));
}

TEST(CondaYaml, ReadsAnInlineNodeWithoutComments) {
  ASSERT_VALUE(node,
               parse_yaml("channels: [c]\ndependencies:\n- a # [linux]\n- sel(osx): b\n", ""));
  MemoryFiles files;
  Diagnostics diagnostics;
  ASSERT_VALUE(env, read_conda_node(node, "job.yml", files, {}, diagnostics));
  EXPECT_EQ(texts(env.conda), (Texts{"a", "b [osx]"}));
}

TEST(CondaYaml, JoinsPipSectionsWhereverTheyStand) {
  const Read env = read(
      "channels: [c]\n"
      "dependencies:\n"
      "  - pip:\n"
      "    - -r more.txt\n"
      "    - |\n"
      "      requests\n"
      "      urllib3\n"
      "  - pip\n"
      "  - pip: [click]\n");
  ASSERT_TRUE(env.ok()) << env.result.error().to_string();
  EXPECT_EQ(texts(env.conda()), (Texts{"pip"}));
  EXPECT_EQ(env.rules(), (Texts{"conda-pip-twice"}));
  ASSERT_TRUE(env.result->pip.has_value());
  const auto& lines = env.result->pip->lines;
  ASSERT_EQ(lines.size(), 4U);
  EXPECT_EQ(lines[0].text, "scipy==1.11");
  EXPECT_EQ(lines[2].text, "urllib3");
  EXPECT_EQ(lines[2].at.line, 7);
  EXPECT_EQ(lines[3].text, "click");
}

TEST(CondaYaml, WarnsOfWhatItDoesNotUse) {
  struct Case {
    std::string text, rule, message, hint;
  };
  const std::string deps = "channels: [c]\ndependencies: [a]\n";
  for (const Case& one : std::initializer_list<Case>{
           {deps + "prefix: /home/me/env\n", "conda-prefix",
            "'prefix' is ignored: where an environment lies is not part of it",
            "remove the line; 'conda env export' writes it"},
           {deps + "category: dev\n", "conda-category", "'category' is read and has no effect", ""},
           {deps + "chanels: [d]\n", "conda-unknown-key",
            "'chanels' is no key of a conda environment and is ignored", "did you mean channels?"},
           {deps + "allow-pypi-requests: true\n", "conda-unknown-key",
            "'allow-pypi-requests' is no key of a conda environment and is ignored", ""},
           {deps + "name: base\n", "conda-name", "conda refuses the environment name 'base'", ""},
           {deps + "name: a/b\n", "conda-name",
            "conda refuses environment names with '/', ':', '#' or a blank", ""},
           {deps + "variables: {a-b: 1}\n", "conda-variable-name",
            "'a-b' is an unusual name for an environment variable",
            "shells know letters, digits and '_' only"},
           {"channels: [c, d, c]\ndependencies: [a]\n", "conda-channel-twice",
            "the channel 'c' stands twice; its first place counts", ""},
           {"channels: [c]\ndependencies: []\n", "conda-no-dependencies",
            "the environment asks for no packages", ""},
           {"channels: [c]\ndependencies: [a, pip: ]\n", "conda-pip-empty",
            "the pip section is empty", ""},
           {"channels: [c]\ndependencies:\n- a # [linxu]\n", "conda-unknown-selector",
            "[linxu] is no selector, so the line always counts", "did you mean linux?"},
           {"channels: [c]\ndependencies:\n- a # [osx-arm64]\n", "conda-unknown-selector",
            "[osx-arm64] is no selector, so the line always counts",
            "a selector names parts of a platform: [linux64], [osx and arm64]"},
           {"channels:\n- c # [linux]\ndependencies: [a]\n", "conda-selector-ignored",
            "the selector [linux] has no effect on this line",
            "selectors work for conda packages; pip has markers: numpy; sys_platform == 'linux'"},
           {"channels: [c]\ndependencies:\n- pip:\n  - a # [win]\n", "conda-selector-ignored",
            "the selector [win] has no effect on this line",
            "selectors work for conda packages; pip has markers: numpy; sys_platform == 'linux'"},
           {"channels: [c]\ndependencies: [numpy-1.26]\n", "conda-version-in-name",
            "'numpy-1.26' is taken as a package's whole name", "did you mean numpy=1.26?"},
           {"channels: [c]\ndependencies: [numpy latest]\n", "conda-version-without-digit",
            "'latest' is taken as the version of numpy", "leave it out for the newest version"},
       }) {
    const Read env = read(one.text);
    ASSERT_TRUE(env.ok()) << env.result.error().to_string();
    ASSERT_EQ(env.diagnostics.list().size(), 1U) << one.text;
    EXPECT_EQ(env.diagnostics.list()[0].rule, one.rule);
    EXPECT_EQ(env.diagnostics.list()[0].message, one.message);
    EXPECT_EQ(env.diagnostics.list()[0].hint, one.hint);
    EXPECT_EQ(env.diagnostics.list()[0].at.file, kFile);
  }
}

TEST(CondaYaml, RefusesWithPlaceAndHint) {
  struct Case {
    std::string text, message, hint;
    int line, column;
  };
  for (const Case& one : std::initializer_list<Case>{
           {"", "a conda environment file is empty",
            "write at least 'dependencies:' and a list of packages", 1, 1},
           {"- numpy\n", "a conda environment is a mapping, not a list",
            "write 'dependencies:' above the list of packages", 1, 1},
           {"name: a\n", "the key 'dependencies' is missing",
            "a conda environment lists its packages below 'dependencies:'", 1, 1},
           {"name: a\ndependancies: [b]\n", "a conda environment has no key 'dependancies'",
            "did you mean dependencies?", 2, 1},
           {"dependencies:\n", "'dependencies' is empty",
            "list packages below it ('- python=3.11'), or write 'dependencies: []'", 1, 14},
           {"dependencies: numpy\n", "'dependencies' is a list, not a text",
            "write each item on its own line: '- numpy'", 1, 15},
           {"dependencies:\n  numpy: 1\n", "'dependencies' is a list, not a mapping",
            "write each item on its own line: '- numpy'", 2, 3},
           {"dependencies: [a]\nchannels: conda-forge\n", "'channels' is a list, not a text",
            "write each item on its own line: '- conda-forge'", 2, 11},
           {"dependencies: [a]\nchannels: ['']\n", "a channel is empty",
            "remove the line or name a channel", 2, 12},
           {"dependencies: [a]\nchannels:\n - a, b\n", "a channel's name holds a blank or a comma",
            "write each channel on its own line: '- conda-forge'", 3, 4},
           {"dependencies: [a]\nchannels: [nodefaults]\n",
            "'nodefaults' leaves no channel to take packages from",
            "name a channel beside it, such as conda-forge", 2, 11},
           {"dependencies: [a]\nname: [b]\n", "the name is a text, not a list",
            "check the indentation and the dashes", 2, 7},
           {"dependencies: [a]\nplatforms: [linux64]\n", "'linux64' is no platform",
            "did you mean linux-64?", 2, 13},
           {"dependencies: [a]\nplatforms: [noarch]\n",
            "'noarch' is no platform to make an environment for",
            "name a platform such as linux-64", 2, 13},
           {"dependencies: [a]\nvariables: [b]\n", "'variables' is a mapping, not a list",
            "write each variable as 'NAME: value' on its own line", 2, 12},
           {"dependencies: [a]\nvariables: {b: [c]}\n", "the variable b is a text, not a list",
            "check the indentation and the dashes", 2, 16},
           {"dependencies: [a]\nvariables: {b=c: d}\n", "a variable's name is empty or holds '='",
            "write 'NAME: value'", 2, 13},
           {"dependencies:\n-\n", "an item of 'dependencies' is empty",
            "remove the dash or write a package's name", 2, 2},
           {"dependencies:\n- - a\n", "a list stands where a package should",
            "remove one of the dashes, or check the indentation", 2, 3},
           {"dependencies:\n- 3.10\n", "3.10 is read as a number, not as a package",
            "write python=3.10 or the like", 2, 3},
           {"dependencies:\n- yes\n", "yes is read as yes or no, not as a package",
            "put quotes around it", 2, 3},
           {"dependencies:\n- numpy=>1.2\n",
            "'numpy=>1.2' is no conda package: '=>' is not an operator", "did you mean numpy>=1.2?",
            2, 8},
           {"dependencies:\n- \"numpy=>1.2\"\n",
            "'numpy=>1.2' is no conda package: '=>' is not an operator", "did you mean numpy>=1.2?",
            2, 9},
           {"dependencies:\n- -r requirements.txt\n",
            "'-r requirements.txt' is no conda package: this is an option of pip, not a package",
            "put it below '- pip:'", 2, 3},
           {"dependencies:\n- \"{{ local-package }}\"\n",
            "'{{ local-package }}' is no conda package: this is a template that was not filled in",
            "{{ local-package }} is a placeholder of a template: put the real value there first", 2,
            3},
           {"dependencies:\n- npm:\n  - a\n", "'npm' is no section of dependencies",
            "the sections are 'pip:' and 'sel(linux):'", 2, 3},
           {"dependencies:\n- pipp:\n  - a\n", "'pipp' is no section of dependencies",
            "did you mean pip?", 2, 3},
           {"dependencies:\n- python: 3.10\n", "'python' is no section of dependencies",
            "a package and its version are joined by '=': '- python=3.10'", 2, 3},
           {"dependencies:\n- sel(py3k): a\n", "the selector has 'py3k', which is no platform",
            "write platform names joined by and, or, not: [linux], [osx and arm64], [not win]", 2,
            3},
           {"dependencies:\n- sel(linux): [a, b]\n", "'sel(linux)' takes one package, not a list",
            "write an item of its own for each package", 2, 15},
           {"dependencies:\n- pip: requests\n", "'pip' is a list, not a text",
            "write each item on its own line: '- requests'", 2, 8},
           {"dependencies:\n- pip:\n  - a: b\n", "a mapping stands where a line for pip should",
            "put quotes around a text that holds ': '", 3, 5},
           {"dependencies:\n- pip:\n  -\n", "an item of the pip section is empty",
            "remove the dash or write a requirement", 3, 4},
           {"python: 3.8\nbuild_dependencies: [pip]\ndependencies: [-r requirements.txt]\n",
            "this is MLflow's python_env.yaml, not a conda environment",
            "use the conda.yaml or the requirements.txt that stands beside it", 2, 1},
           {"name: a\nimage: b\nconda_file: c\n",
            "this is an Azure ML environment, not a conda one",
            "give this file itself to 'cloche env create -f', or the conda file that it names", 3,
            1},
           {"type: spark\ncode: ./src\n", "this is a job or component, not a conda environment",
            "give the environment that it names", 2, 1},
       }) {
    const Read env = read(one.text);
    ASSERT_FALSE(env.ok()) << one.text;
    const Error& error = env.result.error();
    EXPECT_EQ(error.kind, ErrorKind::kInvalid) << one.text;
    EXPECT_EQ(error.message, one.message) << one.text;
    EXPECT_EQ(error.hint, one.hint) << one.text;
    EXPECT_EQ(error.at, (Location{kFile, one.line, one.column})) << one.text;
    const auto lines = split_lines(one.text);
    const auto index = static_cast<std::size_t>(one.line - 1);
    EXPECT_EQ(error.excerpt, index < lines.size() ? lines[index] : "") << one.text;
  }
}

TEST(CondaYaml, WritesWhatItReads) {
  CondaSection conda;
  conda.name = "1.10";
  conda.channels = {{"https://h/c", {}}, {"conda-forge", {}}};
  conda.nodefaults = true;
  conda.dependencies = {{"python=3.11", "", {}}, {"gdb", "linux", {}}};
  conda.platforms = {"linux-64"};
  conda.variables = {{"A", "yes"}, {"B", ""}};
  PipSection pip;
  pip.lines = {{PipLine::Kind::kRequirement, "requests==2.31", {}}};
  EXPECT_EQ(write_conda_yaml(conda, pip),
            "name: \"1.10\"\n"
            "channels:\n"
            "  - https://h/c\n"
            "  - conda-forge\n"
            "  - nodefaults\n"
            "dependencies:\n"
            "  - python=3.11\n"
            "  - sel(linux): gdb\n"
            "  - pip:\n"
            "      - requests==2.31\n"
            "platforms:\n"
            "  - linux-64\n"
            "variables:\n"
            "  A: \"yes\"\n"
            "  B: \"\"\n");
  EXPECT_EQ(write_conda_yaml({}, {}), "dependencies: []\n");
}

// Everything but the places.
Json shape(const CondaYaml& env) {
  Json out = Json::object();
  out.set("name", env.conda.name).set("nodefaults", env.conda.nodefaults);
  Json list = Json::array();
  for (const Line& one : env.conda.channels) {
    list.push(one.text);
  }
  for (const CondaDependency& one : env.conda.dependencies) {
    list.push(one.text).push(one.selector);
  }
  for (const std::string& one : env.conda.platforms) {
    list.push(one);
  }
  for (const auto& [name, value] : env.conda.variables) {
    list.push(name).push(value);
  }
  if (env.pip) {
    for (const PipLine& one : env.pip->lines) {
      list.push(static_cast<int>(one.kind)).push(one.text);
    }
  }
  return out.set("lists", std::move(list));
}

rc::Gen<CondaYaml> any_env() {
  const auto text = rc::gen::nonEmpty(
      rc::gen::container<std::string>(rc::gen::elementOf(std::string("ab1. -_:#'\"\n\xc3\xa9"))));
  const auto clean = rc::gen::map(text, [](const std::string& one) {
    return is_valid_utf8(one) ? collapse_blanks(one) : std::string("x");
  });
  const auto spec = rc::gen::element<std::string>(
      "python=3.11", "numpy >=1.26,<2", "conda-forge::scipy", "blas[build='mkl']", "pytorch",
      "https://h/noarch/a-1-0.conda", "x==1!2.0_", "*");
  const auto selector = rc::gen::element<std::string>("", "linux", "not (osx or win)");
  const auto pip = rc::gen::element<std::string>("requests==2.31", "numpy>=1.26", "click");
  return rc::gen::apply(
      [](const std::string& name, const std::vector<std::string>& specs,
         const std::vector<std::string>& selectors, const std::vector<std::string>& pips,
         const std::map<std::string, std::string>& variables, bool nodefaults) {
        CondaYaml out;
        out.conda.name = name;
        out.conda.channels = {{"conda-forge", {}}, {"https://h/t/a-b/c", {}}};
        out.conda.nodefaults = nodefaults;
        for (std::size_t i = 0; i < specs.size(); ++i) {
          out.conda.dependencies.push_back(
              {specs[i], selectors.empty() ? "" : selectors[i % selectors.size()], {}});
        }
        for (const std::string& one : pips) {
          out.pip = out.pip.value_or(PipSection());
          out.pip->lines.push_back({PipLine::Kind::kRequirement, one, {}});
        }
        for (const auto& [key, value] : variables) {
          out.conda.variables["V" + std::to_string(key.size())] = value;
        }
        return out;
      },
      clean, rc::gen::container<std::vector<std::string>>(spec),
      rc::gen::container<std::vector<std::string>>(selector),
      rc::gen::container<std::vector<std::string>>(pip),
      rc::gen::container<std::map<std::string, std::string>>(text, clean),
      rc::gen::arbitrary<bool>());
}

RC_GTEST_PROP(CondaYaml, ParsesWhatItWrote, ()) {
  const CondaYaml env = *any_env();
  const std::string text = write_conda_yaml(env.conda, env.pip);
  const Read again = read(text);
  if (!again.ok()) {
    RC_FAIL(again.result.error().to_string() + "\n" + text);
  }
  RC_ASSERT(shape(*again.result).dump() == shape(env).dump());
}

RC_GTEST_PROP(CondaYaml, IsUnmovedByCommentsLineEndsAndKeyOrder, ()) {
  const CondaYaml env = *any_env();
  const std::string text = write_conda_yaml(env.conda, env.pip);
  std::string crlf = "# first\r\n\r\n";
  for (const std::string_view line : split_lines(text)) {
    crlf += std::string(line) + (line.ends_with('"') ? "" : "   # why") + "\r\n";
  }
  const Read plain = read(text);
  const Read windows = read(crlf);
  RC_ASSERT(plain.ok() && windows.ok());
  RC_ASSERT(shape(*plain.result).dump() == shape(*windows.result).dump());
}

TEST(CondaYaml, RefusesGarbageAtOnce) {
  const auto start = std::chrono::steady_clock::now();
  std::string deep = "dependencies: ";
  deep.append(1'000'000, '[');
  EXPECT_FALSE(read(deep).ok());
  EXPECT_FALSE(read(std::string(1'000'000, '#')).ok());
  std::string many = "dependencies:\n";
  for (int i = 0; i < 20'001; ++i) {
    many += "- a\n";
  }
  EXPECT_FALSE(read(many).ok());
  EXPECT_FALSE(read("dependencies: [" + std::string(1'000'000, '=') + "]").ok());
  EXPECT_FALSE(read(std::string(5'000'000, ' ')).ok());
  EXPECT_FALSE(read(std::string(1'000'000, '\0')).ok());
  std::string flow = "channels: [c]\ndependencies: [a";
  for (int i = 0; i < 19'000; ++i) {
    flow += ", a";
  }
  EXPECT_TRUE(read(flow + "]  " + std::string(100'000, '#') + " [linux]\n").ok());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
}

// Files of public repositories. Those that are refused are no conda environments as they stand.
TEST(CondaYaml, ReadsRealFilesOrSaysWhyNot) {
  const std::string data = shared_data(CLOCHE_SOURCE_DIR, "definitions/conda.jsonl");
  if (data.empty()) {
    GTEST_SKIP();
  }
  const std::string mlflow = "this is MLflow's python_env.yaml, not a conda environment";
  const std::string component = "this is an Azure ML file of another kind, not a conda environment";
  const std::string template_version = "'{{latest-pypi-version}}' is no version (PEP 440)";
  const std::string assets = "Azure/azureml-assets: ";
  const std::string azure = "Azure/azureml-examples: ";
  const std::string conda_file = "/context/conda_dependencies.yaml";
  std::map<std::string, std::string> expected = {
      {assets + "assets/inference/environments/mlflow-py312-inference/tests/src/"
                "mlflow_2_0_model_folder/python_env.yaml",
       mlflow},
      {azure + "cli/jobs/pipelines-with-components/nyc_taxi_data_regression/artifacts/model/"
               "python_env.yaml",
       mlflow},
      {azure + "sdk/python/assets/assets-in-registry/artifacts/model/python_env.yaml", mlflow},
      {azure + "sdk/python/endpoints/batch/deploy-models/openai-embeddings/model/python_env.yaml",
       mlflow},
      {azure + "sdk/python/endpoints/online/mlflow/sklearn-diabetes/model/python_env.yaml", mlflow},
      {azure + "sdk/python/using-mlflow/deploy/model/python_env.yaml", mlflow},
      {azure + "tutorials/get-started-notebooks/deploy/credit_defaults_model/python_env.yaml",
       mlflow},
      {azure + "cli/monitoring/components/custom_preprocessing/spec.yaml", component},
      {azure + "cli/monitoring/components/custom_signal/spec.yaml", component},
      {azure + "sdk/python/jobs/pipelines/1b_pipeline_with_python_function_components/src/env.yaml",
       "this is an Azure ML environment, not a conda one"},
      {"pydata/xarray: doc/environment_template.yml",
       "'{{ local-package }}' is no conda package: this is a template that was not filled in"},
      {"conda/conda-lock: tests/test-pip-hash-checking/environment.yml",
       "a sha256 hash has 64 hexadecimal digits, this one 4 characters"},
      {assets + "test/resources/release/src" + conda_file, template_version},
  };
  for (const char* name :
       {"data-labeling/environments/data-labeling-sam",
        "inference/environments/minimal-py311-inference",
        "inference/environments/minimal-py312-cuda12.4-inference",
        "inference/environments/mlflow-py312-inference",
        "large_language_models/rag/environments/rag_embeddings",
        "pipelines/environments/mldesigner", "training/forecasting_demand/environments/automl-gpu",
        "training/general/environments/tensorflow-2.16-cuda11"}) {
    expected[assets + "assets/" + name + conda_file] = template_version;
  }
  for (const char* name :
       {"environment/build/build-test-good", "validate/bad-build-context",
        "validate/dockerfile-from-ce-image-windows", "validate/ubuntu-in-name"}) {
    expected[assets + "test/resources/" + name + conda_file] = template_version;
  }
  std::map<std::string, std::string> refused;
  int count = 0;
  for (const std::string_view line : split_lines(data)) {
    ASSERT_VALUE(record, parse_json(line));
    const Read env = read(record["text"].as_string());
    ++count;
    if (!env.ok()) {
      refused[record["source"].as_string()] = env.result.error().message;
      continue;
    }
    const std::string written = write_conda_yaml(env.conda(), env.result->pip);
    const Read again = read(written);
    ASSERT_TRUE(again.ok()) << record["source"].as_string() << "\n"
                            << again.result.error().to_string();
    EXPECT_EQ(shape(*again.result).dump(1), shape(*env.result).dump(1));
  }
  EXPECT_EQ(count, 211);
  EXPECT_EQ(refused.size(), 25U);
  EXPECT_EQ(refused, expected);
}

}  // namespace
}  // namespace cloche::definition
