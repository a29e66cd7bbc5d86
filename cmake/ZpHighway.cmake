# Highway from its Debian package: one source of vector code, compiled for several CPUs, picked when it runs.
find_package(hwy QUIET)
if(NOT TARGET hwy::hwy)
  find_path(HWY_INCLUDE hwy/highway.h REQUIRED)
  find_library(HWY_LIBRARY hwy REQUIRED)
  add_library(hwy::hwy UNKNOWN IMPORTED)
  set_target_properties(hwy::hwy PROPERTIES IMPORTED_LOCATION "${HWY_LIBRARY}" INTERFACE_INCLUDE_DIRECTORIES "${HWY_INCLUDE}")
endif()
