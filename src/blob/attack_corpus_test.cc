// Archives made to do harm: whatever they say, nothing outside the directory changes, and the error
// names the entry. Numbers are those of known attacks on other programs (CVE).
#include <filesystem>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <zstd.h>

#include "blob/unpack.h"
#include "core/digest.h"
#include "core/testing.h"
#include "io/tar_testing.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

namespace fs = std::filesystem;
using io::TestTarEntry;
using testing::HasSubstr;

struct Attack {
  std::string name;
  std::function<std::string(const std::string& outside)> archive;
  std::string entry;  // what the error must name; "": the archive is accepted, and does no harm
  bool layer = true;
};

void PrintTo(const Attack& attack, std::ostream* out) { *out << attack.name; }

std::string plain(const std::vector<TestTarEntry>& entries) { return io::tar_archive(entries); }

std::string zstd(const std::string& text) {
  std::string out(ZSTD_compressBound(text.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

// An archive that does not depend on where "outside" is.
auto fixed(std::vector<TestTarEntry> entries) {
  return [entries = std::move(entries)](const std::string&) { return plain(entries); };
}

// `link` leads to the folder outside, and `then` goes through it.
auto through(const std::string& link, std::vector<TestTarEntry> then) {
  return [link, then = std::move(then)](const std::string& outside) {
    std::vector<TestTarEntry> all = {{.name = link, .type = '2', .pax = {{"linkpath", outside}}}};
    all.insert(all.end(), then.begin(), then.end());
    return plain(all);
  };
}

std::string chain_of_links(int count) {
  std::vector<TestTarEntry> entries;
  for (int i = 0; i < count; ++i) {
    entries.push_back(
        {.name = fmt::format("l{}", i), .type = '2', .link = fmt::format("l{}", i + 1)});
  }
  entries.push_back({.name = "l0/evil", .content = "x"});
  return plain(entries);
}

std::vector<Attack> attacks() {
  const std::string deep = [] {
    std::string out = "d";
    while (out.size() < 3000) {
      out += "/d";
    }
    return out;
  }();
  return {
      // names that lead out (CVE-2025-8869 pip, 2026-1703 pip, 2022-23648 containerd)
      {"dotdot", fixed({{.name = "../evil"}}), "../evil"},
      {"dotdot-within", fixed({{.name = "a/../../evil"}}), "a/../../evil"},
      {"dotdot-alone", fixed({{.name = "..", .type = '5'}}), ".."},
      {"dotdot-in-pax", fixed({{.name = "ok", .pax = {{"path", "../../evil"}}}}), "../../evil"},
      {"dotdot-in-gnu-name",
       [](const std::string&) {
         return io::tar_entry({.name = "././@LongLink", .type = 'L', .content = "../evil"}) +
                plain({{.name = "ok"}});
       },
       "../evil"},
      {"dotdot-whiteout", fixed({{.name = "../.wh.outside"}}), "../.wh.outside"},
      {"absolute",
       [](const std::string& outside) {
         return plain({{.name = "x", .pax = {{"path", outside + "/victim"}}}});
       },
       ""},
      {"backslashes", fixed({{.name = "..\\..\\evil"}}), ""},
      {"nul-in-pax-name",
       fixed({{.name = "x", .pax = {{"path", std::string("ok\0/../evil", 11)}}}}), "ok"},
      {"newline-in-name", fixed({{.name = "a\n../evil\x1b[31m", .content = "x"}}), ""},
      {"part-too-long", fixed({{.name = "x", .pax = {{"path", std::string(300, 'p')}}}}), "ppp"},
      {"name-too-long", fixed({{.name = "x", .pax = {{"path", deep + "/" + deep}}}}), "d/d"},
      {"name-of-64-kib",
       fixed({{.name = "first"}, {.name = "x", .pax = {{"path", std::string(70'000, 'p')}}}}),
       "first"},
      {"deeper-than-any-path",
       [deep](const std::string&) {
         return plain({{.name = "x", .pax = {{"path", deep + "/f"}}},
                       {.name = "l", .type = '2', .pax = {{"linkpath", deep}}},
                       {.name = "x", .pax = {{"path", "l/" + deep + "/evil"}}}});
       },
       "l/d/d"},

      // the root itself (CVE-2021-29136 umoci)
      {"root-becomes-a-link", fixed({{.name = ".", .type = '2', .link = "/etc"}}), "."},
      {"root-becomes-a-link-slash", fixed({{.name = "/.", .type = '2', .link = "/etc"}}), "/."},
      {"root-becomes-a-file", fixed({{.name = "./", .content = "x"}}), "."},
      {"root-becomes-a-fifo", fixed({{.name = ".", .type = '6'}}), "."},
      {"root-becomes-a-hard-link", fixed({{.name = ".", .type = '1', .link = "a"}}), "."},
      {"empty-name", fixed({{.name = "", .content = "x"}}), ": "},

      // whiteouts (umoci; anchore/stereoscope 647; tinylabscom/mvm 852)
      {"bare-whiteout", fixed({{.name = ".wh."}}), ".wh."},
      {"bare-whiteout-below", fixed({{.name = "a/.wh."}}), "a/.wh."},
      {"whiteout-of-dot", fixed({{.name = ".wh.."}}), ".wh.."},
      {"whiteout-of-dotdot", fixed({{.name = "a/.wh..."}}), "a/.wh..."},
      {"whiteout-as-folder", fixed({{.name = ".wh.a/b"}}), ".wh.a/b"},
      {"whiteout-through-a-link", through("l", {{.name = "l/.wh.victim"}}), "l/.wh.victim"},
      {"opaque-through-a-link", through("l", {{.name = "l/.wh..wh..opq"}}), "l/.wh..wh..opq"},
      {"whiteout-of-a-link", through("l", {{.name = ".wh.l"}}), ""},
      {"whiteout-in-no-layer", fixed({{.name = "a/.wh.b"}}), "a/.wh.b", false},
      {"whiteout-of-a-lower-link", fixed({{.name = "lower-link/.wh.victim"}}),
       "lower-link/.wh.victim"},

      // symbolic links on the way (CVE-2025-4517, -4330, -4138 Python tarfile)
      {"write-through-a-link", through("l", {{.name = "l/evil", .content = "x"}}), "l/evil"},
      {"overwrite-through-a-link", through("l", {{.name = "l/victim", .content = "x"}}),
       "l/victim"},
      {"write-through-a-lower-link", fixed({{.name = "lower-link/evil"}}), "lower-link/evil"},
      {"write-to-a-link-itself",
       [](const std::string& outside) {
         return plain({{.name = "l", .type = '2', .pax = {{"linkpath", outside + "/victim"}}},
                       {.name = "l", .content = "x"}});
       },
       ""},
      {"relative-link-out",
       fixed({{.name = "l", .type = '2', .link = "../outside"}, {.name = "l/evil"}}), "l/evil"},
      {"relative-links-in-steps",
       fixed({{.name = "a", .type = '5'},
              {.name = "a/b", .type = '2', .link = ".."},
              {.name = "a/b/c", .type = '2', .link = "../outside"},
              {.name = "a/b/c/evil"}}),
       "a/b/c/evil"},
      {"link-to-proc",
       fixed({{.name = "l", .type = '2', .link = "/proc/self/cwd"}, {.name = "l/evil"}}), "l/evil"},
      {"links-in-a-circle",
       fixed({{.name = "a", .type = '2', .link = "b"},
              {.name = "b", .type = '2', .link = "a"},
              {.name = "a/evil"}}),
       "a/evil"},
      {"fifty-links", [](const std::string&) { return chain_of_links(50); }, "l0/evil"},
      {"folder-over-a-link", through("l", {{.name = "l", .type = '5', .mode = 0777}}), ""},
      {"link-over-a-folder-then-its-attributes",
       [](const std::string& outside) {
         return plain({{.name = "d", .type = '5', .mode = 0777, .mtime_s = 1},
                       {.name = "d", .type = '2', .pax = {{"linkpath", outside}}}});
       },
       ""},
      {"link-without-target", fixed({{.name = "l", .type = '2'}}), "l"},
      {"link-with-nul",
       fixed({{.name = "l", .type = '2', .pax = {{"linkpath", std::string("a\0b", 3)}}}}), "l"},

      // hard links (CVE-2016-5418 libarchive; Archive::Tar)
      {"hard-link-out", fixed({{.name = "h", .type = '1', .link = "../outside/victim"}}), "h"},
      {"hard-link-absolute",
       [](const std::string& outside) {
         return plain({{.name = "h", .type = '1', .pax = {{"linkpath", outside + "/victim"}}}});
       },
       "h"},
      {"hard-link-through-a-link",
       through("l",
               {{.name = "h", .type = '1', .link = "l/victim"}, {.name = "h", .content = "x"}}),
       "h"},
      {"hard-link-to-a-link-then-write",
       [](const std::string& outside) {
         return plain({{.name = "l", .type = '2', .pax = {{"linkpath", outside + "/victim"}}},
                       {.name = "h", .type = '1', .link = "l"},
                       {.name = "h", .content = "x"}});
       },
       ""},
      {"hard-link-with-data",
       [](const std::string&) {
         return io::tar_entry({.name = "a", .content = "a"}) +
                plain({{.name = "h", .type = '1', .content = "smuggled", .link = "a"}});
       },
       "h"},
      {"hard-link-to-a-folder",
       fixed({{.name = "d", .type = '5'}, {.name = "h", .type = '1', .link = "d"}}), "h"},
      {"hard-link-to-the-root", fixed({{.name = "h", .type = '1', .link = "."}}), "h"},
      {"hard-link-to-nothing", fixed({{.name = "h", .type = '1', .link = "none"}}), "h"},
      {"hard-link-to-itself", fixed({{.name = "h", .type = '1', .link = "h"}}), "h"},
      {"hard-link-in-place-of-its-target",
       fixed({{.name = "d/f"}, {.name = "d", .type = '1', .link = "d/f"}}), "d"},

      // attributes through links (CVE-2021-23177, -31566 libarchive; 2021-32760)
      {"mode-and-time-of-a-link",
       [](const std::string& outside) {
         return plain({{.name = "l",
                        .type = '2',
                        .mode = 0,
                        .uid = 1234,
                        .mtime_s = 7,
                        .pax = {{"linkpath", outside + "/victim"},
                                {"SCHILY.xattr.user.x", "y"},
                                {"SCHILY.acl.access", "user::rwx,group::rwx,other::rwx"}}}});
       },
       ""},
      {"overlay-attributes",
       fixed({{.name = "f", .pax = {{"SCHILY.xattr.trusted.overlay.redirect", "/etc"}}}}), ""},
      {"attribute-with-nul",
       fixed({{.name = "f", .pax = {{std::string("SCHILY.xattr.user.a\0b", 21), "y"}}}}), ""},

      // two readings of one archive (CVE-2025-62518; astral-tokio-tar)
      {"pax-size-over-ustar-size",
       [](const std::string&) {
         // By the header the file is empty, and what follows is an entry; by pax it is content.
         const std::string inner = plain({{.name = "../evil", .content = "x"}});
         return io::tar_entry({.name = "outer",
                               .content = inner,
                               .stated_size = 0,
                               .pax = {{"size", std::to_string(inner.size())}}}) +
                std::string(1024, '\0');
       },
       ""},
      {"malformed-pax",
       [](const std::string&) {
         return io::tar_entry({.name = "first"}) +
                io::tar_entry({.name = "pax", .type = 'x', .content = "99 path=evil\n"}) +
                plain({{.name = "ok"}});
       },
       "first"},
      {"negative-size-in-pax", fixed({{.name = "first"}, {.name = "f", .pax = {{"size", "-1"}}}}),
       "first"},
      {"huge-size", fixed({{.name = "huge", .stated_size = 077777777777}}), "huge"},
      {"cut-within-a-file",
       [](const std::string&) {
         return io::tar_entry({.name = "cut", .content = std::string(5000, 'x')}).substr(0, 2000);
       },
       "cut"},
      {"bad-checksum",
       [](const std::string&) {
         std::string bytes = plain({{.name = "first"}, {.name = "second"}});
         bytes[512] = 'S';
         return bytes;
       },
       "first"},

      // bombs (CVE-2023-25153)
      {"bomb-of-zeros",
       [](const std::string&) {
         static const std::string bomb =
             zstd(plain({{.name = "bomb", .content = std::string(300 << 20, '\0')}}));
         return bomb;
       },
       "bomb"},
      {"too-many-entries",
       [](const std::string&) {
         std::string bytes;
         for (int i = 0; i < 1100; ++i) {
           bytes += io::tar_header({.name = fmt::format("f{}", i), .type = '6'});
         }
         return bytes;
       },
       "f1000"},
      {"sparse",
       fixed({{.name = "first"}, {.name = "s", .pax = {{"GNU.sparse.realsize", "1000000000000"}}}}),
       "first"},
      {"sparse-of-old-gnu", fixed({{.name = "sparse", .type = 'S'}}), "sparse"},

      // kinds
      {"device", fixed({{.name = "dev/sda", .type = '4', .major = 8}}), "dev/sda"},
      {"character-device", fixed({{.name = "mem", .type = '3', .major = 1, .minor = 1}}), "mem"},
      {"unknown-kind", fixed({{.name = "odd", .type = 'Z'}}), "odd"},
      {"set-user-id", fixed({{.name = "su", .content = "x", .mode = 06755}}), ""},
      {"same-name-twice", fixed({{.name = "f", .content = "1"}, {.name = "f", .content = "2"}}),
       ""},
      {"names-that-differ-by-case", fixed({{.name = "A"}, {.name = "a"}}), ""},
      {"names-that-differ-by-normal-form", fixed({{.name = "\xc3\xa9"}, {.name = "e\xcc\x81"}}),
       ""},
  };
}

// Everything about everything below a folder but the times of access.
std::map<std::string, std::string> snapshot(const std::string& folder) {
  std::map<std::string, std::string> out;
  const auto add = [&](const std::string& path) {
    struct stat info{};
    ASSERT_EQ(::lstat(path.c_str(), &info), 0);
    std::stringstream content;
    if (S_ISREG(info.st_mode)) {
      content << std::ifstream(path).rdbuf();
    }
    out[path] = fmt::format("{} {:o} {}:{} {} {}.{} {} {}", info.st_ino, info.st_mode, info.st_uid,
                            info.st_gid, info.st_nlink, info.st_mtim.tv_sec, info.st_mtim.tv_nsec,
                            info.st_ctim.tv_nsec, content.str());
  };
  add(folder);
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    add(entry.path().string());
  }
  return out;
}

class AttackCorpus : public testing::TestWithParam<Attack> {
 protected:
  AttackCorpus() {
    fs::create_directories(outside_ + "/folder");
    std::ofstream(outside_ + "/victim") << "untouched";
    fs::create_directories(root_ + "/a");
    fs::create_symlink(outside_, root_ + "/lower-link");
  }

  // What went wrong; "" where all is as it should be.
  std::string run(bool owners,
                  UnpackOptions::Whiteouts whiteouts = UnpackOptions::Whiteouts::kApply) {
    const Attack& attack = GetParam();
    const auto before = snapshot(outside_);
    const struct stat root_before = stat_root();
    const std::string archive = attack.archive(outside_);
    io::MemoryReader source(archive);
    const auto result = unpack(
        source, root_,
        {.layer = attack.layer, .whiteouts = whiteouts, .owners = owners, .max_entries = 1000}, {});
    if (snapshot(outside_) != before) {
      return "something outside changed";
    }
    if (stat_root().st_ino != root_before.st_ino || fs::is_symlink(root_)) {
      return "the root was replaced";
    }
    if (attack.entry.empty() != result.has_value()) {
      return result ? "it was accepted" : "it was refused: " + result.error().to_string();
    }
    if (!result && !result.error().to_string().contains(attack.entry)) {
      return "the error does not name the entry: " + result.error().to_string();
    }
    return "";
  }

  struct stat stat_root() const {
    struct stat info{};
    EXPECT_EQ(::lstat(root_.c_str(), &info), 0);
    return info;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  std::string root_ = place_.path() + "/root";
  std::string outside_ = place_.path() + "/outside";
};

TEST_P(AttackCorpus, ChangesNothingOutside) { EXPECT_EQ(run(false), ""); }

TEST_P(AttackCorpus, ChangesNothingOutsideAsRoot) {
  if (::geteuid() != 0 || GetParam().entry == "bomb") {
    GTEST_SKIP() << "not root, or a quarter of a GB, of which once is enough";
  }
  EXPECT_EQ(run(true), "");
}

TEST_P(AttackCorpus, ChangesNothingOutsideAsALayerOfAnOverlay) {
  if (GetParam().entry == "bomb") {
    GTEST_SKIP() << "a quarter of a GB: once is enough";
  }
  // A link hides all that lies below it by itself, so there is nothing to refuse.
  const bool accepted = GetParam().name == "opaque-through-a-link";
  EXPECT_EQ(run(::geteuid() == 0, UnpackOptions::Whiteouts::kKeep),
            accepted ? "it was accepted" : "");
}

TEST_P(AttackCorpus, ChangesNothingOutsideOnOldKernels) {
  if (GetParam().entry == "bomb") {
    GTEST_SKIP() << "a quarter of a GB: once is enough";
  }
  constexpr int kSkip = 77;
  const pid_t child = ::fork();
  if (child == 0) {
    if (!io::forget_openat2()) {
      ::_exit(kSkip);
    }
    const std::string wrong = run(false);
    std::fputs(wrong.c_str(), stderr);
    ::_exit(wrong.empty() ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  if (WIFEXITED(status) && WEXITSTATUS(status) == kSkip) {
    GTEST_SKIP() << "no system call filters here";
  }
  EXPECT_EQ(status, 0);
}

INSTANTIATE_TEST_SUITE_P(All, AttackCorpus, testing::ValuesIn(attacks()), [](const auto& attack) {
  std::string name = attack.param.name;
  std::erase(name, '-');
  return name;
});

TEST(DigestOfAStranger, IsNoPath) {  // CVE-2024-3727
  for (const char* text : {"sha256:../../../../etc/passwd", "sha256:..", "sha512:00",
                           "sha256:", "sha256:ABCDEF", "md5:d41d8cd98f00b204e9800998ecf8427e"}) {
    EXPECT_FALSE(Digest::parse(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace cloche::blob
