// A CUDA driver that fails, made of the one that is there: LD_PRELOAD this library with ZP_DRIVER_FAULT set to
//     old    the driver says that it is of CUDA 12.2
//     trap   a launch is preceded by a kernel that traps: an error of the device, seen when its stream is waited for
//     ecc    a launch is refused with the driver's code for an uncorrectable memory error
// The launch is the first, of a kernel or a graph, when the file ZP_DRIVER_FAULT_WHEN is there.
//
// The CUDA runtime is linked statically and looks the driver's functions up by dlsym and cuGetProcAddress: that is where we stand.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { kSuccess = 0, kEccUncorrectable = 214, kOldVersion = 12020 };

static int isFault(const char *name) {
  const char *fault = getenv("ZP_DRIVER_FAULT");
  return fault && strcmp(fault, name) == 0;
}

typedef void *(*Lookup)(void *, const char *);
static Lookup realLookup(void) {
  static Lookup found;
  if (!found) // where it has lived since glibc 2.34, and before
    found = (Lookup)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.34");
  if (!found)
    found = (Lookup)dlvsym(RTLD_NEXT, "dlsym", "GLIBC_2.2.5");
  return found;
}

static void *driver; // the handle that the runtime looks in
static void *inDriver(const char *name) { return realLookup()(driver, name); }

/// A kernel that traps, in the stream: the context is the caller's.
static void trapIn(void *stream) {
  static const char code[] = ".version 7.0\n.target sm_70\n.address_size 64\n.visible .entry fault() { trap; }\n";
  int (*load)(void **, const void *) = inDriver("cuModuleLoadData");
  int (*find)(void **, void *, const char *) = inDriver("cuModuleGetFunction");
  int (*launch)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **) = inDriver("cuLaunchKernel");
  void *module, *function;
  int refused = load && find && launch ? load(&module, code) : -1;
  if (refused == kSuccess)
    refused = find(&function, module, "fault");
  if (refused == kSuccess)
    refused = launch(function, 1, 1, 1, 1, 1, 1, 0, stream, NULL, NULL);
  if (refused != kSuccess)
    fprintf(stderr, "failing_cuda_driver: no kernel traps, the driver said %d\n", refused);
}

/// Once.
static int strikes(void) {
  static _Atomic int struck;
  const char *when = getenv("ZP_DRIVER_FAULT_WHEN");
  return !struck && when && access(when, F_OK) == 0 && atomic_exchange(&struck, 1) == 0;
}

/// What a launch into the stream has to return at once; success: it goes on.
static int fault(void *stream) {
  if (!strikes())
    return kSuccess;
  if (isFault("ecc"))
    return kEccUncorrectable;
  trapIn(stream);
  return kSuccess;
}

static int (*realGraphLaunch)(void *, void *);
static int graphLaunch(void *graph, void *stream) {
  const int code = fault(stream);
  return code == kSuccess ? realGraphLaunch(graph, stream) : code;
}
static int (*realLaunchKernel)(void *, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, unsigned, void *, void **, void **);
static int launchKernel(void *function, unsigned x, unsigned y, unsigned z, unsigned threadsX, unsigned threadsY, unsigned threadsZ, unsigned shared,
                        void *stream, void **arguments, void **extra) {
  const int code = fault(stream);
  return code == kSuccess ? realLaunchKernel(function, x, y, z, threadsX, threadsY, threadsZ, shared, stream, arguments, extra) : code;
}

/// The beginning of CUlaunchConfig.
struct LaunchConfig {
  unsigned grid[3], block[3], shared;
  void *stream;
};
static int (*realLaunchKernelEx)(const struct LaunchConfig *, void *, void **, void **);
static int launchKernelEx(const struct LaunchConfig *config, void *function, void **arguments, void **extra) {
  const int code = fault(config->stream);
  return code == kSuccess ? realLaunchKernelEx(config, function, arguments, extra) : code;
}

static int oldVersion(int *version) {
  *version = kOldVersion;
  return kSuccess;
}

/// What the runtime gets for a function of the driver.
static void *replaced(const char *name, void *function) {
  if (!function)
    return function;
  if (isFault("old") && strcmp(name, "cuDriverGetVersion") == 0)
    return oldVersion;
  if (!isFault("trap") && !isFault("ecc"))
    return function;
  if (strcmp(name, "cuGraphLaunch") == 0) {
    realGraphLaunch = function;
    return graphLaunch;
  }
  if (strcmp(name, "cuLaunchKernel") == 0) {
    realLaunchKernel = function;
    return launchKernel;
  }
  if (strcmp(name, "cuLaunchKernelEx") == 0) {
    realLaunchKernelEx = function;
    return launchKernelEx;
  }
  return function;
}

static int (*realGetProcAddress)(const char *, void **, int, uint64_t, void *);
static int getProcAddress(const char *name, void **function, int version, uint64_t flags, void *status) {
  const int code = realGetProcAddress(name, function, version, flags, status);
  if (code == kSuccess && function) {
    const int itself = strcmp(name, "cuGetProcAddress") == 0 && version >= 12000; // older ones take no status
    *function = itself ? (void *)getProcAddress : replaced(name, *function);
  }
  return code;
}

void *dlsym(void *handle, const char *name) {
  void *found = realLookup()(handle, name);
  if (!found || strncmp(name, "cu", 2) != 0)
    return found;
  if (strcmp(name, "cuGetProcAddress_v2") == 0) {
    driver = handle;
    realGetProcAddress = found;
    return getProcAddress;
  }
  return replaced(name, found);
}
