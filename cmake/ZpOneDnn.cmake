# oneDNN is a yardstick, no part of a product: zprun bench and kernels_bench say what ours give of it. Where it isn't, zp_onednn is empty
# and both leave that out.
add_library(zp_onednn INTERFACE)
if(ZP_WITH_ONEDNN)
  # Not find_package(dnnl): Debian's package file demands OpenCL.
  find_path(ZP_ONEDNN_INCLUDE oneapi/dnnl/dnnl.hpp)
  find_library(ZP_ONEDNN_LIBRARY dnnl)
  if(ZP_ONEDNN_INCLUDE AND ZP_ONEDNN_LIBRARY)
    target_include_directories(zp_onednn SYSTEM INTERFACE "${ZP_ONEDNN_INCLUDE}")
    target_link_libraries(zp_onednn INTERFACE "${ZP_ONEDNN_LIBRARY}")
    target_compile_definitions(zp_onednn INTERFACE ZP_ONEDNN)
  endif()
endif()
