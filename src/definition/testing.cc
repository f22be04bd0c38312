#include "definition/testing.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

#include <rapidcheck.h>

namespace cloche::definition {
namespace {

namespace gen = rc::gen;

// Few letters, so that equal texts and texts that differ by one thing are common.
rc::Gen<std::string> any_text() {
  static const std::string kLetters("ab=,:#\"\\[]{} \n\0\t\xc3\xa9\xff", 18);
  const auto letters = gen::container<std::string>(gen::elementOf(kLetters));
  return gen::oneOf(letters, gen::element<std::string>("", "numpy", "numpy=1.26", "é", "\xff"));
}

template <class T>
rc::Gen<std::vector<T>> some(rc::Gen<T> one, int most = 5) {
  return gen::mapcat(gen::inRange(0, most + 1), [one = std::move(one)](int count) {
    return gen::container<std::vector<T>>(static_cast<std::size_t>(count), one);
  });
}

template <class T>
rc::Gen<std::optional<T>> perhaps(rc::Gen<T> one) {
  return gen::mapcat(gen::inRange(0, 3), [one = std::move(one)](int dice) {
    return dice == 0 ? gen::just(std::optional<T>())
                     : gen::map(one, [](T value) { return std::optional<T>(std::move(value)); });
  });
}

rc::Gen<StringMap> any_map() {
  return gen::map(some(gen::pair(any_text(), any_text()), 3),
                  [](const auto& pairs) { return StringMap(pairs.begin(), pairs.end()); });
}

rc::Gen<Location> any_location() {
  const auto somewhere = gen::construct<Location>(
      gen::element<std::string>("environment.yml", "requirements.txt", "", "sub/a\xff.txt"),
      gen::inRange(0, 100), gen::inRange(0, 100));
  return gen::oneOf(somewhere, gen::just(Location{}));
}

rc::Gen<Line> line_of(rc::Gen<std::string> text) {
  return gen::construct<Line>(std::move(text), any_location());
}

rc::Gen<Digest> any_digest() {
  return gen::map(gen::inRange(0, 4), [](int i) { return Digest::of(std::to_string(i)); });
}

// Files hold one digit, so that a test can find their content.
rc::Gen<ContextFile> file_at(const std::string& path) {
  const auto file = gen::map(gen::pair(gen::element<std::uint32_t>(0644, 0755), any_digest()),
                             [path](const auto& parts) {
                               const auto& [mode, digest] = parts;
                               return ContextFile{path, FileKind::kFile, mode, 1, digest, ""};
                             });
  const auto link = gen::map(
      gen::element<std::string>("main.py", "../outside", "/etc/\xff"), [path](std::string target) {
        return ContextFile{path, FileKind::kSymlink, 0777, 0, {}, std::move(target)};
      });
  return gen::weightedOneOf<ContextFile>({{4, file}, {1, link}});
}

// A sorted tree: files of these folders only, and nothing below a file.
rc::Gen<std::vector<ContextFile>> any_files(std::vector<std::string> names) {
  return gen::mapcat(gen::container<std::vector<bool>>(names.size(), gen::arbitrary<bool>()),
                     [names](const std::vector<bool>& taken) {
                       auto files = gen::just(std::vector<ContextFile>());
                       for (std::size_t i = 0; i < names.size(); ++i) {
                         if (taken[i]) {
                           files = gen::map(gen::pair(files, file_at(names[i])), [](auto both) {
                             both.first.push_back(std::move(both.second));
                             return std::move(both.first);
                           });
                         }
                       }
                       return files;
                     });
}

rc::Gen<InferenceRoute> any_route(const rc::Gen<std::string>& path) {
  return gen::construct<InferenceRoute>(path, gen::inRange(1, 65536));
}

rc::Gen<std::optional<InferenceConfig>> any_inference(const rc::Gen<std::string>& path) {
  const auto route = perhaps(any_route(path));
  return perhaps(gen::construct<InferenceConfig>(route, route, route));
}

rc::Gen<Base> any_base() {
  const auto image = gen::construct<ImageBase>(any_text(), any_location());
  const auto file = gen::construct<DockerfileBase>(any_text(), any_location());
  const auto context = gen::construct<BuildContextBase>(
      any_text(), any_text(), any_files({"a", "b/c", "b/d", "e\xff", "f g"}), any_text(),
      any_text(), any_location());
  return gen::oneOf(gen::cast<Base>(image), gen::cast<Base>(file), gen::cast<Base>(context));
}

rc::Gen<CondaSection> any_conda() {
  return gen::construct<CondaSection>(
      any_text(), some(line_of(any_text()), 3), gen::arbitrary<bool>(),
      some(gen::construct<CondaDependency>(any_text(), any_text(), any_location())),
      some(any_text(), 2), any_map());
}

rc::Gen<PipLine::Kind> any_pip_kind() {
  return gen::element(PipLine::Kind::kRequirement, PipLine::Kind::kConstraint,
                      PipLine::Kind::kOption);
}

rc::Gen<Json> any_v1_rest() {
  return gen::element(Json(), Json::object().set("spark", Json::object().set("precache", true)));
}

// ---- what parsers make

rc::Gen<std::string> version_number() {
  return gen::map(gen::pair(gen::inRange(0, 3), gen::inRange(0, 12)), [](const auto& parts) {
    return std::to_string(parts.first) + "." + std::to_string(parts.second);
  });
}

rc::Gen<std::string> package_name() {
  return gen::element<std::string>("numpy", "scipy", "pandas", "pytorch", "scikit-learn", "Jinja2");
}

rc::Gen<std::string> with_version(std::vector<std::string> operators) {
  const auto suffix = gen::map(gen::pair(gen::elementOf(std::move(operators)), version_number()),
                               [](const auto& parts) { return parts.first + parts.second; });
  return gen::map(gen::pair(package_name(), gen::oneOf(suffix, gen::just(std::string()))),
                  [](const auto& parts) { return parts.first + parts.second; });
}

rc::Gen<CondaDependency> valid_dependency() {
  return gen::construct<CondaDependency>(
      with_version({"=", "==", ">=", "<", ">=1,<"}),
      gen::weightedElement<std::string>({{6, ""}, {1, "linux"}, {1, "osx"}}), any_location());
}

rc::Gen<PipLine> valid_pip_line() {
  using Kind = PipLine::Kind;
  const auto requirement = gen::construct<PipLine>(
      gen::just(Kind::kRequirement),
      gen::oneOf(with_version({"==", ">=", "~=", "!="}),
                 gen::element<std::string>(
                     "uvicorn[standard]==0.29", "tomli>=1; python_version < \"3.11\"",
                     "torch @ https://example.org/torch-2.3-py3-none-any.whl")),
      any_location());
  const auto option = gen::construct<PipLine>(
      gen::just(Kind::kOption),
      gen::element<std::string>("--pre", "--extra-index-url=https://${TOKEN}@example.org/simple",
                                "--no-binary=numpy"),
      any_location());
  const auto constraint = gen::construct<PipLine>(gen::just(Kind::kConstraint),
                                                  with_version({"<", "=="}), any_location());
  return gen::weightedOneOf<PipLine>({{6, requirement}, {1, option}, {1, constraint}});
}

rc::Gen<std::string> valid_dockerfile(const std::vector<std::string>& steps) {
  return gen::map(some(gen::elementOf(steps)), [](const std::vector<std::string>& chosen) {
    std::string text = "FROM python:3.11-slim\n";
    for (const std::string& step : chosen) {
      text += step + "\n";
    }
    return text;
  });
}

rc::Gen<DockerfileBase> valid_dockerfile_base() {
  return gen::construct<DockerfileBase>(
      valid_dockerfile({"RUN pip install --no-cache-dir numpy==1.26", "ENV A=1 B=\"two words\"",
                        "USER nobody", "CMD [\"python\", \"-V\"]", "WORKDIR /app"}),
      any_location());
}

rc::Gen<BuildContextBase> valid_context() {
  return gen::map(
      gen::tuple(valid_dockerfile({"COPY src /app/src", "COPY main.py requirements.txt /app/",
                                   "RUN ls", "ADD . /everything"}),
                 any_files({"main.py", "requirements.txt", "src/a.py", "src/b.py"}),
                 any_location()),
      [](auto parts) {
        auto& [text, files, at] = parts;
        files.insert(files.begin(),
                     {"Dockerfile", FileKind::kFile, 0644, text.size(), Digest::of(text), ""});
        return BuildContextBase{"Dockerfile", text, std::move(files), "", "", at};
      });
}

rc::Gen<StringMap> valid_variables() {
  return gen::map(some(gen::pair(gen::element<std::string>("A", "OMP_NUM_THREADS", "PATH_2"),
                                 gen::element<std::string>("", "1", "a b", "1.10", "yes", "#")),
                       2),
                  [](const auto& pairs) { return StringMap(pairs.begin(), pairs.end()); });
}

rc::Gen<CondaSection> valid_conda() {
  const auto first = line_of(gen::element<std::string>("conda-forge", "defaults"));
  const auto second = line_of(gen::element<std::string>("pytorch", "https://example.org/channel"));
  const auto channels = gen::map(gen::pair(first, perhaps(second)), [](auto parts) {
    std::vector<Line> out = {std::move(parts.first)};
    if (parts.second) {
      out.push_back(std::move(*parts.second));
    }
    return out;
  });
  return gen::construct<CondaSection>(gen::element<std::string>("", "training"), channels,
                                      gen::arbitrary<bool>(), some(valid_dependency()),
                                      some(gen::element<std::string>("linux-64", "osx-arm64"), 1),
                                      valid_variables());
}

rc::Gen<ImageBase> valid_image() {
  return gen::construct<ImageBase>(
      gen::element<std::string>("python:3.11-slim", "ubuntu", "example.org:5000/team/base:1.2",
                                "debian@sha256:" + std::string(64, 'a')),
      any_location());
}

rc::Gen<Definition> valid_on_image() {
  const auto pip = gen::construct<PipSection>(some(valid_pip_line()));
  const auto apt_name = gen::element<std::string>("git", "curl=7.88.1-10", "libgomp1:amd64");
  const auto apt = gen::construct<AptSection>(some(line_of(apt_name)));
  return gen::construct<Definition>(
      gen::cast<Base>(valid_image()), perhaps(valid_conda()), perhaps(pip), perhaps(apt),
      valid_variables(), any_inference(gen::element<std::string>("/", "/score", "/live")),
      gen::just(OsType::kLinux), gen::just(Json()));
}

// Packages go on top of images only.
rc::Gen<Definition> valid_without_packages() {
  const auto base =
      gen::oneOf(gen::cast<Base>(valid_dockerfile_base()), gen::cast<Base>(valid_context()));
  return gen::map(gen::tuple(base, valid_variables()), [](auto parts) {
    Definition definition;
    definition.base = std::move(std::get<0>(parts));
    definition.environment_variables = std::move(std::get<1>(parts));
    return definition;
  });
}

}  // namespace

rc::Gen<Definition> any_definition() {
  const auto pip = gen::construct<PipSection>(
      some(gen::construct<PipLine>(any_pip_kind(), any_text(), any_location())));
  const auto apt = gen::construct<AptSection>(some(line_of(any_text())));
  return gen::construct<Definition>(any_base(), perhaps(any_conda()), perhaps(pip), perhaps(apt),
                                    any_map(), any_inference(any_text()),
                                    gen::element(OsType::kLinux, OsType::kWindows), any_v1_rest());
}

rc::Gen<Environment> any_environment() {
  return gen::construct<Environment>(any_text(), any_text(), any_text(), any_map(), any_map(),
                                     any_definition());
}

rc::Gen<Definition> valid_definition() {
  return gen::weightedOneOf<Definition>({{3, valid_on_image()}, {1, valid_without_packages()}});
}

rc::Gen<Environment> valid_environment() {
  return gen::construct<Environment>(gen::element<std::string>("a", "training", "my-env_2"),
                                     gen::element<std::string>("", "1", "1.10"),
                                     gen::element<std::string>("", "trains: #1", "two\nlines"),
                                     valid_variables(), valid_variables(), valid_definition());
}

Environment without_places(Environment environment) {
  Definition& definition = environment.definition;
  std::visit([](auto& base) { base.at = {}; }, definition.base);
  if (auto* context = std::get_if<BuildContextBase>(&definition.base)) {
    context->root.clear();
  }
  const auto clear = [](auto& items) {
    for (auto& item : items) {
      item.at = {};
    }
  };
  if (definition.conda) {
    clear(definition.conda->channels);
    clear(definition.conda->dependencies);
  }
  if (definition.pip) {
    clear(definition.pip->lines);
  }
  if (definition.apt) {
    clear(definition.apt->packages);
  }
  return environment;
}

}  // namespace cloche::definition
