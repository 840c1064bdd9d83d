/* A program that tries, inside a container, all that it must not be able to do, and reports each try on a line:
   `refused NAME: why` or `DONE NAME`. Facts about itself stand in lines `fact NAME VALUE`.

   It is told of the machine by variables: SECRETS, paths of the machine's files, sockets and directories; PIDS, its
   processes; TARGETS, ip:port of things that listen; ABSTRACT, the name of an abstract socket; READ_ONLY, a mount. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <linux/perf_event.h>
#include <linux/userfaultfd.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/klog.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/sysmacros.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

static void report(const char *name, const char *detail, long result) {
    if (result >= 0) printf("DONE %s %s\n", name, detail);
    else printf("refused %s %s: %s\n", name, detail, strerror(errno));
    fflush(stdout);
}
#define TRY(name, call) do { errno = 0; report(name, "", (long)(call)); } while (0)
#define TRY_ON(name, what, call) do { errno = 0; report(name, what, (long)(call)); } while (0)

static int can_open(const char *path, int flags) {
    int file = open(path, flags | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (file >= 0) close(file);
    return file;
}

/* The bytes that can be read there; none counts as refused: a covered file is empty. */
static long can_read(const char *path) {
    char byte[16];
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) return -1;
    long got = read(file, byte, sizeof byte);
    close(file);
    if (got == 0) errno = ENODATA;
    return got > 0 ? got : -1;
}

static long can_write(const char *path, const char *text) {
    int file = open(path, O_WRONLY | O_CLOEXEC);
    if (file < 0) return -1;
    long wrote = write(file, text, strlen(text));
    int kept = errno;
    close(file);
    errno = kept;
    return wrote;
}

static void each(const char *variable, void (*call)(char *)) {
    char *copy = strdup(getenv(variable) ? getenv(variable) : ""), *rest = copy, *word;
    while ((word = strsep(&rest, ",")))
        if (*word) call(word);
    free(copy);
}

/* --- the machine's files ------------------------------------------------------------------------------------------ */

static int can_enter(const char *path) {
    struct stat status;
    return stat(path, &status);
}

static void try_secret(char *path) {
    char way[PATH_MAX];
    const char *ways[] = {"", "/../../../../../../../..", "/proc/1/root", "/proc/self/root", "/proc/1/cwd/../../../../..",
                          "/proc/self/cwd/../../../../..", "/dev/fd/0/../../../..", "/opt/ml/model/../../../../.."};
    for (size_t at = 0; at < sizeof ways / sizeof *ways; at++) {
        snprintf(way, sizeof way, "%s%s", ways[at], path);
        TRY_ON("reach-file", way, can_enter(way));
    }
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    TRY_ON("reach-socket", path, connect(sock, (void *)&address, sizeof address));
    close(sock);
    if (fork() == 0) { /* the classic way out of a chroot */
        mkdir("/tmp/jail", 0700);
        int root = open("/", O_RDONLY | O_DIRECTORY);
        if (chroot("/tmp/jail") == 0 && fchdir(root) == 0) {
            for (int up = 0; up < 64; up++) if (chdir("..")) break;
            if (chroot(".")) _exit(0);
        }
        TRY_ON("chroot-escape", path, can_enter(path));
        _exit(0);
    }
    wait(NULL);
}

static void try_handle(void) {
    struct { struct file_handle head; unsigned char bytes[16]; } handle = {.head = {.handle_bytes = 8, .handle_type = 1}};
    handle.bytes[0] = 2; /* the root of most file systems */
    int place = open("/etc", O_RDONLY);
    TRY("open-by-handle", open_by_handle_at(place, &handle.head, O_RDONLY));
    close(place);
}

static void try_device(const char *name, mode_t kind, unsigned major, unsigned minor) {
    char path[64];
    snprintf(path, sizeof path, "/tmp/%s", name);
    TRY_ON("make-device", name, mknod(path, kind | 0666, makedev(major, minor)));
    snprintf(path, sizeof path, "/dev/%s", name);
    TRY_ON("open-device", name, can_open(path, O_RDONLY));
}

/* Whatever of the kernel's files can be opened for writing, and is none of this process's own. */
static void try_writing(const char *directory, int depth) {
    DIR *opened = opendir(directory);
    struct dirent *entry;
    while (opened && (entry = readdir(opened))) {
        char path[PATH_MAX];
        struct stat status;
        if (entry->d_name[0] == '.' || (depth == 0 && entry->d_name[0] >= '0' && entry->d_name[0] <= '9')) continue;
        if (snprintf(path, sizeof path, "%s/%s", directory, entry->d_name) >= (int)sizeof path) continue;
        if (lstat(path, &status) || S_ISLNK(status.st_mode)) continue;
        if (S_ISDIR(status.st_mode)) try_writing(path, depth + 1);
        else if (S_ISREG(status.st_mode) && (status.st_mode & 0222) && can_open(path, O_WRONLY) >= 0) report("write-kernel-file", path, 0);
    }
    if (opened) closedir(opened);
}

/* --- processes and rights ----------------------------------------------------------------------------------------- */

static void try_process(char *number) {
    pid_t pid = atoi(number);
    char byte;
    struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};
    TRY_ON("signal", number, kill(pid, 0));
    TRY_ON("trace", number, ptrace(PTRACE_ATTACH, pid, 0, 0));
    TRY_ON("read-memory", number, process_vm_readv(pid, &here, 1, &there, 1, 0));
    TRY_ON("pidfd", number, syscall(SYS_pidfd_open, pid, 0));
    TRY_ON("priority-of", number, setpriority(PRIO_PROCESS, pid, 19));
    TRY_ON("limits-of", number, prlimit(pid, RLIMIT_NOFILE, NULL, &(struct rlimit){0}));
}

static void try_namespaces(void) {
    const struct { const char *name; int flag; } kinds[] = {{"mnt", CLONE_NEWNS}, {"net", CLONE_NEWNET}, {"user", CLONE_NEWUSER},
        {"pid", CLONE_NEWPID}, {"ipc", CLONE_NEWIPC}, {"uts", CLONE_NEWUTS}, {"cgroup", CLONE_NEWCGROUP}};
    for (size_t at = 0; at < sizeof kinds / sizeof *kinds; at++) {
        char path[64];
        snprintf(path, sizeof path, "/proc/1/ns/%s", kinds[at].name);
        int space = open(path, O_RDONLY);
        TRY_ON("setns", kinds[at].name, setns(space, 0));
        if (space >= 0) close(space);
        if (fork() == 0) { /* where it may make a user namespace, it is somebody else in there */
            TRY_ON("unshare", kinds[at].name, unshare(kinds[at].flag));
            _exit(0);
        }
        wait(NULL);
        errno = 0;
        long child = syscall(SYS_clone, kinds[at].flag | SIGCHLD, 0, 0, 0, 0);
        if (child == 0) _exit(0);
        report("clone", kinds[at].name, child);
        if (child > 0) wait(NULL);
    }
    struct { unsigned long long flags, more[10]; } arguments = {.flags = CLONE_NEWUSER};
    long child = syscall(SYS_clone3, &arguments, sizeof arguments);
    if (child == 0) _exit(0);
    report("clone3", "user", child);
    if (child > 0) wait(NULL);
}

static void try_mounts(void) {
    TRY("mount-tmpfs", mount("none", "/tmp", "tmpfs", 0, ""));
    TRY("mount-proc", mount("none", "/tmp", "proc", 0, ""));
    TRY("mount-cgroup", mount("none", "/tmp", "cgroup", 0, "memory"));
    TRY("mount-bind", mount("/", "/tmp", "", MS_BIND, ""));
    TRY("remount-proc-sys", mount("", "/proc/sys", "", MS_REMOUNT | MS_BIND, ""));
    TRY("uncover-kcore", umount2("/proc/kcore", MNT_DETACH));
    TRY("unmount-dev", umount2("/dev", MNT_DETACH));
    TRY("pivot-root", syscall(SYS_pivot_root, "/", "/tmp"));
    TRY("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
    TRY("open-tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
    TRY("move-mount", syscall(SYS_move_mount, AT_FDCWD, "/proc", AT_FDCWD, "/tmp", 0));
    TRY("mount-setattr", syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, (char[32]){0}, 32));
    TRY("swap", swapon("/tmp/swap", 0));
}

static void try_calls(void) {
    union bpf_attr program = {.map_type = BPF_MAP_TYPE_ARRAY, .key_size = 4, .value_size = 4, .max_entries = 1};
    TRY("bpf", syscall(SYS_bpf, BPF_MAP_CREATE, &program, sizeof program));
    TRY("userfaultfd", syscall(SYS_userfaultfd, O_CLOEXEC));
    TRY("io-uring", syscall(SYS_io_uring_setup, 1, (char[256]){0}));
    TRY("keyctl", syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_USER_SESSION_KEYRING, 0));
    TRY("add-key", syscall(SYS_add_key, "user", "sagestone", "x", 1, KEY_SPEC_USER_KEYRING));
    TRY("request-key", syscall(SYS_request_key, "user", "sagestone", "", KEY_SPEC_USER_KEYRING));
    struct perf_event_attr event = {.type = PERF_TYPE_SOFTWARE, .size = sizeof event, .config = PERF_COUNT_SW_CPU_CLOCK};
    TRY("perf-all-processes", syscall(SYS_perf_event_open, &event, -1, 0, -1, 0));
    TRY("kexec", syscall(SYS_kexec_load, 0, 0, NULL, 0));
    TRY("load-module", syscall(SYS_init_module, "", 0, ""));
    TRY("unload-module", syscall(SYS_delete_module, "dm_mod", O_NONBLOCK));
    struct timeval now;
    struct timex clock = {0};
    gettimeofday(&now, NULL), adjtimex(&clock);
    clock.modes = ADJ_FREQUENCY; /* to what it is: a try that succeeds does no harm */
    TRY("set-time", settimeofday(&now, NULL));
    TRY("adjust-time", adjtimex(&clock));
    TRY("host-name", sethostname("taken", 5));
    TRY("accounting", acct("/tmp/accounts"));
    TRY("quota", syscall(SYS_quotactl, 0x80000100 /* Q_SYNC of users */, "/dev/vda", 0, NULL));
    TRY("kernel-log", klogctl(3, (char[256]){0}, 256));
    TRY("fanotify", syscall(SYS_fanotify_init, 0, O_RDONLY));
    TRY("hang-up", syscall(SYS_vhangup));
#ifdef __x86_64__
    TRY("io-ports", syscall(SYS_iopl, 3));
    TRY("port-60", syscall(SYS_ioperm, 0x60, 1, 1));
#endif
}

static void try_rights(void) {
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2];
    syscall(SYS_capget, &head, data);
    data[0].effective |= 1u << CAP_SYS_ADMIN, data[0].permitted |= 1u << CAP_SYS_ADMIN;
    TRY("capset", syscall(SYS_capset, &head, data));
    TRY("ambient", prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_SYS_ADMIN, 0, 0));
    TRY("new-privileges", prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0));
    TRY("file-capability", setxattr("/tmp/self", "security.capability", "\1\0\0\2\xff\xff\xff\xff\0\0\0\0\0\0\0\0\0\0\0\0", 20, 0));
    TRY("real-time", sched_setscheduler(0, SCHED_FIFO, &(struct sched_param){1}));
    TRY("higher-priority", setpriority(PRIO_PROCESS, 0, -10));
    TRY("never-killed", can_write("/proc/self/oom_score_adj", "-1000"));
    TRY("no-randomness", syscall(SYS_personality, 0x0040000));
    TRY("type-into-terminal", ioctl(0, TIOCSTI, "x"));
    if (fork() == 0) { /* as nobody, by a set-user-id file of root's */
        if (setgroups(0, NULL) || setgid(65534) || setuid(65534)) _exit(0);
        execl("/tmp/self", "self", "who", NULL);
        _exit(0);
    }
    wait(NULL);
}

/* --- networks ----------------------------------------------------------------------------------------------------- */

static void try_target(char *target) {
    char address[64], *port;
    snprintf(address, sizeof address, "%s", target);
    if (!(port = strrchr(address, ':'))) return;
    *port++ = 0;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(atoi(port))};
    inet_pton(AF_INET, address, &to.sin_addr);
    int sock = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), error = 0;
    socklen_t size = sizeof error;
    long result = connect(sock, (void *)&to, sizeof to);
    if (result && errno == EINPROGRESS) {
        struct pollfd wait_for = {sock, POLLOUT, 0};
        error = ETIMEDOUT;
        if (poll(&wait_for, 1, 1000) == 1) getsockopt(sock, SOL_SOCKET, SO_ERROR, &error, &size);
        errno = error, result = error ? -1 : 0;
    }
    if (result && errno == ECONNREFUSED && strcmp(address, "127.0.0.1")) result = 0; /* somebody answered */
    report("connect", target, result);
    close(sock);
    sock = socket(AF_INET, SOCK_DGRAM, 0);
    if (strcmp(address, "127.0.0.1")) TRY_ON("datagram", target, sendto(sock, "x", 1, 0, (void *)&to, sizeof to));
    close(sock);
}

static void try_abstract(char *name) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path + 1, sizeof address.sun_path - 1, "%s", name);
    int sock = socket(AF_UNIX, SOCK_STREAM, 0);
    TRY_ON("abstract-socket", name, connect(sock, (void *)&address, offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name)));
    close(sock);
}

static void try_networks(void) {
    TRY("packet-socket", socket(AF_PACKET, SOCK_RAW, htons(3)));
    TRY("raw-socket", socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
    TRY("hypervisor-socket", socket(40 /* AF_VSOCK */, SOCK_STREAM, 0));
    struct ifreq request = {.ifr_name = "lo"};
    int sock = socket(AF_INET, SOCK_DGRAM, 0);
    request.ifr_flags = 0;
    TRY("take-down-loopback", ioctl(sock, SIOCSIFFLAGS, &request));
    struct sockaddr_in own = {.sin_family = AF_INET};
    inet_pton(AF_INET, "169.254.169.254", &own.sin_addr);
    memcpy(&request.ifr_addr, &own, sizeof own);
    TRY("take-an-address", ioctl(sock, SIOCSIFADDR, &request));
    close(sock);
}

static void try_read_only(char *path) {
    char file[PATH_MAX];
    snprintf(file, sizeof file, "%s/new", path);
    TRY_ON("write-read-only", path, open(file, O_WRONLY | O_CREAT, 0600));
    TRY_ON("change-read-only", path, chmod(path, 0777));
    TRY_ON("remount-read-only", path, mount("", path, "", MS_REMOUNT | MS_BIND, ""));
}

/* --- what is limited ---------------------------------------------------------------------------------------------- */

static void exhaust(void) {
    static char block[1 << 20];
    long long written = 0, got;
    int file = open("/dev/shm/full", O_WRONLY | O_CREAT, 0600);
    while ((got = write(file, block, sizeof block)) > 0) written += got;
    close(file), unlink("/dev/shm/full");
    printf("fact shared-memory %lld\n", written);
    fflush(stdout);
    int children = 0;
    while (children < 5000) {
        pid_t child = fork();
        if (child == 0) pause(), _exit(0);
        if (child < 0) break;
        children++;
    }
    printf("fact processes %d\n", children);
    fflush(stdout);
}

static void facts(void) {
    char line[256];
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status)) {
        char *value = strchr(line, '\t');
        if (!value || (strncmp(line, "Cap", 3) && strncmp(line, "NoNewPrivs", 10) && strncmp(line, "Seccomp:", 8))) continue;
        *strchr(line, ':') = 0;
        printf("fact %s %s", line, value + 1);
    }
    if (status) fclose(status);
}

int main(int count, char **arguments) {
    if (count > 1 && !strcmp(arguments[1], "who")) {
        report("set-user-id", "", geteuid() == 0 ? 0 : (errno = EPERM, -1));
        return 0;
    }
    const char *secret_files[] = {"/proc/kcore", "/proc/kmsg", "/proc/keys", "/proc/timer_list", "/dev/mem", "/dev/kmsg",
                                  "/dev/port", "/sys/kernel/debug/x", "/sys/fs/bpf/x", "/proc/sched_debug"};
    if (chmod("/tmp/self", 04755)) perror("/tmp/self");
    facts();
    each("SECRETS", try_secret);
    for (size_t at = 0; at < sizeof secret_files / sizeof *secret_files; at++)
        TRY_ON("read-kernel-file", secret_files[at], can_read(secret_files[at]));
    try_handle();
    try_device("sda", S_IFBLK, 8, 0), try_device("vda", S_IFBLK, 254, 0), try_device("mem", S_IFCHR, 1, 1);
    try_device("fuse", S_IFCHR, 10, 229), try_device("kvm", S_IFCHR, 10, 232), try_device("net/tun", S_IFCHR, 10, 200);
    try_writing("/proc", 0), try_writing("/sys", 1);
    TRY("core-pattern", can_open("/proc/sys/kernel/core_pattern", O_WRONLY));
    TRY("sysrq", can_open("/proc/sysrq-trigger", O_WRONLY));
    TRY("uevent-helper", can_open("/sys/kernel/uevent_helper", O_WRONLY));
    each("PIDS", try_process);
    try_namespaces(), try_mounts(), try_calls(), try_rights();
    each("TARGETS", try_target), each("ABSTRACT", try_abstract), try_networks();
    each("READ_ONLY", try_read_only);
    exhaust();
    printf("fact end 1\n");
    return 0;
}
