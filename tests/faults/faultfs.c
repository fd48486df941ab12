/* Faults of the file system below one process, by LD_PRELOAD. Part of the tests only.
 *
 * A control file (YINGKE_FAULTFS) holds one line: GENERATION OPS ERRNO SKIP COUNT PATH
 *   GENERATION  a number; another one starts the counting again
 *   OPS         letters: w write, s sync, t truncate, r read, o open, u unlink, n rename, d make a
 *               folder, m map into memory; "-" for none. "b" alone: a bad sector, see below
 *   ERRNO       the number to fail with; -1: the call does not return until there is another generation,
 *               and is then carried out
 *   SKIP        so many matching calls succeed first
 *   COUNT       so many fail then; negative: all of them
 *   PATH        files whose path contains this
 * Each failed call adds its letter to the file named like the control file with ".fired" behind. With
 * COUNT 0 nothing fails and every matching call adds its letter to ".seen" instead.
 * A bad sector: of files whose path ends with PATH the 4,096 bytes around the byte SKIP cannot be read. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static long generation = -1, passed, failed;

static ssize_t plain_read(const char *path, char *into, size_t size) {
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return -1;
    ssize_t got = syscall(SYS_read, fd, into, size - 1);
    syscall(SYS_close, fd);
    if (got >= 0) into[got] = 0;
    return got;
}

static void note(const char *control, const char *end, char op) {
    char path[4096];
    snprintf(path, sizeof path, "%s.%s", control, end);
    int fd = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (fd < 0) return;
    syscall(SYS_write, fd, &op, 1);
    syscall(SYS_close, fd);
}

/* The errno this call must fail with, or 0. `path` is null where only the descriptor is known. */
static int fault(int fd, const char *path, char op) {
    const char *control = getenv("YINGKE_FAULTFS");
    if (!control) return 0;
    char line[4096], ops[16], part[2048];
    long now, skip, count;
    int number;
    if (plain_read(control, line, sizeof line) <= 0) return 0;
    if (sscanf(line, "%ld %15s %d %ld %ld %2047s", &now, ops, &number, &skip, &count, part) != 6) return 0;
    if (!strchr(ops, op)) return 0;
    char link[64], found[4096];
    if (!path) {
        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        ssize_t length = readlink(link, found, sizeof found - 1);
        if (length <= 0) return 0;
        found[length] = 0;
        path = found;
    }
    if (!strstr(path, part)) return 0;
    if (count == 0) { note(control, "seen", op); return 0; }
    int result = 0;
    pthread_mutex_lock(&lock);
    if (now != generation) { generation = now; passed = 0; failed = 0; }
    if (passed < skip) passed++;
    else if (count < 0 || failed < count) { failed++; result = number; }
    pthread_mutex_unlock(&lock);
    if (result) note(control, "fired", op);
    while (result < 0) {
        long then;
        usleep(5000);
        if (plain_read(control, line, sizeof line) > 0 && sscanf(line, "%ld", &then) == 1 && then != now) return 0;
    }
    return result;
}

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAIL_IF(fd, op) \
    do { int number = fault(fd, 0, op); if (number) { errno = number; return -1; } } while (0)
#define FAIL_NAMED_IF(path, op) \
    do { int number = fault(-1, path, op); if (number) { errno = number; return -1; } } while (0)

ssize_t write(int fd, const void *data, size_t size) { REAL(write); FAIL_IF(fd, 'w'); return real(fd, data, size); }
ssize_t pwrite(int fd, const void *data, size_t size, off_t at) { REAL(pwrite); FAIL_IF(fd, 'w'); return real(fd, data, size, at); }
ssize_t pwrite64(int fd, const void *data, size_t size, off64_t at) { REAL(pwrite64); FAIL_IF(fd, 'w'); return real(fd, data, size, at); }
ssize_t writev(int fd, const struct iovec *parts, int count) { REAL(writev); FAIL_IF(fd, 'w'); return real(fd, parts, count); }
/* The errno with which `size` bytes from `at` (-1: from where the file stands) are not read, or 0. */
static int bad_sector(int fd, size_t size, off64_t at) {
    const char *control = getenv("YINGKE_FAULTFS");
    char line[4096], part[2048], link[64], found[4096];
    long byte;
    int number;
    if (!control || plain_read(control, line, sizeof line) <= 0) return 0;
    if (sscanf(line, "%*d b %d %ld %*d %2047s", &number, &byte, part) != 3) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, found, sizeof found - 1), ending = (ssize_t)strlen(part);
    if (length < ending || strncmp(found + length - ending, part, ending)) return 0;
    if (at < 0) at = (off64_t)syscall(SYS_lseek, fd, 0, SEEK_CUR);
    byte -= byte % 4096;
    if (at >= byte + 4096 || at + (off64_t)size <= byte) return 0;
    note(control, "fired", 'b');
    return number;
}
#define FAIL_READ_IF(fd, size, at) \
    do { FAIL_IF(fd, 'r'); int number = bad_sector(fd, size, at); if (number) { errno = number; return -1; } } while (0)

ssize_t read(int fd, void *data, size_t size) { REAL(read); FAIL_READ_IF(fd, size, -1); return real(fd, data, size); }
ssize_t pread(int fd, void *data, size_t size, off_t at) { REAL(pread); FAIL_READ_IF(fd, size, at); return real(fd, data, size, at); }
ssize_t pread64(int fd, void *data, size_t size, off64_t at) { REAL(pread64); FAIL_READ_IF(fd, size, at); return real(fd, data, size, at); }
int fsync(int fd) { REAL(fsync); FAIL_IF(fd, 's'); return real(fd); }
int fdatasync(int fd) { REAL(fdatasync); FAIL_IF(fd, 's'); return real(fd); }
int ftruncate(int fd, off_t size) { REAL(ftruncate); FAIL_IF(fd, 't'); return real(fd, size); }
int ftruncate64(int fd, off64_t size) { REAL(ftruncate64); FAIL_IF(fd, 't'); return real(fd, size); }

#define MODE_OF_OPEN \
    mode_t mode = 0; \
    if (flags & O_CREAT) { va_list more; va_start(more, flags); mode = va_arg(more, mode_t); va_end(more); }
int open(const char *path, int flags, ...) { REAL(open); MODE_OF_OPEN FAIL_NAMED_IF(path, 'o'); return real(path, flags, mode); }
int open64(const char *path, int flags, ...) { REAL(open64); MODE_OF_OPEN FAIL_NAMED_IF(path, 'o'); return real(path, flags, mode); }
int unlink(const char *path) { REAL(unlink); FAIL_NAMED_IF(path, 'u'); return real(path); }
int rename(const char *from, const char *to) { REAL(rename); FAIL_NAMED_IF(to, 'n'); return real(from, to); }
int mkdir(const char *path, mode_t mode) { REAL(mkdir); FAIL_NAMED_IF(path, 'd'); return real(path, mode); }

/* The loader maps libraries before anything can be looked up: those have no control file's name. */
static void *mapped(void *at, size_t size, int protection, int flags, int fd, off64_t from) {
    int number = fd >= 0 ? fault(fd, 0, 'm') : 0;
    if (number) { errno = number; return MAP_FAILED; }
    return (void *)syscall(SYS_mmap, at, size, protection, flags, fd, from);
}
void *mmap(void *at, size_t size, int protection, int flags, int fd, off_t from) { return mapped(at, size, protection, flags, fd, from); }
void *mmap64(void *at, size_t size, int protection, int flags, int fd, off64_t from) { return mapped(at, size, protection, flags, fd, from); }
