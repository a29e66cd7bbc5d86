# CUDA where nvcc is found: its compiler, and the toolkit's headers. Libraries are found again when a plan runs: what is built here starts
# on machines without a GPU.
include(CheckLanguage)
check_language(CUDA)
if(NOT CMAKE_CUDA_COMPILER)
  message(STATUS "CUDA: off, no nvcc found; plans for cuda can be compiled and explained, not run")
  return()
endif()
# Ampere and Hopper as they are, anything newer from PTX.
if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
  set(CMAKE_CUDA_ARCHITECTURES 80-real 90a-real 90-virtual)
endif()
enable_language(CUDA)
# Debian's CMake doesn't know that this compiler takes C++20.
set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
find_package(CUDAToolkit 12 REQUIRED)
find_path(ZP_NCCL_INCLUDE nccl.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
if(NOT ZP_NCCL_INCLUDE)
  message(STATUS "NCCL: off, no nccl.h found; GPUs meet in host memory")
endif()
message(STATUS "CUDA: on, nvcc ${CMAKE_CUDA_COMPILER_VERSION}")
