/*
 * A capture file of packet records, in pcap's classic form: big-endian, microseconds. Such a file has one
 * link type for all of its packets, that of the first one.
 */
#define _POSIX_C_SOURCE 200809L

#include "estreamer_live.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAGIC         0xa1b2c3d4u
#define HEADER_BYTES  24u
#define LINK_TYPE_AT  20u
#define PACKET_HEADER 16u
#define SNAPLEN       262144u /* the most that readers take */
#define ETHERNET      1u

static void put_u32be(uint8_t *to, uint32_t number)
{
    int i;

    for (i = 0; i < 4; i++)
        to[i] = (uint8_t)(number >> (24 - 8 * i));
}

static void put_header(uint8_t header[HEADER_BYTES], uint32_t link_type)
{
    memset(header, 0, HEADER_BYTES);
    put_u32be(header, MAGIC);
    header[5] = 2; /* the version: 2.4 */
    header[7] = 4;
    put_u32be(header + 16, SNAPLEN);
    put_u32be(header + LINK_TYPE_AT, link_type);
}

static void begin(struct pcap *pcap, uint32_t link_type)
{
    uint8_t header[HEADER_BYTES];

    put_header(header, link_type);
    file_write(pcap->name, pcap->descriptor, header, sizeof header);
    pcap->link_type = link_type;
    pcap->begun = true;
}

/* Where the last whole packet of a file ends: behind it there may be the part that was written when a disk was full. */
static off_t end_of_packets(int descriptor, off_t size)
{
    uint8_t header[PACKET_HEADER];
    off_t end = HEADER_BYTES;

    while (pread(descriptor, header, sizeof header, end) == (ssize_t)sizeof header) {
        off_t next = end + (off_t)sizeof header + (off_t)get_u32be(header + 8);

        if (next > size)
            break;
        end = next;
    }
    return end;
}

/* A file that is there is continued. NULL, or why it cannot be. */
static const char *resume(struct pcap *pcap)
{
    uint8_t header[HEADER_BYTES];
    uint8_t ours[HEADER_BYTES];
    struct stat about;
    ssize_t count;
    off_t end = 0;

    if (fstat(pcap->descriptor, &about) != 0)
        return strerror(errno);
    if (!S_ISREG(about.st_mode) || about.st_size == 0)
        return NULL;
    count = pread(pcap->descriptor, header, sizeof header, 0);
    if (count < 0)
        return strerror(errno);
    put_header(ours, 0);
    if (memcmp(header, ours, (size_t)count < LINK_TYPE_AT ? (size_t)count : LINK_TYPE_AT) != 0)
        return "not a capture file that leat wrote";
    /* A header without packets, or part of one, is written anew: it has the link type of none. */
    if (about.st_size > (off_t)sizeof header)
        end = end_of_packets(pcap->descriptor, about.st_size);
    if (end > (off_t)sizeof header) {
        pcap->link_type = get_u32be(header + LINK_TYPE_AT);
        pcap->begun = true;
    } else {
        end = 0;
    }
    if (ftruncate(pcap->descriptor, end) != 0 || lseek(pcap->descriptor, end, SEEK_SET) < 0)
        return strerror(errno);
    return NULL;
}

bool pcap_open(struct pcap *pcap, const char *path)
{
    struct stat about;
    /* Who reads a pipe would never be missed if it were opened for reading here, too. */
    bool is_there = stat(path, &about) == 0;
    bool is_pipe = is_there && !S_ISREG(about.st_mode);
    const char *problem;

    memset(pcap, 0, sizeof *pcap);
    pcap->name = path;
    pcap->descriptor = open(path, (is_pipe ? O_WRONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0666);
    problem = pcap->descriptor < 0 ? strerror(errno) : resume(pcap);
    if (problem == NULL && !is_there)
        file_sync_name(path);
    if (problem == NULL)
        return true;
    complain("%s: %s", path, problem);
    if (pcap->descriptor >= 0)
        (void)close(pcap->descriptor);
    return false;
}

void pcap_packet(struct pcap *pcap, const leat_value *record)
{
    uint32_t link_type = (uint32_t)leat_value_u64(leat_value_get(record, "link_type"));
    size_t length;
    const uint8_t *octets = leat_value_bytes(leat_value_get(record, "packet_data"), &length);
    size_t kept = length < SNAPLEN ? length : SNAPLEN;
    uint8_t *packet;

    if (!pcap->begun)
        begin(pcap, link_type);
    if (link_type != pcap->link_type) {
        if (pcap->skipped++ == 0)
            complain("%s: packets of link type %" PRIu32
                     " are left out: the file is of type %" PRIu32,
                     pcap->name, link_type, pcap->link_type);
        return;
    }
    packet = malloc(PACKET_HEADER + kept);
    need_memory(packet == NULL ? LEAT_E_NOMEM : LEAT_OK);
    put_u32be(packet, (uint32_t)leat_value_u64(leat_value_get(record, "packet_second")));
    put_u32be(packet + 4, (uint32_t)leat_value_u64(leat_value_get(record, "packet_microsecond")));
    put_u32be(packet + 8, (uint32_t)kept);
    put_u32be(packet + 12, (uint32_t)length);
    if (kept > 0)
        memcpy(packet + PACKET_HEADER, octets, kept);
    file_write(pcap->name, pcap->descriptor, packet,
               PACKET_HEADER + kept); /* in one piece, for readers */
    free(packet);
}

void pcap_close(struct pcap *pcap)
{
    if (!pcap->begun)
        begin(pcap, ETHERNET);
    if (pcap->skipped > 0)
        complain("%s: packets that were left out: %" PRIu64, pcap->name, pcap->skipped);
    if (close(pcap->descriptor) != 0)
        file_give_up(pcap->name);
}
