/*
 * Ends a program at a step of its own: loaded in front of the C library, it counts what the program
 * does with files and sockets, and kills it at step CRASH_AT; a write is two steps, and at the second
 * one half of it is done. Then it is as if the power had gone: files lose what was not synchronised,
 * and have their old names unless their folder was synchronised, too.
 */
#define _GNU_SOURCE
#define _FILE_OFFSET_BITS 64
#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES     64
#define OUR_FILES 200 /* where descriptors of ours begin, out of the way of the program */
#define PATH      4096

/* A regular file that has more than is on the disk. */
static struct {
    int fd; /* ours: the program may close its own; 0: no file */
    dev_t device;
    ino_t number;
    off_t synced;
} files[FILES];

/* The standard output: the C library writes to it without asking us. */
static off_t output_synced;

/* Renames of one name that are not on the disk: what was written last, and what has the name there. */
static struct {
    char from[PATH], to[PATH], before[PATH]; /* to: "": none; before: "": no file had the name */
} renamed;

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

static void must(int truth)
{
    if (!truth)
        abort();
}

static off_t size_of(int fd)
{
    struct stat about;

    return fstat(fd, &about) == 0 && S_ISREG(about.st_mode) ? about.st_size : -1;
}

__attribute__((constructor)) static void begin(void)
{
    output_synced = size_of(STDOUT_FILENO);
}

static void crash(void)
{
    size_t i;

    for (i = 0; i < FILES; i++)
        must(files[i].fd == 0 || ftruncate(files[i].fd, files[i].synced) == 0);
    if (output_synced >= 0)
        must(ftruncate(STDOUT_FILENO, output_synced) == 0);
    if (renamed.to[0] != '\0') {
        must(renameat(AT_FDCWD, renamed.to, AT_FDCWD, renamed.from) == 0);
        if (renamed.before[0] != '\0')
            must(renameat(AT_FDCWD, renamed.before, AT_FDCWD, renamed.to) == 0);
    }
    (void)kill(getpid(), SIGKILL);
}

static int is_now(void)
{
    static long steps;
    const char *at = getenv("CRASH_AT");

    return at != NULL && ++steps == atol(at);
}

static void step(void)
{
    if (is_now())
        crash();
}

/* The place of that file, or else a free one. */
static size_t place_of(const struct stat *about)
{
    size_t i, free_place = FILES;

    for (i = 0; i < FILES; i++) {
        if (files[i].fd == 0)
            free_place = i;
        else if (files[i].device == about->st_dev && files[i].number == about->st_ino)
            return i;
    }
    must(free_place < FILES);
    return free_place;
}

static void before_write(int fd)
{
    struct stat about;
    size_t i;

    if (fstat(fd, &about) != 0 || !S_ISREG(about.st_mode))
        return;
    i = place_of(&about);
    if (files[i].fd != 0)
        return;
    files[i].fd = fcntl(fd, F_DUPFD_CLOEXEC, OUR_FILES);
    must(files[i].fd > 0);
    files[i].device = about.st_dev;
    files[i].number = about.st_ino;
    files[i].synced = about.st_size;
}

static int close_it(int fd)
{
    static int (*next)(int);

    if (next == NULL)
        *(void **)&next = real("close");
    return next(fd);
}

/* The folder of the name that is new. */
static void folder_synced(const struct stat *about)
{
    char folder[PATH];
    struct stat other;
    char *slash;

    if (renamed.to[0] == '\0')
        return;
    (void)snprintf(folder, sizeof folder, "%s", renamed.to);
    slash = strrchr(folder, '/');
    if (slash != NULL)
        slash[1] = '\0';
    must(stat(slash == NULL ? "." : folder, &other) == 0);
    if (other.st_dev != about->st_dev || other.st_ino != about->st_ino)
        return;
    must(renamed.before[0] == '\0' || unlink(renamed.before) == 0);
    renamed.to[0] = '\0';
}

ssize_t write(int fd, const void *data, size_t length)
{
    static ssize_t (*next)(int, const void *, size_t);

    if (next == NULL)
        *(void **)&next = real("write");
    step();
    before_write(fd);
    if (is_now()) {
        (void)!next(fd, data, length / 2);
        crash();
    }
    return next(fd, data, length);
}

ssize_t read(int fd, void *data, size_t length)
{
    static ssize_t (*next)(int, void *, size_t);

    if (next == NULL)
        *(void **)&next = real("read");
    step();
    return next(fd, data, length);
}

ssize_t send(int fd, const void *data, size_t length, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);

    if (next == NULL)
        *(void **)&next = real("send");
    step();
    return next(fd, data, length, flags);
}

ssize_t recv(int fd, void *data, size_t length, int flags)
{
    static ssize_t (*next)(int, void *, size_t, int);

    if (next == NULL)
        *(void **)&next = real("recv");
    step();
    return next(fd, data, length, flags);
}

int fsync(int fd)
{
    static int (*next)(int);
    struct stat about;
    size_t i;

    if (next == NULL)
        *(void **)&next = real("fsync");
    step();
    must(fstat(fd, &about) == 0);
    if (fd == STDOUT_FILENO)
        output_synced = size_of(fd);
    if (S_ISDIR(about.st_mode))
        folder_synced(&about);
    i = place_of(&about);
    if (S_ISREG(about.st_mode) && files[i].fd != 0) {
        (void)close_it(files[i].fd);
        files[i].fd = 0;
    }
    return next(fd);
}

int rename(const char *from, const char *to)
{
    step();
    if (renamed.to[0] == '\0') {
        (void)snprintf(renamed.before, sizeof renamed.before, "%s.before", to);
        if (link(to, renamed.before) != 0)
            renamed.before[0] = '\0';
        (void)snprintf(renamed.to, sizeof renamed.to, "%s", to);
    }
    must(strcmp(renamed.to, to) == 0);
    (void)snprintf(renamed.from, sizeof renamed.from, "%s", from);
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int close(int fd)
{
    step();
    return close_it(fd);
}
