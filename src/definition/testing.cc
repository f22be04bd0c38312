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

rc::Gen<ContextFile> file_at(const std::string& path) {
  const auto file = gen::map(gen::tuple(gen::element<std::uint32_t>(0644, 0755),
                                        gen::inRange<std::uint64_t>(0, 1U << 20U), any_digest()),
                             [path](const auto& parts) {
                               const auto& [mode, size, digest] = parts;
                               return ContextFile{path, FileKind::kFile, mode, size, digest, ""};
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

}  // namespace cloche::definition
