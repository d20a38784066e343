/* The algorithm of BLAKE2. Before it is included:
 *   WORD, WORD_BYTES    the type of a word and its size
 *   CHAIN               the member of h in struct blake2_state
 *   ROUNDS, R1..R4      the number of rounds, and the rotations
 *   IV                  the eight initial words
 *   VARIANT, NAME       what to define, and its name */
#include "blake2.h"
#include <string.h>

enum { BLOCK = 16 * WORD_BYTES, PARAMETERS = 8 * WORD_BYTES, SALT = 2 * WORD_BYTES, WORD_BITS = 8 * WORD_BYTES };

static const WORD initial[8] = IV;

/* Which word of the block each step of a round takes. */
static const unsigned char order[10][16] = {
    {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15}, {14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3},
    {11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4}, {7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8},
    {9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13}, {2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9},
    {12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11}, {13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10},
    {6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5}, {10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0},
};

static inline WORD rotate(WORD w, int bits) { return (WORD)(w >> bits | w << (WORD_BITS - bits)); }

/* Words are stored with the low byte first. */
static inline WORD load(const unsigned char *at)
{
    WORD w = 0;
    for (int i = WORD_BYTES; i-- > 0;)
        w = (WORD)(w << 8 | at[i]);
    return w;
}

static inline void store(unsigned char *at, uint64_t w, int bytes)
{
    for (int i = 0; i < bytes; i++)
        at[i] = (unsigned char)(w >> 8 * i);
}

static inline void mix(WORD *v, int a, int b, int c, int d, WORD x, WORD y)
{
    v[a] += v[b] + x;
    v[d] = rotate(v[d] ^ v[a], R1);
    v[c] += v[d];
    v[b] = rotate(v[b] ^ v[c], R2);
    v[a] += v[b] + y;
    v[d] = rotate(v[d] ^ v[a], R3);
    v[c] += v[d];
    v[b] = rotate(v[b] ^ v[c], R4);
}

/* Takes one block into the chain value; last: it is the last one. */
static void compress(struct blake2_state *s, const unsigned char *block, int last)
{
    WORD v[16], m[16], *h = s->h.CHAIN;
    for (int i = 0; i < 16; i++)
        m[i] = load(block + i * WORD_BYTES);
    for (int i = 0; i < 8; i++) {
        v[i] = h[i];
        v[i + 8] = initial[i];
    }
    v[12] ^= (WORD)s->count[0];
    v[13] ^= WORD_BYTES == 8 ? (WORD)s->count[1] : (WORD)(s->count[0] >> 32);
    if (last) {
        v[14] = ~v[14];
        if (s->last_node)
            v[15] = ~v[15];
    }
    for (int round = 0; round < ROUNDS; round++) {
        const unsigned char *o = order[round % 10];
        mix(v, 0, 4, 8, 12, m[o[0]], m[o[1]]);
        mix(v, 1, 5, 9, 13, m[o[2]], m[o[3]]);
        mix(v, 2, 6, 10, 14, m[o[4]], m[o[5]]);
        mix(v, 3, 7, 11, 15, m[o[6]], m[o[7]]);
        mix(v, 0, 5, 10, 15, m[o[8]], m[o[9]]);
        mix(v, 1, 6, 11, 12, m[o[10]], m[o[11]]);
        mix(v, 2, 7, 8, 13, m[o[12]], m[o[13]]);
        mix(v, 3, 4, 9, 14, m[o[14]], m[o[15]]);
    }
    for (int i = 0; i < 8; i++)
        h[i] ^= v[i] ^ v[i + 8];
}

static void count(struct blake2_state *s, size_t bytes)
{
    s->count[0] += bytes;
    s->count[1] += s->count[0] < bytes;
}

static void feed(struct blake2_state *s, const unsigned char *data, size_t size)
{
    while (size > 0) {
        if (s->filled == BLOCK) {
            count(s, BLOCK);
            compress(s, s->block, 0);
            s->filled = 0;
        }
        /* Whole blocks that are not the last one need no copy. */
        while (s->filled == 0 && size > BLOCK) {
            count(s, BLOCK);
            compress(s, data, 0);
            data += BLOCK;
            size -= BLOCK;
        }
        size_t part = BLOCK - s->filled < size ? BLOCK - s->filled : size;
        memcpy(s->block + s->filled, data, part);
        s->filled += part;
        data += part;
        size -= part;
    }
}

static void start(struct blake2_state *s, const struct blake2_parameters *p)
{
    /* The parameter block: two forms, which differ in the size of the node offset and in reserved bytes. */
    unsigned char block[PARAMETERS] = {0};
    enum { OFFSET_BYTES = WORD_BYTES == 8 ? 8 : 6 };
    block[0] = (unsigned char)p->digest_size;
    block[1] = (unsigned char)p->key_size;
    block[2] = (unsigned char)p->fanout;
    block[3] = (unsigned char)p->depth;
    store(block + 4, p->leaf_size, 4);
    store(block + 8, p->node_offset, OFFSET_BYTES);
    block[8 + OFFSET_BYTES] = (unsigned char)p->node_depth;
    block[9 + OFFSET_BYTES] = (unsigned char)p->inner_size;
    memcpy(block + PARAMETERS - 2 * SALT, p->salt, SALT);
    memcpy(block + PARAMETERS - SALT, p->person, SALT);

    memset(s, 0, sizeof *s);
    for (int i = 0; i < 8; i++)
        s->h.CHAIN[i] = initial[i] ^ load(block + i * WORD_BYTES);
    s->digest_size = p->digest_size;
    s->last_node = p->last_node;
    if (p->key_size > 0) {
        unsigned char key[BLOCK] = {0};
        memcpy(key, p->key, p->key_size);
        feed(s, key, sizeof key);
    }
}

static void finish(struct blake2_state *s, unsigned char *digest)
{
    unsigned char words[8 * WORD_BYTES];
    count(s, s->filled);
    memset(s->block + s->filled, 0, BLOCK - s->filled);
    compress(s, s->block, 1);
    for (int i = 0; i < 8; i++)
        store(words + i * WORD_BYTES, s->h.CHAIN[i], WORD_BYTES);
    memcpy(digest, words, s->digest_size);
}

const struct blake2_variant VARIANT = {
    .name = NAME,
    .digest_max = 8 * WORD_BYTES,
    .key_max = 8 * WORD_BYTES,
    .salt_size = SALT,
    .block_size = BLOCK,
    .node_offset_max = WORD_BYTES == 8 ? UINT64_MAX : ((uint64_t)1 << 48) - 1,
    .start = start,
    .feed = feed,
    .finish = finish,
};
