#include "pack.h"

#include "bench.h"

void pack(msgpack_packer *p, const leat_value *value)
{
    const leat_value *child;
    size_t length;
    const void *octets;

    switch (leat_value_kind(value)) {
    case LEAT_BOOL:
        leat_value_bool(value) ? msgpack_pack_true(p) : msgpack_pack_false(p);
        break;
    case LEAT_UINT:
        msgpack_pack_uint64(p, leat_value_u64(value));
        break;
    case LEAT_INT:
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        msgpack_pack_int64(p, leat_value_i64(value));
        break;
    case LEAT_REAL:
        msgpack_pack_double(p, leat_value_f64(value));
        break;
    case LEAT_TEXT:
    case LEAT_ENUM:
        octets = leat_value_text(value, &length);
        msgpack_pack_str(p, length);
        msgpack_pack_str_body(p, octets, length);
        break;
    case LEAT_ADDRESS:
        octets = leat_value_bytes(value, &length);
        msgpack_pack_bin(p, length);
        msgpack_pack_bin_body(p, octets, length);
        break;
    case LEAT_PORT:
        msgpack_pack_uint32(p, leat_value_port(value) << 2 | leat_value_port_protocol(value));
        break;
    case LEAT_TABLE:
        msgpack_pack_map(p, leat_value_count(value));
        break;
    case LEAT_LIST:
    case LEAT_SET:
        msgpack_pack_array(p, leat_value_count(value));
        break;
    default:
        die("a kind that msgpack lacks");
    }
    for (child = leat_value_first(value); child != NULL; child = leat_value_next(value, child))
        pack(p, child);
}
