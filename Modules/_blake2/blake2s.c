/* BLAKE2s: the variant with 32-bit words. */
#include <stdint.h>

#define WORD uint32_t
#define WORD_BYTES 4
#define CHAIN narrow
#define ROUNDS 10
#define R1 16
#define R2 12
#define R3 8
#define R4 7
#define IV {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19}
#define VARIANT blake2s_variant
#define NAME "blake2s"
#include "blake2_template.h"
