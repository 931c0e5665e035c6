#include "order.h"

#include "data.h"

void lt_broker_address(const leat_value *address, uint8_t octets[16])
{
    if (address->length == 16) {
        memcpy(octets, address->u.bytes, 16);
        return;
    }
    memset(octets, 0, 10);
    memset(octets + 10, 0xff, 2);
    memcpy(octets + 12, address->u.bytes, 4);
}

void lt_broker_network(const uint8_t address[16], size_t prefix, uint8_t network[16])
{
    size_t whole = prefix / 8;

    memcpy(network, address, 16);
    if (prefix >= 128)
        return;
    network[whole] &= (uint8_t)(0xff00u >> prefix % 8);
    memset(network + whole + 1, 0, 15 - whole);
}

static int compare_addresses(const leat_value *a, const leat_value *b)
{
    uint8_t of_a[16], of_b[16];

    lt_broker_address(a, of_a);
    lt_broker_address(b, of_b);
    return memcmp(of_a, of_b, 16);
}

static int compare_subnets(const leat_value *a, const leat_value *b)
{
    uint8_t of_a[16], of_b[16];
    int difference;

    lt_broker_network(a->u.bytes, a->u.bytes[16], of_a);
    lt_broker_network(b->u.bytes, b->u.bytes[16], of_b);
    difference = memcmp(of_a, of_b, 16);
    return difference != 0 ? difference : a->u.bytes[16] - b->u.bytes[16];
}

static int compare_ports(const leat_value *a, const leat_value *b)
{
    uint64_t of_a = (a->u.u64 & 0xffff) << 16 | a->u.u64 >> 16;
    uint64_t of_b = (b->u.u64 & 0xffff) << 16 | b->u.u64 >> 16;

    return (of_a > of_b) - (of_a < of_b);
}

static int compare_reals(double a, double b)
{
    return (a > b) - (a < b);
}

/* One cell against another: containers of one kind are the same so far. */
static int compare_cells(const leat_value *a, const leat_value *b)
{
    if (a->kind != b->kind)
        return (int)lt_broker_type(a) - (int)lt_broker_type(b);
    switch (a->kind) {
    case LEAT_BOOL:
    case LEAT_UINT:
        return (a->u.u64 > b->u.u64) - (a->u.u64 < b->u.u64);
    case LEAT_INT:
    case LEAT_TIMESTAMP:
    case LEAT_TIMESPAN:
        return (a->u.i64 > b->u.i64) - (a->u.i64 < b->u.i64);
    case LEAT_REAL:
        return compare_reals(lt_broker_real(a->u.f64), lt_broker_real(b->u.f64));
    case LEAT_TEXT:
    case LEAT_ENUM:
        return lt_broker_compare_texts(a, b);
    case LEAT_ADDRESS:
        return compare_addresses(a, b);
    case LEAT_SUBNET:
        return compare_subnets(a, b);
    case LEAT_PORT:
        return compare_ports(a, b);
    default:
        return 0;
    }
}

/*
 * While a value is being sorted, the children of its containers are chained: the order changes
 * without moving them, so that a deep value is not copied once for each level. A child is found by
 * its number in the array of cells.
 */
struct link {
    uint32_t first; /* child of a container; in a table keys and values follow one another */
    uint32_t next;  /* sibling */
};

static size_t values_in(const leat_value *container)
{
    return container->kind == LEAT_TABLE ? (size_t)container->length * 2 : container->length;
}

/* Where children are found: by their links, or, without links, one behind the other. */
struct tree {
    const leat_value *cells;
    const struct link *links;
};

static const leat_value *first_child(const struct tree *tree, const leat_value *value)
{
    return tree->links == NULL ? value + 1 : tree->cells + tree->links[value - tree->cells].first;
}

static const leat_value *next_child(const struct tree *tree, const leat_value *value)
{
    return tree->links == NULL ? value + lt_cells(value)
                               : tree->cells + tree->links[value - tree->cells].next;
}

/* Containers of one kind side by side, and the children of each that come next. */
struct pair {
    const leat_value *a, *b;
    size_t a_left, b_left;
};

static int compare(const struct tree *tree, const leat_value *a, const leat_value *b)
{
    struct pair stack[LT_DEPTH_MAX];
    size_t depth = 0;

    for (;;) {
        int difference = compare_cells(a, b);
        struct pair *top;

        if (difference != 0)
            return difference;
        if (lt_is_container(a)) {
            top = &stack[depth++];
            top->a = first_child(tree, a);
            top->b = first_child(tree, b);
            top->a_left = values_in(a);
            top->b_left = values_in(b);
        }
        for (;;) {
            if (depth == 0)
                return 0;
            top = &stack[depth - 1];
            if (top->a_left != 0 && top->b_left != 0)
                break;
            if (top->a_left != top->b_left)
                return top->a_left < top->b_left ? -1 : 1;
            depth--;
        }
        a = top->a;
        b = top->b;
        top->a_left--;
        top->b_left--;
        if (top->a_left != 0)
            top->a = next_child(tree, a);
        if (top->b_left != 0)
            top->b = next_child(tree, b);
    }
}

int lt_broker_compare(const leat_value *a, const leat_value *b)
{
    const struct tree in_order = {NULL, NULL};

    if (a->kind != b->kind || !lt_is_container(a))
        return compare_cells(a, b);
    return compare(&in_order, a, b);
}

/* Chains the children of a container as they stand; of a table only the keys. */
static void chain(const leat_value *cells, struct link *links, uint32_t container)
{
    uint32_t i, child = container + 1;
    bool table = cells[container].kind == LEAT_TABLE;

    links[container].first = child;
    for (i = 0; i < cells[container].length; i++) {
        uint32_t next = child + (uint32_t)lt_cells(&cells[child]);

        if (table)
            next += (uint32_t)lt_cells(&cells[next]);
        links[child].next = next;
        child = next;
    }
}

/* A merge sort of chained siblings, of runs that double: no memory, no recursion. */
struct merge {
    const struct tree *tree;
    struct link *links;
    uint32_t *tail; /* where the number of the next in order goes */
    uint32_t at;    /* the next that is not in order yet */
    uint32_t twice; /* a sibling that is the same as another; 0: none */
};

/* Moves along the chain. Returns how many of count there were. */
static uint32_t advance(const struct merge *m, uint32_t *at, uint32_t count, uint32_t left)
{
    uint32_t i, moved = count < left ? count : left;

    for (i = 0; i < moved; i++)
        *at = m->links[*at].next;
    return moved;
}

static void append(struct merge *m, uint32_t *from)
{
    *m->tail = *from;
    m->tail = &m->links[*from].next;
    *from = m->links[*from].next;
}

/* Merges two neighbouring runs of at most width; left siblings are not in order yet. */
static uint32_t merge_runs(struct merge *m, uint32_t width, uint32_t left)
{
    uint32_t a = m->at, b = a;
    uint32_t a_left = advance(m, &b, width, left);
    uint32_t b_left = left - a_left < width ? left - a_left : width;

    left -= a_left + b_left;
    while (a_left > 0 && b_left > 0) {
        int difference = compare(m->tree, m->tree->cells + a, m->tree->cells + b);

        if (difference == 0)
            m->twice = b;
        if (difference <= 0) {
            append(m, &a);
            a_left--;
        } else {
            append(m, &b);
            b_left--;
        }
    }
    for (; a_left > 0; a_left--)
        append(m, &a);
    for (; b_left > 0; b_left--)
        append(m, &b);
    m->at = b;
    return left;
}

/* Sorts the chained children of a set or table. Answers a child that is there twice, or 0. */
static uint32_t sort_children(const struct tree *tree, struct link *links, uint32_t container)
{
    struct merge m = {tree, links, NULL, 0, 0};
    uint32_t count = tree->cells[container].length;
    uint64_t width;

    for (width = 1; width < count; width *= 2) {
        uint32_t left = count;

        m.tail = &links[container].first;
        m.at = links[container].first;
        while (left > 0)
            left = merge_runs(&m, (uint32_t)width, left);
    }
    return m.twice;
}

/* The values of a table join the chain of its keys. */
static void chain_values(const leat_value *cells, struct link *links, uint32_t table)
{
    uint32_t key = links[table].first;
    uint32_t i;

    for (i = 0; i < cells[table].length; i++) {
        uint32_t value = key + (uint32_t)lt_cells(&cells[key]);
        uint32_t next = links[key].next;

        links[key].next = value;
        links[value].next = next;
        key = next;
    }
}

/* Copies the cells in the order of their links. */
static void flatten(const struct tree *tree, leat_value *to)
{
    struct {
        uint32_t next;
        size_t left;
    } stack[LT_DEPTH_MAX];
    size_t depth = 0;
    uint32_t at = 0;

    for (;;) {
        const leat_value *cell = &tree->cells[at];

        *to++ = *cell;
        if (lt_is_container(cell)) {
            stack[depth].next = tree->links[at].first;
            stack[depth].left = values_in(cell);
            depth++;
        }
        while (depth > 0 && stack[depth - 1].left == 0)
            depth--;
        if (depth == 0)
            return;
        at = stack[depth - 1].next;
        stack[depth - 1].left--;
        stack[depth - 1].next = tree->links[at].next;
    }
}

int lt_broker_sort(struct lt_tree *tree, size_t root, size_t *twice)
{
    const size_t align = sizeof(uint64_t);
    leat_value *cells = tree->cells + root;
    size_t count = lt_cells(cells);
    struct tree view = {cells, NULL};
    leat_value *sorted;
    struct link *links;
    uint8_t *scratch;
    uint32_t i;

    if (count > UINT32_MAX || count > SIZE_MAX / (sizeof *cells + sizeof *links) - 1)
        return LEAT_E_LIMIT;
    scratch = (uint8_t *)lt_arena_alloc(&tree->arena,
                                        count * (sizeof *cells + sizeof *links) + align - 1);
    if (scratch == NULL)
        return LEAT_E_NOMEM;
    scratch += (align - (uintptr_t)scratch % align) % align;
    sorted = (leat_value *)(void *)scratch;
    links = (struct link *)(void *)(sorted + count);
    view.links = links;

    /* Backwards, so that what is inside a container is in order before it is compared. */
    for (i = (uint32_t)count; i-- > 0;) {
        uint32_t same = 0;

        if (!lt_is_container(&cells[i]))
            continue;
        chain(cells, links, i);
        if (cells[i].kind == LEAT_SET || cells[i].kind == LEAT_TABLE)
            same = sort_children(&view, links, i);
        if (same != 0) {
            *twice = root + same;
            return LEAT_E_VALUE;
        }
        if (cells[i].kind == LEAT_TABLE)
            chain_values(cells, links, i);
    }
    flatten(&view, sorted);
    memcpy(cells, sorted, count * sizeof *cells);
    return LEAT_OK;
}
