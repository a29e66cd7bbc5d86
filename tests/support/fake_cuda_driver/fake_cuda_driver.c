// A libcuda.so.1 for machines without a driver: there is no device, but code that was compiled for one can be loaded and named.
// That is all that cuDNN asks while it builds plans for a device that isn't there. Nothing can run.
enum { kSuccess = 0, kNoDevice = 100 };

int cuInit(unsigned flags) { return kNoDevice; }
int cuDriverGetVersion(int *version) {
  *version = 13000;
  return kSuccess;
}
int cuDeviceGetCount(int *count) {
  *count = 0;
  return kSuccess;
}

static char library, kernel, function;
int cuLibraryLoadData(void **loaded, const void *code, void *a, void *b, unsigned c, void *d, void *e, unsigned f) {
  *loaded = &library;
  return kSuccess;
}
int cuLibraryUnload(void *loaded) { return kSuccess; }
int cuLibraryGetKernel(void **found, void *loaded, const char *name) {
  *found = &kernel;
  return kSuccess;
}
int cuKernelGetFunction(void **found, void *of) {
  *found = &function;
  return kSuccess;
}

#define REFUSED(name) int name(void) { return kNoDevice; }
// Names that cuDNN 9.19 looks up and doesn't call.
REFUSED(cuCtxGetCurrent)
REFUSED(cuCtxGetDevice)
REFUSED(cuCtxGetLimit)
REFUSED(cuCtxPopCurrent)
REFUSED(cuCtxPushCurrent)
REFUSED(cuDeviceGet)
REFUSED(cuDeviceGetAttribute)
REFUSED(cuDevicePrimaryCtxRelease)
REFUSED(cuDevicePrimaryCtxReset)
REFUSED(cuDevicePrimaryCtxRetain)
REFUSED(cuFuncGetAttribute)
REFUSED(cuFuncSetAttribute)
REFUSED(cuGetErrorName)
REFUSED(cuGetErrorString)
REFUSED(cuKernelGetAttribute)
REFUSED(cuKernelSetAttribute)
REFUSED(cuLaunchCooperativeKernel)
REFUSED(cuLaunchKernel)
REFUSED(cuLaunchKernelEx)
REFUSED(cuLibraryLoadFromFile)
REFUSED(cuLinkAddData)
REFUSED(cuLinkAddData_v2)
REFUSED(cuLinkAddFile_v2)
REFUSED(cuLinkComplete)
REFUSED(cuLinkCreate)
REFUSED(cuLinkCreate_v2)
REFUSED(cuLinkDestroy)
REFUSED(cuMemcpyDtoH_v2)
REFUSED(cuModuleGetFunction)
REFUSED(cuModuleGetGlobal_v2)
REFUSED(cuModuleLoadData)
REFUSED(cuModuleLoadDataEx)
REFUSED(cuModuleLoadFatBinary)
REFUSED(cuModuleUnload)
REFUSED(cuOccupancyMaxActiveBlocksPerMultiprocessor)
REFUSED(cuOccupancyMaxPotentialClusterSize)
REFUSED(cuStreamGetCtx)
REFUSED(cuStreamSynchronize)
REFUSED(cuTensorMapEncodeTiled)
