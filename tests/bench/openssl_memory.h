/* The memory that OpenSSL holds. */
#ifndef OPENSSL_MEMORY_H
#define OPENSSL_MEMORY_H

#include <stddef.h>

extern size_t openssl_held;

/* Counts it from now on: before anything else is done with OpenSSL. */
void count_openssl(void);

#endif
