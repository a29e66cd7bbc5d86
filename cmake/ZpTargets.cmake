# House rules for every target: C++20, warnings as errors of ours only, includes from the project's root.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/bin")
set(CMAKE_INSTALL_RPATH_USE_LINK_PATH ON) # LLVM's and Open MPI's folders
include(GNUInstallDirs)
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
endif()
find_program(ZP_CCACHE ccache)
if(ZP_CCACHE)
  # The sloppiness lets ccache work beside precompiled headers.
  set(CMAKE_CXX_COMPILER_LAUNCHER "${CMAKE_COMMAND}" -E env CCACHE_SLOPPINESS=pch_defines,time_macros "${ZP_CCACHE}")
  add_compile_options(-fpch-preprocess)
endif()
find_package(Threads REQUIRED)

# What is run once or seldom waits for its compiler longer than it ever runs.
set(ZP_COLD_OPTIONS "$<$<CONFIG:Release>:-O1>" -Wno-array-bounds -Wno-maybe-uninitialized -Wno-stringop-overflow) # of gcc 12's own std::string

# zp_library(NAME [COLD [HOT f…]] [SOURCES f…] [DEPS t…]): a static library; without SOURCES, every .cpp of the folder. COLD: compiled with
# ZP_COLD_OPTIONS and a precompiled header, which pays where most files read JSON (a small file takes longer to load it than to go without);
# but not its HOT files, which have loops over a tensor's elements.
function(zp_library name)
  cmake_parse_arguments(ARG "COLD" "" "SOURCES;DEPS;HOT" ${ARGN})
  if(NOT ARG_SOURCES)
    file(GLOB ARG_SOURCES CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  endif()
  add_library(${name} STATIC ${ARG_SOURCES})
  target_include_directories(${name} PUBLIC "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-restrict)
  target_link_libraries(${name} PUBLIC ${ARG_DEPS} Threads::Threads)
  if(NOT ARG_COLD)
    return()
  endif()
  if(NOT TARGET zp_cold_headers)
    file(WRITE "${PROJECT_BINARY_DIR}/cold_headers.cpp" "")
    add_library(zp_cold_headers OBJECT "${PROJECT_BINARY_DIR}/cold_headers.cpp")
    target_compile_options(zp_cold_headers PRIVATE ${ZP_COLD_OPTIONS})
    target_precompile_headers(zp_cold_headers PRIVATE "${PROJECT_SOURCE_DIR}/cmake/cold_headers.h")
  endif()
  target_compile_options(${name} PRIVATE ${ZP_COLD_OPTIONS})
  target_precompile_headers(${name} REUSE_FROM zp_cold_headers)
  set_source_files_properties(${ARG_HOT} PROPERTIES COMPILE_OPTIONS "$<$<CONFIG:Release>:-O3>" SKIP_PRECOMPILE_HEADERS ON)
endfunction()

# zp_tool(NAME [PRODUCT] SOURCES f… DEPS t…): an executable in build/bin; a product is installed.
function(zp_tool name)
  cmake_parse_arguments(ARG "PRODUCT" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE "${PROJECT_SOURCE_DIR}" "${PROJECT_BINARY_DIR}")
  target_compile_options(${name} PRIVATE -Wall -Wextra -Wno-unused-parameter -Wno-restrict)
  target_link_libraries(${name} PRIVATE ${ARG_DEPS} Threads::Threads)
  if(ARG_PRODUCT)
    install(TARGETS ${name} RUNTIME DESTINATION "${CMAKE_INSTALL_BINDIR}")
  endif()
endfunction()

# zp_test(NAME [MLIR] [SHARDS n] SOURCES f… DEPS t…): a GoogleTest executable, registered with ctest: a long one in n parts, for as many
# cores.
function(zp_test name)
  cmake_parse_arguments(ARG "" "SHARDS" "" ${ARGN})
  zp_test_tool(${name} ${ARG_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE GTest::gtest_main)
  if(NOT ARG_SHARDS)
    add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    return()
  endif()
  math(EXPR last "${ARG_SHARDS} - 1")
  foreach(shard RANGE ${last})
    add_test(NAME ${name}_${shard} COMMAND ${name} WORKING_DIRECTORY "${PROJECT_SOURCE_DIR}")
    set_tests_properties(${name}_${shard} PROPERTIES ENVIRONMENT "GTEST_TOTAL_SHARDS=${ARG_SHARDS};GTEST_SHARD_INDEX=${shard}")
  endforeach()
endfunction()
# zp_test_tool(NAME [MLIR] SOURCES f… DEPS t…): the same with a main of its own, unregistered.
function(zp_test_tool name)
  cmake_parse_arguments(ARG "MLIR" "" "SOURCES;DEPS" ${ARGN})
  zp_tool(${name} SOURCES ${ARG_SOURCES} DEPS ${ARG_DEPS} GTest::gtest)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY "${CMAKE_BINARY_DIR}/tests/bin")
  if(ARG_MLIR)
    zp_mlir_target(${name} PRIVATE)
  else()
    zp_precompiled_test(${name})
  endif()
endfunction()

# Tests parse GoogleTest and the standard library once: in a header that the first of them precompiles. Files of an executable are
# compiled several at a time, which halves what they take: what one has to itself has a name of its own.
function(zp_precompiled_test name)
  target_compile_options(${name} PRIVATE ${ZP_COLD_OPTIONS} -Wno-subobject-linkage) # a fixture's anonymous namespace is in an included file then
  set_target_properties(${name} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 5)
  if(NOT TARGET zp_test_headers)
    file(WRITE "${PROJECT_BINARY_DIR}/test_headers.cpp" "int main() {}\n")
    add_executable(zp_test_headers EXCLUDE_FROM_ALL "${PROJECT_BINARY_DIR}/test_headers.cpp") # its flags are an executable's
    target_link_libraries(zp_test_headers PRIVATE GTest::gtest Threads::Threads)
    target_compile_options(zp_test_headers PRIVATE ${ZP_COLD_OPTIONS})
    target_precompile_headers(zp_test_headers PRIVATE "${PROJECT_SOURCE_DIR}/cmake/test_headers.h")
  endif()
  target_precompile_headers(${name} REUSE_FROM zp_test_headers)
endfunction()
