/* The hashes BLAKE2b (64-bit words) and BLAKE2s (32-bit words). */
#ifndef BRAID_BLAKE2_H
#define BRAID_BLAKE2_H

#include <stddef.h>
#include <stdint.h>

/* The larger of the two variants' limits, in bytes. */
enum { BLAKE2_KEY_MAX = 64, BLAKE2_DIGEST_MAX = 64, BLAKE2_SALT_MAX = 16, BLAKE2_BLOCK_MAX = 128 };

/* What a hash depends on besides its data. Salt and person are padded with zeros. */
struct blake2_parameters {
    size_t digest_size, key_size;
    unsigned fanout, depth, node_depth, inner_size;
    uint32_t leaf_size;
    uint64_t node_offset;
    int last_node;
    unsigned char salt[BLAKE2_SALT_MAX], person[BLAKE2_SALT_MAX], key[BLAKE2_KEY_MAX];
};

/* A hash that is being computed. Plain data: a copy goes on by itself. */
struct blake2_state {
    union {
        uint64_t wide[8];
        uint32_t narrow[8];
    } h;                            /* the chain value */
    uint64_t count[2];              /* bytes hashed, without those in block; low word first */
    unsigned char block[BLAKE2_BLOCK_MAX];
    size_t filled;                  /* of block; a full block stays there until it is known not to be the last */
    size_t digest_size;
    int last_node;
};

/* One of the two variants. */
struct blake2_variant {
    const char *name;
    size_t digest_max, key_max, salt_size, block_size;
    uint64_t node_offset_max;
    void (*start)(struct blake2_state *s, const struct blake2_parameters *p);
    void (*feed)(struct blake2_state *s, const unsigned char *data, size_t size);
    /* Writes digest_size bytes. The state is used up. */
    void (*finish)(struct blake2_state *s, unsigned char *digest);
};

extern const struct blake2_variant blake2b_variant, blake2s_variant;

#endif /* BRAID_BLAKE2_H */
