#include "debian_channel/elf_file.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"
#include "io/disk_files.h"
#include "io/process.h"
#include "io/testing.h"

namespace cloche::debian_channel {
namespace {

using testing::Contains;
using testing::ElementsAre;

class ElfFileTest : public testing::Test {
 protected:
  std::string read(const std::string& path) {
    io::DiskFiles disk;
    return disk.read(path, std::size_t{1} << 30U).value_or("");
  }
  std::string at(const std::string& name) const { return place_.path() + "/" + name; }

  io::TemporaryDirectory place_ = io::test_directory();
};

// This test itself is an ELF file.
TEST_F(ElfFileTest, ReadsWhatAFileNeeds) {
  ASSERT_VALUE(facts, read_elf(read("/proc/self/exe")));
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->soname, "");
  EXPECT_THAT(facts->needed, Contains("libc.so.6"));
}

TEST_F(ElfFileTest, OtherFilesAreNone) {
  for (const std::string text : {"",
                                 "\x7f"
                                 "ELF",
                                 "#!/bin/sh\n"}) {
    ASSERT_VALUE(facts, read_elf(text));
    EXPECT_FALSE(facts);
  }
  EXPECT_FALSE(with_run_path("text", "$ORIGIN"));
}

TEST_F(ElfFileTest, AProgramWithARunPathStillRuns) {
  const std::string program = read("/bin/true");
  if (program.empty()) {
    GTEST_SKIP() << "no /bin/true";
  }
  const std::string path = "$ORIGIN/../lib:/opt/" + std::string(250, 'x');
  ASSERT_VALUE(changed, with_run_path(program, path));
  ASSERT_VALUE(facts, read_elf(changed));
  EXPECT_THAT(facts->run_path, ElementsAre("$ORIGIN/../lib", "/opt/" + std::string(250, 'x')));
  ASSERT_VALUE(before, read_elf(program));
  EXPECT_EQ(facts->needed, before->needed);
  std::ofstream(at("true"), std::ios::binary) << changed;
  ASSERT_TRUE(io::run_process({.argv = {"chmod", "755", at("true")}}));
  ASSERT_VALUE(run, io::run_process({.argv = {at("true")}}));
  EXPECT_EQ(run.exit_code, 0) << run.errors;

  // Once more: the table that was added gives way to another.
  ASSERT_VALUE(again, with_run_path(changed, "$ORIGIN"));
  ASSERT_VALUE(second, read_elf(again));
  EXPECT_THAT(second->run_path, ElementsAre("$ORIGIN"));
}

TEST_F(ElfFileTest, TheLoaderFindsALibraryByTheRunPath) {
  std::ofstream(at("one.c")) << "int one(void) { return 7; }\n";
  std::ofstream(at("main.c")) << "int one(void); int main(void) { return one(); }\n";
  ASSERT_VALUE(compiled,
               io::run_process(
                   {.argv = {"sh", "-c",
                             "mkdir -p lib bin && cc -shared -fPIC -Wl,-soname,libone.so.1 "
                             "-o lib/libone.so.1 one.c && cc -o bin/main main.c lib/libone.so.1"},
                    .directory = place_.path()}));
  if (!compiled.ok()) {
    GTEST_SKIP() << "no C compiler";
  }
  ASSERT_VALUE(library, read_elf(read(at("lib/libone.so.1"))));
  EXPECT_EQ(library->soname, "libone.so.1");
  ASSERT_VALUE(before, io::run_process({.argv = {at("bin/main")}}));
  EXPECT_EQ(before.exit_code, 127);
  ASSERT_VALUE(changed, with_run_path(read(at("bin/main")), "$ORIGIN/../lib"));
  std::ofstream(at("bin/main"), std::ios::binary | std::ios::trunc) << changed;
  ASSERT_VALUE(after, io::run_process({.argv = {at("bin/main")}}));
  EXPECT_EQ(after.exit_code, 7) << after.errors;
}

TEST_F(ElfFileTest, TablesThatLeadOutsideAreRefused) {
  const std::string program = read("/bin/true");
  for (std::size_t size = 64; size + 1 < program.size(); size += program.size() / 37) {
    const auto facts = read_elf(std::string_view(program).substr(0, size));
    EXPECT_TRUE(!facts || !*facts || facts->has_value());  // whatever it says, it reads no further
  }
  std::string damaged = program;
  damaged[32] = '\xff';  // where the segments are listed
  damaged[39] = '\x7f';
  EXPECT_FALSE(read_elf(damaged));
}

}  // namespace
}  // namespace cloche::debian_channel
