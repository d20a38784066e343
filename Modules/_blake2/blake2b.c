/* BLAKE2b: the variant with 64-bit words. */
#include <stdint.h>

#define WORD uint64_t
#define WORD_BYTES 8
#define CHAIN wide
#define ROUNDS 12
#define R1 32
#define R2 24
#define R3 16
#define R4 63
#define IV \
    { \
        0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1, 0x510e527fade682d1, \
            0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179 \
    }
#define VARIANT blake2b_variant
#define NAME "blake2b"
#include "blake2_template.h"
