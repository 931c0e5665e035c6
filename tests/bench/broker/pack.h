/* The same values in msgpack, by msgpack-c. */
#ifndef BENCH_PACK_H
#define BENCH_PACK_H

#include <leat/value.h>
#include <msgpack.h>

void pack(msgpack_packer *p, const leat_value *value);

#endif
