// Counts what the event loops of a process ask of the allocator and of their sockets. Loaded with LD_PRELOAD; the counts are in
// the file that CLUSTER_SYNC_COUNTERS names, mapped, so that gates.py reads them at any moment without a word to the process.
//
// Other threads are not counted: what they do (the journal's sync every 10 ms, the admin port) grows with time and not with
// frames, so that a busy machine would have higher counts.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>
#include <valgrind/callgrind.h>

// gates.py reads them in this order.
struct counters {
    _Atomic uint64_t allocations;
    _Atomic uint64_t socket_writes;
};

// Where nothing is to be counted, and before the file is mapped, this one is counted in and never read.
static struct counters unread;
static struct counters *counters = &unread;

__attribute__((constructor)) static void map_counters(void) {
    const char *path = getenv("CLUSTER_SYNC_COUNTERS");
    int file = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600) : -1;
    if (file < 0) return;
    if (ftruncate(file, sizeof(struct counters)) == 0) {
        void *memory = mmap(NULL, sizeof(struct counters), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
        if (memory != MAP_FAILED) counters = memory;
    }
    close(file);
}

// SwiftNIO's name for the threads of a group that was made for a purpose: the data path. The shared group has another one.
static const char loop_name[] = "NIO-ELT-";
static __thread int is_loop;

// SwiftNIO's threads name themselves, before they do anything else.
int pthread_setname_np(pthread_t thread, const char *name) {
    if (!pthread_equal(thread, pthread_self())) return EINVAL;
    int was_loop = is_loop;
    is_loop = strncmp(name, loop_name, sizeof(loop_name) - 1) == 0;
    // Under callgrind with --collect-atstart=no: instructions of this thread are counted from now on.
    if (is_loop != was_loop) CALLGRIND_TOGGLE_COLLECT;
    return prctl(PR_SET_NAME, name) == 0 ? 0 : errno;
}

// The allocator's own names: looking them up with dlsym would allocate, and come back here.
extern void *__libc_malloc(size_t);
extern void *__libc_calloc(size_t, size_t);
extern void *__libc_realloc(void *, size_t);
extern void *__libc_memalign(size_t, size_t);

static void allocation(void) {
    if (is_loop) atomic_fetch_add_explicit(&counters->allocations, 1, memory_order_relaxed);
}

void *malloc(size_t size) {
    allocation();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size) {
    allocation();
    return __libc_calloc(count, size);
}

void *realloc(void *memory, size_t size) {
    allocation();
    return __libc_realloc(memory, size);
}

void *memalign(size_t alignment, size_t size) {
    allocation();
    return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) { return memalign(alignment, size); }

int posix_memalign(void **result, size_t alignment, size_t size) {
    void *memory = memalign(alignment, size);
    if (memory == NULL) return ENOMEM;
    *result = memory;
    return 0;
}

static void written(int descriptor) {
    if (!is_loop) return;
    struct stat status;
    int before = errno;
    if (fstat(descriptor, &status) == 0 && S_ISSOCK(status.st_mode))
        atomic_fetch_add_explicit(&counters->socket_writes, 1, memory_order_relaxed);
    errno = before;
}

ssize_t write(int descriptor, const void *bytes, size_t count) {
    written(descriptor);
    return syscall(SYS_write, descriptor, bytes, count);
}

ssize_t writev(int descriptor, const struct iovec *parts, int count) {
    written(descriptor);
    return syscall(SYS_writev, descriptor, parts, count);
}

ssize_t sendto(int descriptor, const void *bytes, size_t count, int flags, const struct sockaddr *to, socklen_t length) {
    written(descriptor);
    return syscall(SYS_sendto, descriptor, bytes, count, flags, to, length);
}

ssize_t send(int descriptor, const void *bytes, size_t count, int flags) {
    return sendto(descriptor, bytes, count, flags, NULL, 0);
}

ssize_t sendmsg(int descriptor, const struct msghdr *message, int flags) {
    written(descriptor);
    return syscall(SYS_sendmsg, descriptor, message, flags);
}

int sendmmsg(int descriptor, struct mmsghdr *messages, unsigned int count, int flags) {
    written(descriptor);
    return (int)syscall(SYS_sendmmsg, descriptor, messages, count, flags);
}

// Of a sigset_t the kernel knows as many bytes.
enum { kernel_mask_bytes = 8 };

// Valgrind 3.19 takes its own signal out of the mask that a program waits with, in the program's memory. libdispatch's mask is a
// constant, and valgrind dies of it: it gets a copy.
int sigsuspend(const sigset_t *mask) {
    unsigned char copy[kernel_mask_bytes];
    memcpy(copy, mask, sizeof(copy));
    return (int)syscall(SYS_rt_sigsuspend, copy, sizeof(copy));
}
