/* Kills its process at one of its side effects, which SIGKILL by the clock seldom hits, and sets its clock wrong.

   Loaded by LD_PRELOAD into the service, and so into its agents. The effects of a process are counted: every call that changes a file system, and what an agent
   sends. CRASH_PLANS is a directory. Whoever finds the file <role> there takes it (by renaming it) and from then on dies
   at the effect that it names: "NUMBER before" or "NUMBER after". Its last words are <role>.died.<pid>. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static char role[16], plan[512], command[8192];
static long command_size, looked_at;
static atomic_long count, target;
static int after;

static long read_file(const char *path, char *into, long size) {
    long descriptor = syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC, 0);
    if (descriptor < 0) return 0;
    long got = syscall(SYS_read, descriptor, into, size);
    syscall(SYS_close, descriptor);
    return got < 0 ? 0 : got;
}

/* Who this process is: agents are forked, and write over their arguments what they are. */
static int has_role(void) {
    long pid = syscall(SYS_getpid);
    if (pid == looked_at) return role[0];
    looked_at = pid;
    role[0] = 0;
    atomic_store(&target, 0);
    const char *plans = getenv("CRASH_PLANS"), *named = getenv("CRASH_ROLE");
    command_size = read_file("/proc/self/cmdline", command, sizeof command);
    while (command_size > 1 && !command[command_size - 1] && !command[command_size - 2]) command_size--;
    if (!plans || !named || memmem(command, command_size, "--nursery", 9)) return 0;
    int is_agent = memmem(command, command_size, "sagestone.agent\0", 16) != NULL;
    if (!is_agent && !memmem(command, command_size, "sagestone\0up\0", 13)) return 0;
    snprintf(role, sizeof role, "%s", is_agent ? "agent" : named);
    snprintf(plan, sizeof plan, "%s/%s", plans, role);
    return 1;
}

static void take_plan(void) {
    char mine[600], text[64] = "";
    snprintf(mine, sizeof mine, "%s.taken.%ld", plan, (long)syscall(SYS_getpid));
    if (syscall(SYS_renameat2, AT_FDCWD, plan, AT_FDCWD, mine, 0) != 0) return;
    read_file(mine, text, sizeof text - 1);
    after = strstr(text, "after") != NULL;
    atomic_store(&count, 0);
    atomic_store(&target, atol(text));
}

static void die(void) {
    char words[600];
    snprintf(words, sizeof words, "%s.died.%ld", plan, (long)syscall(SYS_getpid));
    long descriptor = syscall(SYS_openat, AT_FDCWD, words, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    syscall(SYS_write, descriptor, command, command_size);
    syscall(SYS_close, descriptor);
    for (;;) syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
}

static int is_last(void) {
    if (!has_role()) return 0;
    if (!atomic_load(&target)) take_plan();
    if (!atomic_load(&target) || atomic_fetch_add(&count, 1) + 1 != atomic_load(&target)) return 0;
    if (!after) die();
    return 1;
}

static int is_file(int descriptor) {
    struct stat found;
    return has_role() && fstat(descriptor, &found) == 0 && S_ISREG(found.st_mode);
}

/* The time of day, wrong by the seconds that the file `clock` in CRASH_PLANS holds as a number of eight bytes. */
static const long *clock_error(void) {
    static const long *shared;
    static const long none;
    if (shared) return shared;
    char file[600];
    const char *plans = getenv("CRASH_PLANS");
    snprintf(file, sizeof file, "%s/clock", plans ? plans : "");
    long descriptor = plans ? syscall(SYS_openat, AT_FDCWD, file, O_RDONLY | O_CLOEXEC, 0) : -1;
    void *place = descriptor < 0 ? MAP_FAILED : mmap(NULL, sizeof(long), PROT_READ, MAP_SHARED, (int)descriptor, 0);
    if (descriptor >= 0) syscall(SYS_close, descriptor);
    shared = place == MAP_FAILED ? &none : place;
    return shared;
}

int clock_gettime(clockid_t clock, struct timespec *at) {
    int failed = (int)syscall(SYS_clock_gettime, clock, at);
    if (!failed && clock == CLOCK_REALTIME) at->tv_sec += *clock_error();
    return failed;
}

time_t time(time_t *into) {
    struct timespec at;
    clock_gettime(CLOCK_REALTIME, &at);
    if (into) *into = at.tv_sec;
    return at.tv_sec;
}

int gettimeofday(struct timeval *restrict at, void *restrict zone) {
    struct timespec now;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &now);
    at->tv_sec = now.tv_sec;
    at->tv_usec = now.tv_nsec / 1000;
    return 0;
}

#define EFFECT_IF(condition, type, name, parameters, values)               \
    type name parameters {                                                 \
        static type(*real) parameters;                                     \
        if (!real) real = (type(*) parameters)dlsym(RTLD_NEXT, #name);     \
        int last = (condition) && is_last();                               \
        type result = real values;                                         \
        if (last) die();                                                   \
        return result;                                                     \
    }
#define EFFECT(type, name, parameters, values) EFFECT_IF(1, type, name, parameters, values)

EFFECT(int, rename, (const char *a, const char *b), (a, b))
EFFECT(int, renameat, (int d, const char *a, int e, const char *b), (d, a, e, b))
EFFECT(int, unlink, (const char *a), (a))
EFFECT(int, unlinkat, (int d, const char *a, int f), (d, a, f))
EFFECT(int, rmdir, (const char *a), (a))
EFFECT(int, mkdir, (const char *a, mode_t m), (a, m))
EFFECT(int, mkdirat, (int d, const char *a, mode_t m), (d, a, m))
EFFECT(int, mkfifo, (const char *a, mode_t m), (a, m))
EFFECT(int, mkfifoat, (int d, const char *a, mode_t m), (d, a, m))
EFFECT(int, link, (const char *a, const char *b), (a, b))
EFFECT(int, linkat, (int d, const char *a, int e, const char *b, int f), (d, a, e, b, f))
EFFECT(int, symlink, (const char *a, const char *b), (a, b))
EFFECT(int, fsync, (int d), (d))
EFFECT(int, fdatasync, (int d), (d))
EFFECT(int, ftruncate, (int d, off_t n), (d, n))
EFFECT(int, ftruncate64, (int d, off64_t n), (d, n))
EFFECT(int, mount, (const char *s, const char *t, const char *k, unsigned long f, const void *o), (s, t, k, f, o))
EFFECT(int, umount2, (const char *t, int f), (t, f))
EFFECT_IF(is_file(d), ssize_t, write, (int d, const void *b, size_t n), (d, b, n))
EFFECT_IF(is_file(d), ssize_t, pwrite, (int d, const void *b, size_t n, off_t o), (d, b, n, o))
EFFECT_IF(is_file(d), ssize_t, pwrite64, (int d, const void *b, size_t n, off64_t o), (d, b, n, o))
EFFECT_IF(has_role() && role[0] == 'a', ssize_t, send, (int d, const void *b, size_t n, int f), (d, b, n, f))
