/* A recorder of everything a process does to the files of one folder, by LD_PRELOAD, and of what it
 * says to the network meanwhile. Part of the tests only.
 *
 * YINGKE_TRACE is the file the records are added to, YINGKE_TRACE_ROOT the folder (a real path without
 * a slash at its end). One lock is held over each call and its record, so the order of the records is
 * the order of the calls, across threads: what was said stands behind the sync that made it true.
 *
 * A record is a head of 32 bytes (little endian) and two pieces of data:
 *   u8 kind, 3 zero bytes, u32 length of the first piece, u64 file number, u64 offset or length,
 *   u64 length of the second piece
 * Kinds: C created (path), w written (data), t cut or grown, s synced, d folder synced (path),
 *   u unlinked (path), r renamed (from, to), m folder made (path), x folder removed (path),
 *   n said to a socket (data), ? something this recorder does not know (its name)
 * The shared-memory index of the database (-shm) is left out: it is rebuilt after every crash. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static int trace = -1;

struct head { uint8_t kind; uint8_t zero[3]; uint32_t first; uint64_t file, at, second; };

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

/* Called with the lock held. A record that cannot be kept would make every verdict wrong: give up. */
static void put(char kind, uint64_t file, uint64_t at, const void *first, size_t first_size,
                const void *second, size_t second_size) {
    if (trace < 0) {
        const char *path = getenv("YINGKE_TRACE");
        if (!path) return;
        trace = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
        if (trace < 0) abort();
    }
    struct head head = {(uint8_t)kind, {0, 0, 0}, (uint32_t)first_size, file, at, second_size};
    struct iovec parts[3] = {{&head, sizeof head}, {(void *)first, first_size}, {(void *)second, second_size}};
    ssize_t whole = (ssize_t)(sizeof head + first_size + second_size);
    if (syscall(SYS_writev, trace, parts, 3) != whole) abort();
}

static int is_inside(const char *path) {
    const char *root = getenv("YINGKE_TRACE_ROOT");
    if (!root) return 0;
    size_t length = strlen(root), all = strlen(path);
    if (strncmp(path, root, length) || (path[length] && path[length] != '/')) return 0;
    return !(all > 4 && !strcmp(path + all - 4, "-shm"));
}

/* The root's own name stands in the folder above. */
static int holds_root(const char *path) {
    const char *root = getenv("YINGKE_TRACE_ROOT"), *slash = root ? strrchr(root, '/') : 0;
    return slash && strlen(path) == (size_t)(slash - root) && !strncmp(path, root, (size_t)(slash - root));
}

enum { OTHER, FILE_INSIDE, FOLDER_INSIDE, SOCKET };

static int kind_of(int fd, struct stat *about, char *path, size_t size) {
    if (fstat(fd, about)) return OTHER;
    if (S_ISSOCK(about->st_mode)) return SOCKET;
    if (!S_ISREG(about->st_mode) && !S_ISDIR(about->st_mode)) return OTHER;
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, path, size - 1);
    if (length <= 0) return OTHER;
    path[length] = 0;
    if (S_ISDIR(about->st_mode)) return is_inside(path) || holds_root(path) ? FOLDER_INSIDE : OTHER;
    return is_inside(path) ? FILE_INSIDE : OTHER;
}

/* A path as the records name it: absolute. The relay is given absolute paths. */
static int named_inside(int dirfd, const char *path) {
    return dirfd == AT_FDCWD && path[0] == '/' && is_inside(path);
}

#define KEEP_ERRNO(statement) do { int kept = errno; statement; errno = kept; } while (0)

static int opened(int fd, int dirfd, const char *path, int flags, int existed) {
    if (fd < 0 || !named_inside(dirfd, path)) return fd;
    struct stat about;
    if (fstat(fd, &about) || !S_ISREG(about.st_mode)) return fd;
    if (!existed) put('C', about.st_ino, 0, path, strlen(path), 0, 0);
    else if (flags & O_TRUNC) put('t', about.st_ino, 0, 0, 0, 0, 0);
    return fd;
}

#define OPEN_BODY(dirfd, call) \
    mode_t mode = 0; \
    if (flags & O_CREAT) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); } \
    pthread_mutex_lock(&lock); \
    int existed = !(flags & O_CREAT) || !faccessat(dirfd, path, F_OK, 0); \
    int fd = call; \
    KEEP_ERRNO(opened(fd, dirfd, path, flags, existed)); \
    pthread_mutex_unlock(&lock); \
    return fd

int open(const char *path, int flags, ...) { REAL(open); OPEN_BODY(AT_FDCWD, real(path, flags, mode)); }
int open64(const char *path, int flags, ...) { REAL(open64); OPEN_BODY(AT_FDCWD, real(path, flags, mode)); }
int openat(int dirfd, const char *path, int flags, ...) { REAL(openat); OPEN_BODY(dirfd, real(dirfd, path, flags, mode)); }
int openat64(int dirfd, const char *path, int flags, ...) { REAL(openat64); OPEN_BODY(dirfd, real(dirfd, path, flags, mode)); }

/* After a good call: what was written where. `at` < 0: at the file's own place, which is now behind it. */
static void wrote(int fd, const struct iovec *parts, int count, ssize_t done, off_t at) {
    struct stat about;
    char path[4096];
    if (done <= 0 || kind_of(fd, &about, path, sizeof path) != FILE_INSIDE) return;
    if (at < 0) at = lseek(fd, 0, SEEK_CUR) - done;
    for (int part = 0; part < count && done > 0; part++) {
        size_t size = parts[part].iov_len < (size_t)done ? parts[part].iov_len : (size_t)done;
        if (size) put('w', about.st_ino, (uint64_t)at, 0, 0, parts[part].iov_base, size);
        at += (off_t)size;
        done -= (ssize_t)size;
    }
}

/* Before the call: it may be heard as soon as it is made. */
static void will_say(int fd, const struct iovec *parts, int count) {
    struct stat about;
    if (fstat(fd, &about) || !S_ISSOCK(about.st_mode)) return;
    for (int part = 0; part < count; part++)
        if (parts[part].iov_len) put('n', (uint64_t)fd, 0, 0, 0, parts[part].iov_base, parts[part].iov_len);
}

#define WRITE_BODY(parts, count, at, call) \
    pthread_mutex_lock(&lock); \
    KEEP_ERRNO(will_say(fd, parts, count)); \
    ssize_t done = call; \
    KEEP_ERRNO(wrote(fd, parts, count, done, at)); \
    pthread_mutex_unlock(&lock); \
    return done

ssize_t write(int fd, const void *data, size_t size) {
    REAL(write);
    struct iovec part = {(void *)data, size};
    WRITE_BODY(&part, 1, -1, real(fd, data, size));
}
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) {
    REAL(pwrite);
    struct iovec part = {(void *)data, size};
    WRITE_BODY(&part, 1, at, real(fd, data, size, at));
}
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) {
    REAL(pwrite64);
    struct iovec part = {(void *)data, size};
    WRITE_BODY(&part, 1, at, real(fd, data, size, at));
}
ssize_t writev(int fd, const struct iovec *parts, int count) { REAL(writev); WRITE_BODY(parts, count, -1, real(fd, parts, count)); }

#define SAY_BODY(parts, count, call) \
    pthread_mutex_lock(&lock); \
    KEEP_ERRNO(will_say(fd, parts, count)); \
    pthread_mutex_unlock(&lock); \
    return call

ssize_t send(int fd, const void *data, size_t size, int flags) {
    REAL(send);
    struct iovec part = {(void *)data, size};
    SAY_BODY(&part, 1, real(fd, data, size, flags));
}
ssize_t sendmsg(int fd, const struct msghdr *message, int flags) {
    REAL(sendmsg);
    SAY_BODY(message->msg_iov, (int)message->msg_iovlen, real(fd, message, flags));
}

static int synced(int fd, int result) {
    struct stat about;
    char path[4096];
    if (result) return result;
    int kind = kind_of(fd, &about, path, sizeof path);
    if (kind == FILE_INSIDE) put('s', about.st_ino, 0, 0, 0, 0, 0);
    if (kind == FOLDER_INSIDE) put('d', 0, 0, path, strlen(path), 0, 0);
    return result;
}

#define LOCKED(type, call, note) \
    pthread_mutex_lock(&lock); \
    type result = call; \
    if (!result) KEEP_ERRNO(note); \
    pthread_mutex_unlock(&lock); \
    return result

int fsync(int fd) { REAL(fsync); LOCKED(int, real(fd), synced(fd, 0)); }
int fdatasync(int fd) { REAL(fdatasync); LOCKED(int, real(fd), synced(fd, 0)); }

static void cut(int fd, off_t size) {
    struct stat about;
    char path[4096];
    if (kind_of(fd, &about, path, sizeof path) == FILE_INSIDE) put('t', about.st_ino, (uint64_t)size, 0, 0, 0, 0);
}

int ftruncate(int fd, off_t size) { REAL(ftruncate); LOCKED(int, real(fd, size), cut(fd, size)); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); LOCKED(int, real(fd, size), cut(fd, size)); }

static void name_gone(char kind, int dirfd, const char *path) {
    if (named_inside(dirfd, path)) put(kind, 0, 0, path, strlen(path), 0, 0);
}
static void moved(const char *from, const char *to) {
    if (named_inside(AT_FDCWD, from) || named_inside(AT_FDCWD, to))
        put('r', 0, 0, from, strlen(from), to, strlen(to));
}

int unlink(const char *path) { REAL(unlink); LOCKED(int, real(path), name_gone('u', AT_FDCWD, path)); }
int unlinkat(int dirfd, const char *path, int flags) {
    REAL(unlinkat);
    LOCKED(int, real(dirfd, path, flags), name_gone(flags & AT_REMOVEDIR ? 'x' : 'u', dirfd, path));
}
int rmdir(const char *path) { REAL(rmdir); LOCKED(int, real(path), name_gone('x', AT_FDCWD, path)); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); LOCKED(int, real(path, mode), name_gone('m', AT_FDCWD, path)); }
int rename(const char *from, const char *to) { REAL(rename); LOCKED(int, real(from, to), moved(from, to)); }

/* What would change files behind this recorder's back. */
static void unknown(const char *name) { put('?', 0, 0, name, strlen(name), 0, 0); }
#define UNKNOWN(name, ...) \
    do { REAL(name); LOCKED(int, real(__VA_ARGS__), unknown(#name)); } while (0)

int truncate(const char *path, off_t size) { UNKNOWN(truncate, path, size); }
int link(const char *from, const char *to) { UNKNOWN(link, from, to); }
int symlink(const char *from, const char *to) { UNKNOWN(symlink, from, to); }
int renameat(int a, const char *from, int b, const char *to) { UNKNOWN(renameat, a, from, b, to); }
int renameat2(int a, const char *from, int b, const char *to, unsigned flags) { UNKNOWN(renameat2, a, from, b, to, flags); }
int fallocate(int fd, int mode, off_t at, off_t size) { UNKNOWN(fallocate, fd, mode, at, size); }

/* Copies inside the kernel: refused, so that the caller reads and writes instead. */
ssize_t copy_file_range(int from, off64_t *from_at, int to, off64_t *to_at, size_t size, unsigned flags) {
    (void)from; (void)from_at; (void)to; (void)to_at; (void)size; (void)flags;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile(int to, int from, off_t *at, size_t size) {
    (void)to; (void)from; (void)at; (void)size;
    errno = ENOSYS;
    return -1;
}
ssize_t sendfile64(int to, int from, off64_t *at, size_t size) {
    (void)to; (void)from; (void)at; (void)size;
    errno = ENOSYS;
    return -1;
}
