# MLIR 22 as Debian ships it: shared MLIR and LLVM, no RTTI where MLIR classes are derived.
find_package(zstd QUIET)
if(NOT TARGET zstd::libzstd_shared)
  # LLVM's exported targets name it; without libzstd-dev an imported target on the runtime library does.
  add_library(zstd::libzstd_shared SHARED IMPORTED)
  find_library(ZP_ZSTD NAMES zstd libzstd.so.1 REQUIRED)
  set_target_properties(zstd::libzstd_shared PROPERTIES IMPORTED_LOCATION "${ZP_ZSTD}")
endif()
find_package(MLIR REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
if(NOT LLVM_VERSION_MAJOR EQUAL 22)
  message(FATAL_ERROR "MLIR of LLVM ${LLVM_VERSION_MAJOR} was found, expected 22; install libmlir-22-dev")
endif()
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# Parsing MLIR's headers is most of a small file's compilation: one precompiled header serves all of our libraries.
file(WRITE "${PROJECT_BINARY_DIR}/mlir_headers.cpp" "")
add_library(zp_mlir_headers OBJECT "${PROJECT_BINARY_DIR}/mlir_headers.cpp")
target_include_directories(zp_mlir_headers SYSTEM PRIVATE ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
# The compiler's own speed is no concern (70B in two seconds), its build time is: op classes are hundreds of templates.
set(ZP_MLIR_OPTIONS -fno-rtti "$<$<CONFIG:Release>:-O1>")
target_compile_options(zp_mlir_headers PRIVATE -Wall -Wextra -Wno-unused-parameter ${ZP_MLIR_OPTIONS})
target_precompile_headers(zp_mlir_headers PRIVATE "${PROJECT_SOURCE_DIR}/cmake/mlir_headers.h")

# zp_mlir_library(NAME …): zp_library with MLIR's headers, flags and shared libraries.
function(zp_mlir_library name)
  zp_library(${name} ${ARGN})
  zp_mlir_target(${name} PUBLIC)
endfunction()
function(zp_mlir_target name visibility)
  target_include_directories(${name} SYSTEM ${visibility} ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE ${ZP_MLIR_OPTIONS})
  get_target_property(type ${name} TYPE)
  if(type STREQUAL "EXECUTABLE") # the header was precompiled as a library's, and is of no use to -fPIE
    set_target_properties(${name} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
    target_compile_options(${name} PRIVATE -fPIC)
  endif()
  target_precompile_headers(${name} REUSE_FROM zp_mlir_headers)
  target_link_libraries(${name} ${visibility} MLIR LLVM)
endfunction()
