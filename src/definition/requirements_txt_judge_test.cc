// Real pip and real files as judges of requirements_txt.h.
#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "core/json.h"
#include "core/testing.h"
#include "core/text.h"
#include "definition/requirements_txt.h"

namespace cloche::definition {
namespace {

// What pip makes of each text: its requirements (as the installer gets them) and the state of its
// finder, or null where it refuses. A text without our lines (null) is asked for alone.
constexpr const char* kPip = R"(
import json, logging, sys, warnings
warnings.simplefilter('ignore')
logging.disable(logging.CRITICAL)
from pip._internal.index.collector import LinkCollector
from pip._internal.index.package_finder import PackageFinder
from pip._internal.models.search_scope import SearchScope
from pip._internal.models.selection_prefs import SelectionPreferences
from pip._internal.network.session import PipSession
from pip._internal.req.constructors import install_req_from_parsed_requirement
from pip._internal.req.req_file import parse_requirements
import argparse

session = PipSession()

def meaning(text):
    with open('requirements.txt', 'wb') as f: f.write(text.encode())
    session.pip_trusted_origins.clear()
    finder = PackageFinder.create(
        link_collector=LinkCollector(session, SearchScope([], ['default'], False)),
        selection_prefs=SelectionPreferences(allow_yanked=True))
    options = argparse.Namespace(require_hashes=False, features_enabled=[])
    try:
        out = []
        for parsed in parse_requirements('requirements.txt', session, finder, options):
            req = install_req_from_parsed_requirement(parsed)
            out.append([str(req.req), str(req.link), str(req.markers), sorted(req.extras),
                        req.editable, req.constraint, parsed.options])
    except Exception as e:
        return None
    scope = finder.search_scope
    state = [scope.find_links, scope.index_urls, scope.no_index, finder.allow_all_prereleases,
             finder.prefer_binary, sorted(finder.format_control.no_binary),
             sorted(finder.format_control.only_binary), list(finder.trusted_hosts),
             options.require_hashes]  # not the features: pip mixes up those of several files
    return [out, state]

print(json.dumps([[meaning(a), None if b is None else meaning(b)] for a, b in json.load(sys.stdin)]))
)";

std::string canonical(const std::string& text, std::string& reason) {
  MemoryFiles files;
  Diagnostics diagnostics;
  const auto pip = parse_requirements_txt(text, "requirements.txt", files, diagnostics);
  if (!pip.has_value()) {
    reason = pip.error().message;
    return "";
  }
  return write_requirements_txt(*pip);
}

using Words = std::vector<std::string>;

// Each word out of one of the columns, in their order.
rc::Gen<std::string> row(const std::vector<Words>& columns) {
  return rc::gen::exec([columns] {
    std::string out;
    for (const Words& column : columns) {
      out += *rc::gen::elementOf(column);
    }
    return out;
  });
}

rc::Gen<std::string> requirement_line() {
  const Words blank = {"", "", " ", "\t", "  ", "\\\n", " \\\n "};
  const Words marker = {"",
                        "",
                        ";extra=='x'",
                        " ; (python_version < \"3\" or os_name!='nt')",
                        "; 'a' in sys_platform and 'b' not in platform_machine",
                        ";",
                        "; extra=x"};
  const Words option = {"",
                        "",
                        " --hash=sha256:" + std::string(64, 'a'),
                        " --global-option='-x y'",
                        " --hash sha512:" + std::string(128, 'b'),
                        " --hash=md5:00",
                        " --pre",
                        " --glob=x"};
  const Words end = {"", "", " # c; d", "\t#e", "#f", " \\\n# g", " junk"};
  return rc::gen::oneOf(
      row({{"a", "B.c-d", "e_1", "-", "f-"},
           blank,
           {"", "", "[x]", "[x,\ty]", "[", "[x y]"},
           blank,
           {"", "==1.5", ">= 1, <2", "~=1.4", "!=2.*", "(>=1)", "===q", "=1", ">1 2", "=="},
           blank,
           marker,
           option,
           option,
           end}),
      row({{"n @ https://h/p.zip", "n[x]@https://h/q.whl", "https://h/p.zip",
            "git+https://h/p@v1#egg=n", "https://h/a-1-py3-none-any.whl", "./p-1.tar.gz",
            "n@ git+ssh://git@h/p", "svn+http://h/p", "n @ ./p", "https://h/a.whl"},
           {" ", "", "\\\n "},
           {"", "", "; extra=='x'", " ; os_name=='a'"},
           option,
           {"", "", " # c; d", "#f"}}));
}

rc::Gen<std::string> option_line() {
  const Words options = {"",
                         "",
                         " --pre",
                         " -i https://i",
                         " --extra-index-url=https://e",
                         " -f https://f",
                         " --find-links='https://g'",
                         " --no-index",
                         " --no-binary :all:",
                         " --only-binary=a,b",
                         " --trusted-host h:80",
                         " --prefer-binary",
                         " --require-hashes",
                         " --use-feature=fast-deps",
                         " -e git+https://h/p#egg=n",
                         " --index https://j",
                         " --no",
                         " --bogus",
                         " junk",
                         " \"--pre\"",
                         " 'open",
                         " # c",
                         " \\\n"};
  return row({options, options, options, options});
}

rc::Gen<std::string> file_text() {
  return rc::gen::map(rc::gen::container<Words>(rc::gen::oneOf(requirement_line(), option_line())),
                      [](const Words& lines) { return join(lines, "\n"); });
}

TEST(RequirementsTxtJudge, MeansToPipWhatItsCanonicalFormMeans) {
  std::vector<std::string> texts;
  std::vector<std::string> reasons;
  Json cases = Json::array();
  for (std::uint64_t seed = 0; seed < 1000; ++seed) {
    const std::string text = file_text()(rc::Random(seed), static_cast<int>(1 + seed % 3)).value();
    std::string reason;
    const std::string written = canonical(text, reason);
    texts.push_back(text);
    reasons.push_back(reason);
    Json pair = Json::array();
    pair.push(text).push(reason.empty() ? Json(written) : Json());
    cases.push(std::move(pair));
  }
  const auto output = python_output(kPip, cases.dump());
  if (!output) {
    GTEST_SKIP() << "no pip on this machine";
  }
  ASSERT_VALUE(answers, parse_json(*output));
  int taken = 0;
  std::map<std::string, int> stricter;  // by reason: pip takes what is refused here
  for (std::size_t i = 0; i < texts.size(); ++i) {
    const auto& answer = answers.items()[i].items();
    if (!reasons[i].empty()) {
      stricter[reasons[i]] += answer[0].is_null() ? 0 : 1;
      continue;
    }
    ++taken;
    const std::string both = texts[i] + "\n-> " + cases.items()[i].items()[1].as_string();
    EXPECT_FALSE(answer[0].is_null()) << both;
    EXPECT_EQ(answer[0].dump(), answer[1].dump()) << both;
  }
  EXPECT_GT(taken, 200);
  // pip checks neither a hash's digits nor a URL's characters while reading, and this version takes
  // "==" without a version, which newer ones refuse.
  const Words known = {"a sha256 hash has", "a sha512 hash has", "the version behind '=='",
                       "a blank stands in the URL"};
  for (const auto& [reason, count] : stricter) {
    const bool stated = std::ranges::any_of(
        known, [&](const std::string& beginning) { return reason.starts_with(beginning); });
    EXPECT_TRUE(count == 0 || stated) << count << " times: " << reason;
  }
}

// Real requirements files: every valid one parses; the refused ones for stated reasons.
TEST(RequirementsTxtJudge, ReadsRealFiles) {
  const std::string data = shared_data(CLOCHE_SOURCE_DIR, "definitions/requirements.jsonl");
  if (data.empty()) {
    GTEST_SKIP() << "no shared data";
  }
  int taken = 0;
  std::map<std::string, int> refused;
  for (const std::string_view line : split_lines(data)) {
    ASSERT_VALUE(one, parse_json(line));
    MemoryFiles files;
    Diagnostics diagnostics;
    const auto pip =
        parse_requirements_txt(one["text"].as_string(), "requirements.txt", files, diagnostics);
    if (!pip.has_value()) {
      ++refused[pip.error().hint];
      continue;
    }
    ++taken;
    const std::string written = write_requirements_txt(*pip);
    ASSERT_VALUE(again, parse_requirements_txt(written, "requirements.txt", files, diagnostics));
    EXPECT_EQ(write_requirements_txt(again), written);
  }
  EXPECT_EQ(taken, 30);
  const std::map<std::string, int> want = {
      {"quotes and commas are Python's, not pip's: write jsonpickle", 1}};
  EXPECT_EQ(refused, want);
}

}  // namespace
}  // namespace cloche::definition
