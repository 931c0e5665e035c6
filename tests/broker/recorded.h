/* A recorded run of endpoints: their connections, frame by frame, in the order of the time. */
#ifndef T_BROKER_RECORDED_H
#define T_BROKER_RECORDED_H

#include "lines.h"

#define FILES   5u  /* recordings of one run, at most */
#define IN_FILE 32u /* connections in one of them */
#define CONNS   (FILES * IN_FILE)

enum what { FRAME, OPENED, ENDED, CLOSED, FAILED };

struct step {
    uint64_t us;
    size_t number; /* its place, of steps at the same time */
    size_t conn;   /* file * IN_FILE + its number in the file */
    enum what what;
    bool by_a;
    struct t_bytes frame;
};

struct ends {
    uint8_t id[2][16]; /* of a, of b */
    bool known[2];
    bool opened;
    uint64_t opened_us, closed_us;
    bool claimed; /* as who made an attempt that failed */
};

/* The connections of several files, on one clock. */
struct recording {
    const char *folder;
    const char *names[FILES];
    size_t files;
    struct step *steps;
    size_t count;
    struct ends ends[CONNS];
    struct t_bytes partial[CONNS][2];
};

/* Reads the files folder/name.jsonl below tests/vectors; folder and names are kept. */
void recording_open(struct recording *recording, const char *folder, const char *const *names,
                    size_t files);
void recording_close(struct recording *recording);

#endif
