# module(NAME [USES module...] [LIBRARIES target...]): a folder under src/ is a module is a library.
#
# From the files of src/NAME (and its sub-folders) come
#   cloche_NAME          every .cc but the ones below
#   cloche_NAME_testing  *testing.cc: fakes that other modules' tests may use
#   NAME_test            *_test.cc, registered with CTest
#   NAME_bench           *_bench.cc, with CLOCHE_BENCH
#   <file>_fuzz          each *_fuzz.cc: a libFuzzer program with CLOCHE_FUZZ; otherwise a test that
#                        replays the corpus in <folder>/testdata/fuzz/<file>/
# A module may use only what it names, and only what stands above it in the table: no circle can be written.

find_package(GTest REQUIRED)
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
if(CLOCHE_BENCH)
  find_package(benchmark REQUIRED)
endif()

add_library(cloche_options INTERFACE)
target_compile_options(cloche_options INTERFACE
  -Wall -Wextra -Wpedantic -Wnon-virtual-dtor -Werror
  # A name of a neighbour in the group is no fault.
  $<$<NOT:$<BOOL:${CMAKE_UNITY_BUILD}>>:-Wshadow>)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # GCC 12 raises -Wrestrict falsely for std::string at -O2 and above (GCC bug 105651).
  # Not in dev, whose compile commands clang-tidy reads: clang does not know the option.
  target_compile_options(cloche_options INTERFACE $<$<CONFIG:Release>:-Wno-restrict>)
  # The same for moves out of std::expected at -O3 (the value is read only after has_value()).
  target_compile_options(cloche_options INTERFACE $<$<CONFIG:Release>:-Wno-maybe-uninitialized>)
endif()
if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
  # TRY() is a GNU statement expression, on purpose: see core/result.h.
  target_compile_options(cloche_options INTERFACE -Wno-gnu-statement-expression)
  # std::stable_sort of GCC 12's library uses get_temporary_buffer, which clang reports at our call;
  # GCC itself still warns of what is deprecated.
  target_compile_options(cloche_options INTERFACE -Wno-deprecated-declarations)
endif()
# A library that a program does not use is not loaded when it starts.
target_link_options(cloche_options INTERFACE -Wl,--as-needed)
target_include_directories(cloche_options INTERFACE ${CMAKE_SOURCE_DIR}/src)
# Asserts of the standard library stay on where speed is not measured.
target_compile_definitions(cloche_options INTERFACE $<$<CONFIG:Debug>:_GLIBCXX_ASSERTIONS>)

# Lets an imported library's archive stand for its shared object, where there is one.
function(link_statically library)
  foreach(property INTERFACE_LINK_LIBRARIES IMPORTED_LOCATION IMPORTED_LOCATION_RELEASE)
    get_target_property(path ${library} ${property})
    if(path MATCHES "^[^;]*\\.so$")
      string(REGEX REPLACE "\\.so$" ".a" archive ${path})
      if(EXISTS ${archive})
        set_target_properties(${library} PROPERTIES ${property} ${archive})
      endif()
    endif()
  endforeach()
endfunction()

# rapidcheck's package has no CMake file.
add_library(rapidcheck_properties INTERFACE)
target_link_libraries(rapidcheck_properties INTERFACE rapidcheck)

# With CMAKE_UNITY_BUILD (the check preset): files that do not keep the same name for themselves are compiled
# together, by twelves.
function(unite target)
  get_target_property(files ${target} SOURCES)
  list(FILTER files INCLUDE REGEX "^${CMAKE_SOURCE_DIR}/.*\\.cc$")
  if(NOT CMAKE_UNITY_BUILD OR NOT files)
    return()
  endif()
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${files})
  set_target_properties(${target} PROPERTIES UNITY_BUILD_MODE GROUP)
  # The main file of a unit is not the one that defines a class of its own.
  target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  execute_process(COMMAND ${CLOCHE_PYTHON} ${CMAKE_SOURCE_DIR}/tools/file_groups.py 12 ${files}
    OUTPUT_VARIABLE lines OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)
  string(REGEX REPLACE ";" "=" lines "${lines}")
  string(REPLACE "\n" ";" lines "${lines}")
  foreach(line IN LISTS lines)
    string(REGEX MATCH "^([0-9]+)=(.*)$" matched "${line}")
    set_source_files_properties(${CMAKE_MATCH_2} PROPERTIES UNITY_GROUP "${target}_${CMAKE_MATCH_1}")
  endforeach()
endfunction()

function(module name)
  cmake_parse_arguments(PARSE_ARGV 1 ARG "" "" "USES;LIBRARIES")
  foreach(used IN LISTS ARG_USES)
    if(NOT TARGET cloche_${used})
      message(FATAL_ERROR "src/CMakeLists.txt: module ${name} uses ${used}, which does not stand above it")
    endif()
  endforeach()
  list(TRANSFORM ARG_USES PREPEND cloche_ OUTPUT_VARIABLE used_targets)

  set(folder ${CMAKE_CURRENT_SOURCE_DIR}/${name})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${folder}/*.cc)
  foreach(kind test bench fuzz)
    set(${kind}_files ${sources})
    list(FILTER ${kind}_files INCLUDE REGEX "_${kind}\\.cc$")
  endforeach()
  set(testing_files ${sources})
  list(FILTER testing_files INCLUDE REGEX "testing\\.cc$")
  list(FILTER sources EXCLUDE REGEX "(_test|_bench|_fuzz|testing|/main)\\.cc$")

  add_library(cloche_${name} STATIC ${sources})
  target_link_libraries(cloche_${name}
    PUBLIC cloche_options ${used_targets} ${ARG_LIBRARIES})
  unite(cloche_${name})

  set(testing_targets "")
  foreach(one IN LISTS ARG_USES)
    if(TARGET cloche_${one}_testing)
      list(APPEND testing_targets cloche_${one}_testing)
    endif()
  endforeach()
  if(testing_files)
    add_library(cloche_${name}_testing STATIC ${testing_files})
    set_property(SOURCE ${folder}/testing.cc APPEND PROPERTY
      COMPILE_DEFINITIONS CLOCHE_SOURCE_PATH="${CMAKE_SOURCE_DIR}")
    target_link_libraries(cloche_${name}_testing
      PUBLIC cloche_${name} ${testing_targets} GTest::gtest rapidcheck_properties)
    list(PREPEND testing_targets cloche_${name}_testing)
  endif()

  if(test_files AND NOT CLOCHE_FUZZ)
    add_executable(${name}_test ${test_files})
    target_link_libraries(${name}_test PRIVATE
      cloche_${name} ${testing_targets} rapidcheck_properties GTest::gmock GTest::gtest_main)
    # Not the path itself: it would keep ccache from knowing the same test in another checkout.
    target_compile_definitions(${name}_test PRIVATE
      CLOCHE_SOURCE_DIR=::cloche::source_dir\(\)
      CLOCHE_TESTDATA=::cloche::source_dir\(\)+"/src/${name}/testdata")
    unite(${name}_test)
    add_test(NAME ${name} COMMAND ${name}_test)
  endif()

  if(bench_files AND CLOCHE_BENCH)
    add_executable(${name}_bench ${bench_files})
    target_link_libraries(${name}_bench PRIVATE
      cloche_${name} ${testing_targets} benchmark::benchmark_main)
    target_compile_definitions(${name}_bench PRIVATE
      CLOCHE_SOURCE_DIR="${CMAKE_SOURCE_DIR}" CLOCHE_TESTDATA="${folder}/testdata")
  endif()

  foreach(file IN LISTS fuzz_files)
    get_filename_component(target ${file} NAME_WE)
    get_filename_component(place ${file} DIRECTORY)
    string(REGEX REPLACE "_fuzz$" "" subject ${target})
    if(CLOCHE_FUZZ)
      add_executable(${target} ${file})
      target_link_options(${target} PRIVATE -fsanitize=fuzzer)
      target_link_libraries(${target} PRIVATE cloche_${name} ${testing_targets})
    else()
      add_executable(${target} ${file} ${CMAKE_SOURCE_DIR}/tools/replay_corpus.cc)
      target_link_libraries(${target} PRIVATE cloche_${name} ${testing_targets})
      add_test(NAME ${target} COMMAND ${target} ${place}/testdata/fuzz/${subject})
    endif()
  endforeach()
endfunction()
