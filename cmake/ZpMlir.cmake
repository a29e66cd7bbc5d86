# MLIR 22 as Debian ships it: shared MLIR and LLVM, no RTTI where MLIR classes are derived.
if(NOT TARGET zstd::libzstd_shared AND NOT EXISTS /usr/include/zstd.h)
  # LLVM's exported targets name it; without libzstd-dev an imported target on the runtime library does.
  add_library(zstd::libzstd_shared SHARED IMPORTED)
  find_library(ZP_ZSTD NAMES zstd libzstd.so.1 REQUIRED)
  set_target_properties(zstd::libzstd_shared PROPERTIES IMPORTED_LOCATION "${ZP_ZSTD}")
endif()
find_package(MLIR 22 REQUIRED CONFIG HINTS /usr/lib/llvm-22/lib/cmake/mlir)
list(APPEND CMAKE_MODULE_PATH "${MLIR_CMAKE_DIR}" "${LLVM_CMAKE_DIR}")
include(TableGen)
include(AddLLVM)
include(AddMLIR)

# zp_mlir_library(NAME …): zp_library with MLIR's headers, flags and shared libraries.
function(zp_mlir_library name)
  zp_library(${name} ${ARGN})
  zp_mlir_target(${name} PUBLIC)
endfunction()
function(zp_mlir_target name visibility)
  target_include_directories(${name} SYSTEM ${visibility} ${MLIR_INCLUDE_DIRS} ${LLVM_INCLUDE_DIRS})
  target_compile_options(${name} PRIVATE -fno-rtti)
  target_link_libraries(${name} ${visibility} MLIR LLVM)
endfunction()
