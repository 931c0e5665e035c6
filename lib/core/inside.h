/*
 * What libleat-openssl needs of libleat's inside. What is so marked is exported, in a version of its
 * own that names this release (leat.map): it is for no one else, and changes without notice.
 */
#ifndef LT_INSIDE_H
#define LT_INSIDE_H

#include <leat/leat.h>

#define LT_INSIDE LEAT_API

#endif
