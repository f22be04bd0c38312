#include "runtime/engine_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cloche::runtime {
namespace {

using testing::HasSubstr;

TEST(EngineError, IsTheLastErrorOfTheLog) {
  const Error error = engine_error(
      R"({"level":"warning","msg":"cgroup","time":"x"}
{"level":"error","msg":"first","time":"x"}
not json at all
[1]
{"level":"error","msg":"container_linux.go:380: starting container process caused: exec: \"x\"","time":"x"}
{"level":"info","msg":"later","time":"x"}
)");
  EXPECT_EQ(error.kind, ErrorKind::kUnsupported);
  EXPECT_THAT(error.message, HasSubstr("starting container process caused: exec: \"x\""));
}

TEST(EngineError, OfAnEmptyLogSaysSo) {
  EXPECT_THAT(engine_error("").message, HasSubstr("nothing was said"));
  EXPECT_THAT(engine_error("{\"level\":\"error\"").message, HasSubstr("nothing was said"));
}

TEST(EngineError, IsShortAndPrintable) {
  const Error error = engine_error("{\"level\":\"error\",\"msg\":\"\\u001b[31m" +
                                   std::string(100'000, 'a') + "\"}");
  EXPECT_LT(error.message.size(), 3000U);
  EXPECT_EQ(error.message.find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace cloche::runtime
