/*
 * Ends a program at a step of its own: loaded in front of the C library, it counts what the program
 * does with files and sockets, and kills it at step CRASH_AT; a write is two steps, and at the second
 * one half of it is done. Files lose what was not synchronised by then, as when the power goes.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES 64

static off_t synced[FILES]; /* octets of a regular file that are on the disk */
static int is_dirty[FILES];

static void *real(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (function == NULL)
        abort();
    return function;
}

static void crash(void)
{
    int fd;

    for (fd = 0; fd < FILES; fd++) {
        if (is_dirty[fd] && ftruncate(fd, synced[fd]) != 0)
            abort();
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

ssize_t write(int fd, const void *data, size_t length)
{
    static ssize_t (*next)(int, const void *, size_t);
    struct stat about;

    if (next == NULL)
        *(void **)&next = real("write");
    step();
    if (fd >= 0 && fd < FILES && fstat(fd, &about) == 0 && S_ISREG(about.st_mode)) {
        if (!is_dirty[fd])
            synced[fd] = about.st_size;
        is_dirty[fd] = 1;
    }
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

int fsync(int fd)
{
    static int (*next)(int);

    if (next == NULL)
        *(void **)&next = real("fsync");
    step();
    if (fd >= 0 && fd < FILES)
        is_dirty[fd] = 0;
    return next(fd);
}

int rename(const char *from, const char *to)
{
    static int (*next)(const char *, const char *);

    if (next == NULL)
        *(void **)&next = real("rename");
    step();
    return next(from, to);
}

int close(int fd)
{
    static int (*next)(int);

    if (next == NULL)
        *(void **)&next = real("close");
    step();
    if (fd >= 0 && fd < FILES)
        is_dirty[fd] = 0;
    return next(fd);
}
