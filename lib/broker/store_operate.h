/* What additions and subtractions make of values. */
#ifndef LT_BROKER_STORE_OPERATE_H
#define LT_BROKER_STORE_OPERATE_H

#include "../core/value.h"

/* Whether something can be added to such a value; the empty one of that type is *value. */
int lt_store_begin(unsigned type, leat_value *value);

/* Appends a value without its name, in room that was reserved. */
void lt_store_put_child(struct lt_tree *tree, const leat_value *value);

/*
 * Adds to a value, or subtracts from it. The result is in a tree, which is cleared before and whose
 * cells point to the octets of both, or into its arena.
 *
 * LEAT_OK; LEAT_E_VALUE: they do not fit each other; LEAT_E_LIMIT, LEAT_E_NOMEM.
 *
 * Source: spec section 11.4.
 */
int lt_store_operate(struct lt_tree *result, const leat_value *value, const leat_value *operand,
                     bool subtract);

#endif
