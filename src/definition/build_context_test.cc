#include "definition/build_context.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/testing.h"

namespace cloche::definition {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<BuildContextBase> read(MemoryFiles& files, const std::string& dockerfile = "Dockerfile") {
  Diagnostics diagnostics;
  return read_build_context("/c", dockerfile, files, diagnostics);
}

std::vector<std::string> paths(const std::vector<ContextFile>& files) {
  std::vector<std::string> out;
  for (const ContextFile& file : files) {
    out.push_back(file.path);
  }
  return out;
}

TEST(ReadBuildContext, ListsEveryFileWithItsContentAndMode) {
  MemoryFiles files;
  files.add("/c/Dockerfile", "FROM x\nCOPY . .\n").add("/c/b/run.sh", "#!/bin/sh\n", 0700);
  files.add("/c/a.txt", "text", 0664).add_link("/c/b/link", "../a.txt");
  files.add("/c/.git/HEAD", "ref");
  ASSERT_VALUE(context, read(files));
  EXPECT_THAT(paths(context.files),
              ElementsAre(".git/HEAD", "Dockerfile", "a.txt", "b/link", "b/run.sh"));
  EXPECT_EQ(context.files[2].mode, 0644U);
  EXPECT_EQ(context.files[2].size_bytes, 4U);
  EXPECT_EQ(context.files[2].digest, Digest::of("text"));
  EXPECT_EQ(context.files[3].kind, FileKind::kSymlink);
  EXPECT_EQ(context.files[3].link_target, "../a.txt");
  EXPECT_EQ(context.files[4].mode, 0755U);
  EXPECT_EQ(context.root, "/c");
  EXPECT_EQ(context.dockerfile, "FROM x\nCOPY . .\n");
}

TEST(ReadBuildContext, LeavesOutWhatTheIgnoreFileNames) {
  MemoryFiles files;
  files.add("/c/Dockerfile", "FROM x").add("/c/.dockerignore", "**\n!src\nsrc/*.pyc\n");
  files.add("/c/data/large", "").add("/c/src/a.py", "").add("/c/src/a.pyc", "");
  ASSERT_VALUE(context, read(files));
  EXPECT_THAT(paths(context.files), ElementsAre(".dockerignore", "Dockerfile", "src/a.py"));
}

TEST(ReadBuildContext, PrefersTheDockerfilesOwnIgnoreFile) {
  MemoryFiles files;
  files.add("/c/docker/prod", "FROM x").add("/c/docker/prod.dockerignore", "docker\nb");
  files.add("/c/.dockerignore", "a").add("/c/a", "").add("/c/b", "").add("/c/docker/c", "");
  ASSERT_VALUE(context, read(files, "./docker/prod"));
  EXPECT_EQ(context.dockerfile_path, "docker/prod");
  EXPECT_THAT(paths(context.files),
              ElementsAre(".dockerignore", "a", "docker/prod", "docker/prod.dockerignore"));
}

TEST(ReadBuildContext, SaysWhatIsMissingOrBroken) {
  MemoryFiles files;
  EXPECT_EQ(read(files).error().kind, ErrorKind::kNotFound);
  files.add("/c/other", "");
  EXPECT_EQ(read(files).error().kind, ErrorKind::kNotFound);
  EXPECT_THAT(read(files).error().hint, HasSubstr("dockerfile_path"));
  EXPECT_EQ(read(files, "../Dockerfile").error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(read(files, "/Dockerfile").error().kind, ErrorKind::kInvalid);
  files.add("/c/Dockerfile", "FROM x\nRUNN y\n");
  EXPECT_EQ(read(files).error().at.to_string(), "/c/Dockerfile:2:1");
  files.add("/c/Dockerfile", "FROM x").add("/c/.dockerignore", "a\n[\n");
  EXPECT_EQ(read(files).error().at.to_string(), "/c/.dockerignore:2:1");
}

// A context of a few files, and which of them a Dockerfile reaches.
class CopiedFiles : public ::testing::Test {
 protected:
  CopiedFiles() {
    for (const std::string path :
         {"Dockerfile", "a.py", "b.py", "b.txt", "data/x.csv", "data/y.csv", "src/m.py",
          "src/test/t.py", "srcs/z", "we[ird", "with space"}) {
      ContextFile file;
      file.path = path;
      context_.files.push_back(file);
    }
  }

  std::vector<std::string> reached(const std::string& instructions) {
    context_.dockerfile = "FROM x\n" + instructions;
    std::vector<std::string> out;
    for (const ContextFile* file : copied_files(context_)) {
      out.push_back(file->path);
    }
    return out;
  }

  bool reaches_all(const std::string& instructions) {
    return reached(instructions).size() == context_.files.size();
  }

  BuildContextBase context_;
};

TEST_F(CopiedFiles, AreThoseThatCopyAndAddName) {
  EXPECT_THAT(reached("RUN x\nENV a=b"), IsEmpty());
  EXPECT_THAT(reached("COPY a.py /x"), ElementsAre("a.py"));
  EXPECT_THAT(reached("ADD ./a.py b.txt /x/"), ElementsAre("a.py", "b.txt"));
  EXPECT_THAT(reached("COPY src /x"), ElementsAre("src/m.py", "src/test/t.py"));
  EXPECT_THAT(reached("COPY /src/ /x"), ElementsAre("src/m.py", "src/test/t.py"));
  EXPECT_THAT(reached("COPY ../src/test /x"), ElementsAre("src/test/t.py"));
  EXPECT_THAT(reached("COPY [\"with space\", \"/x\"]"), ElementsAre("with space"));
  EXPECT_THAT(reached("COPY we[[]ird \"a.py\" /x"), ElementsAre("a.py", "we[ird"));
  EXPECT_THAT(reached("COPY *.py /x"), ElementsAre("a.py", "b.py"));
  EXPECT_THAT(reached("COPY s*/ /x"), ElementsAre("src/m.py", "src/test/t.py", "srcs/z"));
  EXPECT_THAT(reached("COPY **/*.csv /x"), ElementsAre("data/x.csv", "data/y.csv"));
  EXPECT_THAT(reached("ONBUILD COPY a.py /x"), ElementsAre("a.py"));
  EXPECT_TRUE(reaches_all("COPY . /x"));
  EXPECT_TRUE(reaches_all("COPY / /x"));
}

TEST_F(CopiedFiles, AreNoneOfOtherPlaces) {
  EXPECT_THAT(reached("COPY --from=builder a.py /x"), IsEmpty());
  EXPECT_THAT(reached("ADD https://example.org/a.py git@host:a.git /x"), IsEmpty());
  EXPECT_THAT(reached("COPY <<a.py /x\ntext\na.py\n"), IsEmpty());
  EXPECT_THAT(reached("RUN --mount=type=cache,target=/x --mount=type=secret,id=a y"), IsEmpty());
  EXPECT_THAT(reached("RUN --mount=type=bind,from=builder,source=src,target=/x y"), IsEmpty());
}

TEST_F(CopiedFiles, AreThoseThatARunMounts) {
  EXPECT_THAT(reached("RUN --mount=type=bind,source=src,target=/x y"),
              ElementsAre("src/m.py", "src/test/t.py"));
  EXPECT_THAT(reached("RUN --mount=target=/x,src=a.py y"), ElementsAre("a.py"));
  EXPECT_TRUE(reaches_all("RUN --mount=type=bind,target=/x y"));
}

TEST_F(CopiedFiles, AreAllWhereItCannotBeKnown) {
  EXPECT_TRUE(reaches_all("ARG f\nCOPY $f /x"));
  EXPECT_TRUE(reaches_all("COPY [a.py /x"));
  EXPECT_TRUE(reaches_all("RUN --mount=type=bind,source=$f,target=/x y"));
  context_.dockerfile = "RUNN x";
  EXPECT_EQ(copied_files(context_).size(), context_.files.size());
}

TEST_F(CopiedFiles, AreNotWhatIsExcluded) {
  EXPECT_THAT(reached("COPY --exclude=test src /x"), ElementsAre("src/m.py"));
  EXPECT_THAT(reached("COPY --exclude=src/test src /x"), ElementsAre("src/m.py", "src/test/t.py"));
  EXPECT_THAT(reached("COPY --exclude=*.txt b* /x"), ElementsAre("b.py"));
  EXPECT_THAT(reached("COPY --exclude=**/*.py --exclude=data --exclude=Dockerfile . /x"),
              ElementsAre("b.txt", "srcs/z", "we[ird", "with space"));
  EXPECT_THAT(reached("COPY --exclude=!test src /x"), ElementsAre("src/m.py", "src/test/t.py"));
}

TEST_F(CopiedFiles, AreAllWhenASourceGoesThroughALink) {
  ContextFile link;
  link.path = "to/src";
  link.kind = FileKind::kSymlink;
  link.link_target = "../src";
  context_.files.push_back(link);
  EXPECT_TRUE(reaches_all("COPY to/src/m.py /x"));
  EXPECT_TRUE(reaches_all("COPY to/s* /x"));
  EXPECT_THAT(reached("COPY to /x"), ElementsAre("to/src"));
  EXPECT_THAT(reached("COPY a.py /x"), ElementsAre("a.py"));
}

}  // namespace
}  // namespace cloche::definition
