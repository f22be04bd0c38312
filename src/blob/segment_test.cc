#include "blob/segment.h"

#include <cstdlib>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "blob/frame.h"
#include "blob/segment_index.h"
#include "core/testing.h"
#include "core/text.h"
#include "io/disk_files.h"
#include "io/file.h"
#include "io/process.h"
#include "io/testing.h"

namespace cloche::blob {
namespace {

class SegmentTest : public testing::Test {
 protected:
  SegmentWriter writer(SegmentCompression compression = SegmentCompression::kZstd) {
    return *SegmentWriter::create(store_, compression, pool_);
  }

  std::string tar_of(const Segment& segment) {
    const std::string blob = *store_.read(segment.digest, std::size_t{64} << 20U);
    FrameExpander expander(segment.compression);
    std::string tar;
    for (std::string_view rest = blob; !rest.empty();) {
      tar += *expander.expand(rest);
    }
    EXPECT_EQ(segment.diff_id, Digest::of(tar));  // the blob is a layer
    EXPECT_EQ(tar.size(), segment.tar_bytes + kTarEndBytes);
    return tar.substr(0, segment.tar_bytes);
  }

  // "path kind mode size mtime target", a line each.
  static std::string listing(std::string tar) {
    io::MemoryReader source(tar);
    io::TarReader reader(source);
    io::TarEntry entry;
    std::string out;
    while (*reader.next(entry)) {
      out += fmt::format("{} {} {:o} {} {} {}\n", entry.path, "FDLH"[static_cast<int>(entry.kind)],
                         entry.mode, entry.size_bytes, entry.mtime_s, entry.link_target);
    }
    return out;
  }

  io::TemporaryDirectory place_ = io::test_directory();
  BlobStore store_{place_.path()};
  io::ThreadPool pool_{1};
};

TEST_F(SegmentTest, WritesParentsBeforeWhatLiesInThem) {
  SegmentWriter segment = writer();
  ASSERT_TRUE(segment.file("a/b/one", "1"));
  ASSERT_TRUE(segment.file("a/b/two", "22", 0755));
  ASSERT_TRUE(segment.symlink("a/c", "b"));
  ASSERT_TRUE(segment.file("a-", "3"));
  ASSERT_VALUE(made, std::move(segment).finish());
  EXPECT_EQ(listing(tar_of(made)),
            "a D 755 0 315619200 \n"
            "a/b D 755 0 315619200 \n"
            "a/b/one F 644 1 315619200 \n"
            "a/b/two F 755 2 315619200 \n"
            "a/c L 777 0 315619200 b\n"
            "a- F 644 1 315619200 \n");
  EXPECT_EQ(made.entries, 6U);
}

TEST_F(SegmentTest, RefusesWhatWouldBreakTheOrder) {
  SegmentWriter segment = writer();
  ASSERT_TRUE(segment.file("b/c", "1"));
  for (const std::string path : {"b/c", "b/b", "b", "a", "b/c/d"}) {
    EXPECT_EQ(segment.file(path, "").error().kind, ErrorKind::kInvalid) << path;
  }
  for (const std::string path : {"", "/c", "c/", "c//d", "c/../d", "./c", "..", "c/."}) {
    EXPECT_EQ(segment.directory(path).error().kind, ErrorKind::kInvalid) << path;
  }
  EXPECT_EQ(segment.directory(std::string("c\0d", 3)).error().kind, ErrorKind::kInvalid);
  EXPECT_EQ(segment.symlink("c", std::string(10'000, 'x')).error().kind, ErrorKind::kInvalid);
  EXPECT_TRUE(segment.file("b/d", ""));
}

TEST_F(SegmentTest, AnEmptySegmentIsNothing) {
  ASSERT_VALUE(made, writer().finish());
  EXPECT_EQ(*store_.read(made.digest, 1U << 20U), layer_end(made.compression));
  EXPECT_EQ(made.size_bytes, layer_end(made.compression).size());
  EXPECT_EQ(made.tar_bytes, 0U);
  EXPECT_EQ(made.diff_id, Digest::of(std::string(kTarEndBytes, '\0')));
}

// Text that compresses, so that pieces differ, of more pieces than one batch holds.
std::string much() {
  std::string text;
  for (std::size_t i = 0; text.size() < 5 * kFrameBytes + 1000; ++i) {
    text += std::to_string(i % 20'000 * 7919) + (i % 3 == 0 ? "\n" : " ");
  }
  return text;
}

void write_much(SegmentWriter& segment, std::size_t piece) {
  const std::string text = much();
  ASSERT_TRUE(segment.file("a/first", "1"));
  ASSERT_TRUE(segment.entry({.path = "a/much", .size_bytes = text.size()}));
  for (std::size_t at = 0; at < text.size(); at += piece) {
    ASSERT_TRUE(segment.content(std::string_view(text).substr(at, piece)));
  }
  ASSERT_TRUE(segment.file("z", "2"));
}

TEST_F(SegmentTest, IsTheSameWhateverTheThreadsThePiecesAndTheSurroundings) {
  for (const SegmentCompression one : {SegmentCompression::kZstd, SegmentCompression::kGzip}) {
    SegmentWriter segment = writer(one);
    write_much(segment, 1U << 20U);
    ASSERT_VALUE(expected, std::move(segment).finish());
    EXPECT_EQ(expected.tar_bytes % 512, 0U);
    const mode_t mask = ::umask(0077);
    ::setenv("TZ", "Pacific/Kiritimati", 1);
    ::setenv("LC_ALL", "tr_TR.UTF-8", 1);
    ::tzset();
    for (const unsigned threads : {5U}) {
      const io::TemporaryDirectory elsewhere = io::test_directory();
      const BlobStore store(elsewhere.path() + "/deeper");
      io::ThreadPool pool(threads);
      SegmentWriter again = *SegmentWriter::create(store, one, pool);
      write_much(again, 777'777);
      ASSERT_VALUE(made, std::move(again).finish());
      EXPECT_EQ(made, expected);
    }
    ::umask(mask);
    ::unsetenv("TZ");
    ::unsetenv("LC_ALL");
  }
}

TEST_F(SegmentTest, AnyFileIsReadFromItsPiecesAlone) {
  SegmentWriter segment = writer();
  write_much(segment, 1U << 20U);
  ASSERT_VALUE(made, std::move(segment).finish());
  ASSERT_VALUE(index, parse_index(*store_.read(made.index, 1U << 20U)));
  const std::string blob = *store_.read(made.digest, std::size_t{64} << 20U);
  const IndexEntry& last = index.entries.back();
  EXPECT_EQ(last.path, "z");
  std::uint64_t skipped_blob = 0;
  std::uint64_t skipped_tar = 0;
  for (const IndexFrame& frame : index.frames) {
    if (skipped_tar + frame.tar_bytes > last.offset) {
      break;
    }
    skipped_blob += frame.compressed_bytes;
    skipped_tar += frame.tar_bytes;
  }
  std::string_view rest = std::string_view(blob).substr(skipped_blob);
  FrameExpander expander(SegmentCompression::kZstd);
  ASSERT_VALUE(piece, expander.expand(rest));
  EXPECT_EQ(piece.substr(last.offset - skipped_tar, last.size_bytes), "2");
}

// The programs that will read layers accept one put together from segments.
TEST_F(SegmentTest, JudgesReadALayer) {
  for (const SegmentCompression one : {SegmentCompression::kZstd, SegmentCompression::kGzip}) {
    const bool zstd = one == SegmentCompression::kZstd;
    std::string layer;
    for (const std::string name : {"one", "two"}) {
      SegmentWriter segment = writer(one);
      ASSERT_TRUE(segment.file("opt/" + name, name));
      ASSERT_VALUE(made, std::move(segment).finish());
      layer.resize(layer.size() - (layer.empty() ? 0 : layer_end(one).size()));
      layer += *store_.read(made.digest, 1U << 20U);
    }
    const std::string path = place_.path() + (zstd ? "/layer.tar.zst" : "/layer.tar.gz");
    ASSERT_TRUE(io::write_file_atomically(path, layer));
    const std::string program = zstd ? "zstd" : "gzip";
    const std::vector<std::pair<std::vector<std::string>, std::string>> judges = {
        {{program, "-t", "-q", path}, ""},
        {{"tar", "-I", program, "-tf", path}, "opt/\nopt/one\nopt/\nopt/two\n"},
        {{"bsdtar", "-tf", path}, "opt/\nopt/one\nopt/\nopt/two\n"}};
    for (const auto& [argv, expected] : judges) {
      const Result<io::ProcessResult> result = io::run_process({.argv = argv});
      if (!result && result.error().kind == ErrorKind::kNotFound) {
        continue;
      }
      ASSERT_TRUE(result);
      EXPECT_EQ(result->errors, "") << argv[0];
      EXPECT_EQ(result->output, expected) << argv[0];
      EXPECT_TRUE(result->ok()) << argv[0];
    }
  }
}

std::string hex(std::string_view bytes) {
  std::string out;
  for (const char c : bytes) {
    out += fmt::format("{:02x}", static_cast<unsigned char>(c));
  }
  return out;
}

// The block of docs/formats/segment.md that begins with "```test-vector": a name and a value a
// line.
std::map<std::string, std::string> vector_of_the_page() {
  const std::string page =
      *io::DiskFiles().read(CLOCHE_SOURCE_DIR + "/docs/formats/segment.md", 1U << 20U);
  std::map<std::string, std::string> values;
  const std::size_t begin = page.find("```test-vector\n");
  const std::size_t end = page.find("\n```", begin + 1);
  for (const std::string_view line :
       split_lines(std::string_view(page).substr(begin, end - begin))) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string_view::npos) {
      values[std::string(line.substr(0, blank))] = trim(line.substr(blank));
    }
  }
  return values;
}

TEST_F(SegmentTest, ThePagesTestVectorHolds) {
  std::map<std::string, std::string> is;
  for (const SegmentCompression one : {SegmentCompression::kZstd, SegmentCompression::kGzip}) {
    SegmentWriter segment = writer(one);
    const std::string env = "opt/cloche/env/";
    ASSERT_TRUE(segment.file(env + "bin/hello", "hello\n", 0755));
    ASSERT_TRUE(segment.hardlink(env + "bin/hello2", env + "bin/hello"));
    ASSERT_TRUE(segment.symlink(env + "bin/hi", "hello"));
    ASSERT_TRUE(segment.file(env + "lib/a.py", "a = 1\n", 0644, 1'700'000'000));
    ASSERT_TRUE(segment.file(env + "share/" + std::string(120, 'x'), ""));
    ASSERT_VALUE(made, std::move(segment).finish());
    is["tar-sha256"] = Digest::of(tar_of(made)).hex();
    is["tar-bytes"] = std::to_string(made.tar_bytes);
    is["diff-id"] = made.diff_id.to_string();
    is["segment/" + compression_identity(one)] = made.digest.to_string();
    is["layer-end/" + compression_identity(one)] = hex(layer_end(one));
    std::string index = *store_.read(made.index, 1U << 20U);
    index.replace(20, 4, 4, '\0');  // the compressed size, which the library's version decides
    is["index"] = hex(index);
  }
  const std::map<std::string, std::string> page = vector_of_the_page();
  EXPECT_GE(page.size(), 8U);
  for (const auto& [name, value] : is) {
    const auto found = page.find(name);
    if (found == page.end() && name.find('/') != std::string::npos) {
      continue;  // another version of the compressing library
    }
    EXPECT_EQ(found == page.end() ? "(not there)" : found->second, value) << name;
  }
}

}  // namespace
}  // namespace cloche::blob
