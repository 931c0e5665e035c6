/* What the files of the program share that are about eStreamer. */
#ifndef LEAT_ESTREAMER_LIVE_H
#define LEAT_ESTREAMER_LIVE_H

#include "live.h"

#include <leat/estreamer.h>

static inline uint32_t get_u32be(const uint8_t *from)
{
    return (uint32_t)from[0] << 24 | (uint32_t)from[1] << 16 | (uint32_t)from[2] << 8 | from[3];
}

/* estreamer_request.c: what a client asks for, by the options of its command. */

#define EVENT_TYPES_MAX 256u

struct request {
    leat_estreamer_client_options options;
    leat_estreamer_event_type event_types[EVENT_TYPES_MAX];
    bool wants_events;
    leat_builder *hosts; /* the host_data_request; NULL: none */
};

/* False, with a complaint, if an option is wrong. */
bool request_read(struct request *request, const struct arguments *arguments);
void request_free(struct request *request);

/* place.c: the client's place in the stream, and the names that it learnt, in files. */

struct place {
    const char *path;  /* NULL: it is kept in memory only */
    leat_buffer *mark; /* the bookmark; empty: none yet */
    char *names_path;  /* NULL: they are kept in memory only */
    leat_buffer *names_data;
    leat_estreamer_metadata *names; /* NULL: they are not asked for */
    bool names_changed;             /* since they were saved */
    bool moved;                     /* the session's bookmark, since it was saved */
    int outputs[2];                 /* files that are synchronised before */
    size_t output_count;
    uint64_t saved_at; /* ms */
};

/* Reads the files, if they are there. False, with a complaint, if they are not sound. */
bool place_open(struct place *place, const char *path, bool with_names);
void place_close(struct place *place);
/* What is written there is to be safe before the place passes it, if it is a file. */
void place_comes_after(struct place *place, int descriptor);
/*
 * Takes the bookmark of the session and writes the files, if it moved and it is time, or at once. What was
 * printed is written out before. Returns when it will be time, UINT64_MAX if nothing moved. A failure
 * ends the program.
 */
uint64_t place_save(struct place *place, const leat_session *session, uint64_t now, bool at_once);

/* pcap.c: a capture file of packet records. */

struct pcap {
    const char *name;
    int descriptor;
    bool begun;
    uint32_t link_type;
    uint64_t skipped;
};

/* Continues a file that is there. False, with a complaint, if it is none of ours or cannot be written. */
bool pcap_open(struct pcap *pcap, const char *path);
/* Writes the packet of a record of type 2. A failure ends the program. */
void pcap_packet(struct pcap *pcap, const leat_value *record);
void pcap_close(struct pcap *pcap);

/* estreamer_store.c: the records that a server serves. */

struct stored_record {
    uint32_t type;
    uint32_t archive_timestamp;
    bool is_metadata;
    size_t number; /* as they were read */
    uint8_t *octets;
    size_t length;
};

struct stored_host {
    leat_builder *value;
    size_t length; /* of the message that tells it */
};

struct store {
    struct stored_record *records; /* metadata first, then by archive timestamp */
    size_t record_count;
    size_t record_size;
    struct stored_host *hosts;
    size_t host_count;
    size_t host_size;
};

/* EXIT_DONE, or another exit code after a complaint. */
int store_read_lines(struct store *store, const char *path);
int store_read_folder(struct store *store, const char *path);
/* Puts the records in the order in which they are served. */
void store_sort(struct store *store);
void store_free(struct store *store);
/* Whether the profile is of a host in the range, both ends included, of addresses of 16 octets. */
bool stored_host_is_in(const struct stored_host *host, const uint8_t first[16],
                       const uint8_t last[16]);
/* The octets of an address in a value, which is one or its text. False: it is none. */
bool address_octets(const leat_value *value, uint8_t octets[16]);

#endif
