#include "tables.h"

#include <leat/estreamer.h>

static const struct lt_estreamer_layout *layout_at(size_t index)
{
    return index < lt_estreamer_layout_total ? &lt_estreamer_layouts[index] : NULL;
}

static size_t index_of(uint16_t index_and_1)
{
    return index_and_1 == 0 ? LEAT_ESTREAMER_NO_LAYOUT : index_and_1 - 1u;
}

size_t leat_estreamer_record_count(void)
{
    return lt_estreamer_record_total;
}

uint32_t leat_estreamer_record_type(size_t index)
{
    return index < lt_estreamer_record_total ? lt_estreamer_records[index].type : 0;
}

const char *leat_estreamer_record_name(uint32_t record_type)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    return record == NULL ? NULL : lt_estreamer_names + record->name;
}

const char *leat_estreamer_record_category(uint32_t record_type)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    return record == NULL ? NULL : lt_estreamer_names + record->category;
}

int leat_estreamer_record_has_discovery_header(uint32_t record_type)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    return record != NULL && record->discovery;
}

uint32_t leat_estreamer_record_series(uint32_t record_type)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    return record == NULL ? 0 : lt_estreamer_series(record);
}

size_t leat_estreamer_record_layout(uint32_t record_type)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    return index_of(record == NULL ? 0 : record->layout);
}

size_t leat_estreamer_record_legacy_layout(uint32_t record_type)
{
    const struct lt_estreamer_record *record = lt_estreamer_record(record_type);

    return index_of(record == NULL ? 0 : record->legacy);
}

size_t leat_estreamer_layout_count(void)
{
    return lt_estreamer_layout_total;
}

const char *leat_estreamer_layout_container(size_t layout)
{
    const struct lt_estreamer_layout *found = layout_at(layout);

    return found == NULL ? NULL : lt_estreamer_names + found->container;
}

const char *leat_estreamer_layout_name(size_t layout)
{
    const struct lt_estreamer_layout *found = layout_at(layout);

    return found == NULL ? NULL : lt_estreamer_names + found->name;
}

size_t leat_estreamer_layout_of_block(uint32_t series, uint32_t block_type)
{
    const struct lt_estreamer_layout *found = lt_estreamer_block(series, block_type);

    return found == NULL ? LEAT_ESTREAMER_NO_LAYOUT : (size_t)(found - lt_estreamer_layouts);
}

size_t leat_estreamer_field_count(size_t layout)
{
    const struct lt_estreamer_layout *found = layout_at(layout);

    return found == NULL ? 0 : found->fields;
}

static const struct lt_estreamer_row *field_at(size_t layout, size_t field)
{
    const struct lt_estreamer_layout *found = layout_at(layout);

    if (found == NULL || field >= found->fields)
        return NULL;
    return lt_estreamer_row(lt_estreamer_first(found) + field);
}

const char *leat_estreamer_field_name(size_t layout, size_t field)
{
    const struct lt_estreamer_row *row = field_at(layout, field);

    return row == NULL ? NULL : lt_estreamer_row_name(row);
}

uint32_t leat_estreamer_field_kind(size_t layout, size_t field)
{
    const struct lt_estreamer_row *row = field_at(layout, field);

    return row == NULL ? LEAT_NULL : row->kind;
}

const char *leat_estreamer_field_wire_type(size_t layout, size_t field)
{
    const struct lt_estreamer_row *row = field_at(layout, field);

    return row == NULL ? NULL : lt_estreamer_names + lt_estreamer_wires[row->wire];
}
