// Counts what a process has allocated, from outside: LD_PRELOAD this library with MALLOC_COUNTER=PREFIX set, and each process
// keeps its counters in a mapped file PREFIX.PID, which another process may read (and whose `high` it may set) at any time.
//
// Live bytes are those of malloc's blocks (as malloc_usable_size sees them) and of mappings made by mmap and mremap; the
// allocator's own mappings and thread stacks aren't seen twice, or at all: a reader takes the process's size from /proc.
// A fork's child starts from its parent's counters, in a file of its own. glibc only.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

// The file's layout: memory_test.py reads it.
struct Counters {
  _Atomic int64_t live;        // bytes of malloc's blocks
  _Atomic int64_t mapped;      // bytes of mappings
  _Atomic int64_t high;        // the most that live + mapped has been
  _Atomic int64_t allocations; // calls that gave a block
  _Atomic int64_t mappings;    // calls that gave a mapping
};

extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);
extern void __libc_free(void *);

static struct Counters before; // until the file is there
static struct Counters *counters = &before;

static void grown(void) {
  int64_t now = counters->live + counters->mapped, high = counters->high;
  while (now > high && !atomic_compare_exchange_weak(&counters->high, &high, now))
    ;
}

static void *counted(void *block) {
  if (block) {
    counters->live += (int64_t)malloc_usable_size(block);
    counters->allocations += 1;
    grown();
  }
  return block;
}

void *malloc(size_t bytes) { return counted(__libc_malloc(bytes)); }
void *calloc(size_t count, size_t bytes) { return counted(__libc_calloc(count, bytes)); }
void *memalign(size_t alignment, size_t bytes) { return counted(__libc_memalign(alignment, bytes)); }
void *aligned_alloc(size_t alignment, size_t bytes) { return memalign(alignment, bytes); }

int posix_memalign(void **block, size_t alignment, size_t bytes) {
  if (alignment % sizeof(void *) != 0 || (alignment & (alignment - 1)) != 0 || alignment == 0)
    return EINVAL;
  void *made = memalign(alignment, bytes);
  if (!made)
    return ENOMEM;
  *block = made;
  return 0;
}

void free(void *block) {
  if (block)
    counters->live -= (int64_t)malloc_usable_size(block);
  __libc_free(block);
}

void *realloc(void *block, size_t bytes) {
  int64_t had = block ? (int64_t)malloc_usable_size(block) : 0;
  void *made = __libc_realloc(block, bytes);
  if (made || bytes == 0) // else the old block stays
    counters->live -= had;
  return counted(made);
}

static void *mapping(void *address, size_t bytes) {
  if (address != MAP_FAILED) {
    counters->mapped += (int64_t)bytes;
    counters->mappings += 1;
    grown();
  }
  return address;
}

void *mmap(void *address, size_t bytes, int protection, int flags, int fd, off_t offset) {
  return mapping((void *)syscall(SYS_mmap, address, bytes, protection, flags, fd, offset), bytes);
}
void *mmap64(void *address, size_t bytes, int protection, int flags, int fd, off64_t offset) {
  return mmap(address, bytes, protection, flags, fd, offset);
}

int munmap(void *address, size_t bytes) {
  int result = (int)syscall(SYS_munmap, address, bytes);
  if (result == 0)
    counters->mapped -= (int64_t)bytes;
  return result;
}

void *mremap(void *old, size_t had, size_t bytes, int flags, ...) {
  __builtin_va_list arguments;
  __builtin_va_start(arguments, flags);
  void *target = flags & MREMAP_FIXED ? __builtin_va_arg(arguments, void *) : NULL;
  __builtin_va_end(arguments);
  void *made = (void *)syscall(SYS_mremap, old, had, bytes, flags, target);
  if (made != MAP_FAILED)
    counters->mapped -= (int64_t)had;
  return mapping(made, bytes);
}

/// Moves the counters to a file of this process's.
static void openFile(void) {
  const char *prefix = getenv("MALLOC_COUNTER");
  char path[4096];
  if (!prefix || snprintf(path, sizeof path, "%s.%d", prefix, (int)getpid()) >= (int)sizeof path)
    return;
  int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0 || ftruncate(fd, sizeof(struct Counters)) != 0)
    abort(); // a test that counts nothing must not pass
  void *file = (void *)syscall(SYS_mmap, NULL, sizeof(struct Counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  close(fd);
  if (file == MAP_FAILED)
    abort();
  memcpy(file, counters, sizeof(struct Counters));
  counters = file;
}

__attribute__((constructor)) static void start(void) {
  openFile();
  pthread_atfork(NULL, NULL, openFile);
}
