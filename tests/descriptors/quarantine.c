/* Finds what is done to a descriptor that was closed: preloaded into every process of ours (LD_PRELOAD).

   A number that is closed is not given out again for a while: an O_PATH descriptor of /dev/null takes its place, and the
   last 400 such numbers of a process stay so. Whoever uses or closes one meanwhile gets EBADF, where it would have met the
   file of somebody else, and a file PID.TID in the directory QUARANTINE says what was done, and where in Python. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#define NUMBERS 65536
#define KEPT 400
#define LEAST_ROOM 900 /* where the first of them goes, out of everybody's way */

static _Atomic char closed[NUMBERS];
static _Atomic int kept[KEPT];
static _Atomic unsigned next;
static int stone = -1;
static pid_t self; /* a child of vfork shares our memory but not our descriptors: it is let alone */

static pid_t pid(void) { return syscall(SYS_getpid); }
static int really_close(int fd) { return syscall(SYS_close, fd); }
static void forked(void) { self = pid(); }

__attribute__((constructor)) static void begin(void) {
    for (int i = 0; i < KEPT; i++) kept[i] = -1;
    if (!dlsym(RTLD_DEFAULT, "Py_IsInitialized")) return; /* what is no Python is not ours */
    int low = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_PATH | O_CLOEXEC);
    if (low < 0) return;
    stone = syscall(SYS_fcntl, low, F_DUPFD_CLOEXEC, LEAST_ROOM);
    really_close(low);
    self = pid();
    pthread_atfork(NULL, NULL, forked);
}

static void tell(const char *what, int fd) {
    const char *directory = getenv("QUARANTINE"), *test = getenv("PYTEST_CURRENT_TEST");
    char name[17] = "", path[4096], line[600];
    if (!directory) return;
    prctl(PR_GET_NAME, name);
    snprintf(path, sizeof path, "%s/%d.%ld", directory, pid(), syscall(SYS_gettid));
    int out = syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (out < 0) return;
    int size = snprintf(line, sizeof line, "== %s of %d by %s %.300s\n", what, fd, name, test ? test : "");
    syscall(SYS_write, out, line, size < (int)sizeof line ? size : (int)sizeof line - 1);
    void (*stack)(int, void *) = dlsym(RTLD_DEFAULT, "_Py_DumpTraceback");
    void *(*thread)(void) = dlsym(RTLD_DEFAULT, "PyGILState_GetThisThreadState");
    void *state = stack && thread ? thread() : NULL;
    if (state) stack(out, state);
    really_close(out);
}

static int is_closed(const char *what, int fd) {
    if (fd < 0 || fd >= NUMBERS || !closed[fd] || pid() != self) return 0;
    tell(what, fd);
    errno = EBADF;
    return 1;
}

static void is_open(int fd) {
    if (fd >= 0 && fd < NUMBERS && pid() == self) closed[fd] = 0;
}

int close(int fd) {
    if (stone < 0 || fd < 0 || fd >= NUMBERS || fd == stone || pid() != self) return really_close(fd);
    if (is_closed("close", fd)) return -1;
    if (syscall(SYS_fcntl, fd, F_GETFD) < 0) { /* Python itself asks so after a failed fork, say */
        errno = EBADF;
        return -1;
    }
    int copy = syscall(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LEAST_ROOM); /* closed last: it says what closing says */
    closed[fd] = 1;
    if (syscall(SYS_dup3, stone, fd, O_CLOEXEC) < 0) {
        closed[fd] = 0;
        if (copy >= 0) really_close(copy);
        return really_close(fd);
    }
    int said = copy < 0 ? 0 : really_close(copy), number = errno;
    int oldest = atomic_exchange(&kept[atomic_fetch_add(&next, 1) % KEPT], fd);
    char yes = 1;
    if (oldest >= 0 && oldest != fd && atomic_compare_exchange_strong(&closed[oldest], &yes, 0)) really_close(oldest);
    errno = number;
    return said;
}

int dup2(int from, int to) {
    if (is_closed("dup2", from)) return -1;
    if (from == to) return syscall(SYS_fcntl, from, F_GETFD) < 0 ? -1 : to;
    int made = syscall(SYS_dup3, from, to, 0);
    if (made >= 0) is_open(to);
    return made;
}

int dup3(int from, int to, int flags) {
    if (is_closed("dup3", from)) return -1;
    int made = syscall(SYS_dup3, from, to, flags);
    if (made >= 0) is_open(to);
    return made;
}

int close_range(unsigned first, unsigned last, int flags) {
    int done = syscall(SYS_close_range, first, last, flags);
    for (unsigned fd = first; done == 0 && flags == 0 && fd <= last && fd < NUMBERS; fd++) is_open(fd);
    return done;
}

/* What is not done to a closed number goes on to the C library. */
#define REAL(type, name, parameters, arguments) \
    static type (*real) parameters; \
    if (!real) real = dlsym(RTLD_NEXT, #name); \
    return real arguments;
#define ONE(type, name, parameters, arguments) \
    type name parameters { \
        if (is_closed(#name, fd)) return -1; \
        REAL(type, name, parameters, arguments) \
    }
#define TWO(type, name, parameters, arguments) \
    type name parameters { \
        if (is_closed(#name, fd) || is_closed(#name, to)) return -1; \
        REAL(type, name, parameters, arguments) \
    }
#define BELOW(type, name, parameters, arguments) /* a path that begins with / leads elsewhere */ \
    type name parameters { \
        if (path[0] != '/' && is_closed(#name, fd)) return -1; \
        REAL(type, name, parameters, arguments) \
    }

ONE(ssize_t, read, (int fd, void *data, size_t size), (fd, data, size))
ONE(ssize_t, readv, (int fd, const struct iovec *data, int count), (fd, data, count))
ONE(ssize_t, pread, (int fd, void *data, size_t size, off_t at), (fd, data, size, at))
ONE(ssize_t, pread64, (int fd, void *data, size_t size, off64_t at), (fd, data, size, at))
ONE(ssize_t, preadv, (int fd, const struct iovec *data, int count, off_t at), (fd, data, count, at))
ONE(ssize_t, preadv64, (int fd, const struct iovec *data, int count, off64_t at), (fd, data, count, at))
ONE(ssize_t, preadv64v2, (int fd, const struct iovec *data, int count, off64_t at, int how), (fd, data, count, at, how))
ONE(ssize_t, write, (int fd, const void *data, size_t size), (fd, data, size))
ONE(ssize_t, writev, (int fd, const struct iovec *data, int count), (fd, data, count))
ONE(ssize_t, pwrite, (int fd, const void *data, size_t size, off_t at), (fd, data, size, at))
ONE(ssize_t, pwrite64, (int fd, const void *data, size_t size, off64_t at), (fd, data, size, at))
ONE(off_t, lseek, (int fd, off_t at, int from), (fd, at, from))
ONE(off64_t, lseek64, (int fd, off64_t at, int from), (fd, at, from))
ONE(int, ftruncate, (int fd, off_t size), (fd, size))
ONE(int, ftruncate64, (int fd, off64_t size), (fd, size))
ONE(int, fsync, (int fd), (fd))
ONE(int, fdatasync, (int fd), (fd))
ONE(int, fchmod, (int fd, mode_t mode), (fd, mode))
ONE(int, flock, (int fd, int how), (fd, how))
ONE(int, fstat, (int fd, struct stat *status), (fd, status))
ONE(int, fstat64, (int fd, struct stat64 *status), (fd, status))
ONE(int, dup, (int fd), (fd))
ONE(ssize_t, recv, (int fd, void *data, size_t size, int how), (fd, data, size, how))
ONE(ssize_t, recvmsg, (int fd, struct msghdr *message, int how), (fd, message, how))
ONE(ssize_t, send, (int fd, const void *data, size_t size, int how), (fd, data, size, how))
ONE(ssize_t, sendmsg, (int fd, const struct msghdr *message, int how), (fd, message, how))
ONE(int, shutdown, (int fd, int how), (fd, how))
ONE(int, listen, (int fd, int count), (fd, count))
TWO(ssize_t, splice, (int fd, off64_t *at, int to, off64_t *there, size_t size, unsigned how), (fd, at, to, there, size, how))
TWO(ssize_t, sendfile64, (int to, int fd, off64_t *at, size_t size), (to, fd, at, size))
TWO(ssize_t, copy_file_range, (int fd, off64_t *at, int to, off64_t *there, size_t size, unsigned how), (fd, at, to, there, size, how))
BELOW(int, mkdirat, (int fd, const char *path, mode_t mode), (fd, path, mode))
BELOW(int, unlinkat, (int fd, const char *path, int how), (fd, path, how))
BELOW(int, fstatat, (int fd, const char *path, struct stat *status, int how), (fd, path, status, how))
BELOW(int, fstatat64, (int fd, const char *path, struct stat64 *status, int how), (fd, path, status, how))
BELOW(ssize_t, readlinkat, (int fd, const char *path, char *link, size_t size), (fd, path, link, size))
BELOW(int, linkat, (int from, const char *old, int fd, const char *path, int how), (from, old, fd, path, how))

static int is_closed_name(const char *what, const char *path) {
    int fd;
    return sscanf(path, "/proc/self/fd/%d", &fd) == 1 && is_closed(what, fd);
}

#define COMMA ,
#define OPEN(name, opened, first, call) \
    int name(first const char *path, int flags, ...) { \
        va_list more; \
        va_start(more, flags); \
        mode_t mode = flags & O_CREAT || (flags & O_TMPFILE) == O_TMPFILE ? va_arg(more, mode_t) : 0; \
        va_end(more); \
        if (is_closed_name(#name, path) || opened) return -1; \
        return syscall(SYS_openat, call, path, flags, mode); \
    }
OPEN(open, 0, , AT_FDCWD)
OPEN(open64, 0, , AT_FDCWD)
OPEN(openat, (path[0] != '/' && is_closed("openat", fd)), int fd COMMA, fd)
OPEN(openat64, (path[0] != '/' && is_closed("openat64", fd)), int fd COMMA, fd)

#define PASSED(name, number, kind) \
    int name(int fd, kind what, ...) { \
        va_list more; \
        va_start(more, what); \
        long given = va_arg(more, long); \
        va_end(more); \
        return is_closed(#name, fd) ? -1 : syscall(number, fd, what, given); \
    }
PASSED(fcntl, SYS_fcntl, int)
PASSED(fcntl64, SYS_fcntl, int)
PASSED(ioctl, SYS_ioctl, unsigned long)
