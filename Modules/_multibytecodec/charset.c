/* Tables of charsets, made by asking iconv for every sequence of bytes. */
#include "multibyte.h"

#include <iconv.h>

enum { ENCODABLE = 0x30000, FOUR_COUNT = 39420, FOUR_SUPPLEMENT = 189000 };

static charset_t charsets[] = {
    {.name = "gb2312", .iconv_name = "EUC-CN"},
    {.name = "gbk", .iconv_name = "GBK"},
    {.name = "gb18030", .iconv_name = "GB18030", .flags = CHARSET_GB18030},
    {.name = "big5hkscs", .iconv_name = "BIG5-HKSCS"},
    {.name = "big5", .iconv_name = "BIG5"},
    {.name = "cp950", .iconv_name = "BIG5"},
    {.name = "shift_jis", .iconv_name = "SJIS", .flags = CHARSET_SJIS},
    {.name = "cp932", .iconv_name = "CP932", .flags = CHARSET_SJIS},
    {.name = "shift_jis_2004", .iconv_name = "SHIFT_JISX0213", .flags = CHARSET_SJIS},
    {.name = "shift_jisx0213", .iconv_name = "SHIFT_JISX0213", .flags = CHARSET_SJIS},
    {.name = "euc_jp", .iconv_name = "EUC-JP", .flags = CHARSET_EUC3},
    {.name = "euc_jis_2004", .iconv_name = "EUC-JISX0213", .flags = CHARSET_EUC3},
    {.name = "euc_jisx0213", .iconv_name = "EUC-JISX0213", .flags = CHARSET_EUC3},
    {.name = "euc_kr", .iconv_name = "EUC-KR", .flags = CHARSET_EUC_KR},
    {.name = "cp949", .iconv_name = "UHC"},
    {.name = "johab", .iconv_name = "JOHAB"},
    {.name = "iso8859_7", .iconv_name = "ISO8859-7", .flags = CHARSET_SJIS},
    {.name = "hz", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_jp", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_jp_1", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_jp_2", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_jp_2004", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_jp_3", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_jp_ext", .flags = CHARSET_STATEFUL},
    {.name = "iso2022_kr", .flags = CHARSET_STATEFUL},
};
static PyMutex charsets_mutex;      /* while tables are made */

/* ---- Where CPython's mappings differ from the C library's ----
 * bytes: one, two or three; cp: the code point. Variants are told by the beginning of the charset's name. */

enum { BOTH, DECODE, ENCODE, NEITHER };

static const struct { const char *charset; uint32_t bytes; Py_UCS4 cp; int ways; } corrections[] = {
    /* currency and overline of JIS X 0201 go to their ASCII places */
    {"shift_jis", 0x5c, 0xa5, ENCODE}, {"shift_jis", 0x7e, 0x203e, ENCODE}, {"euc_jp", 0x5c, 0xa5, ENCODE},
    {"euc_jp", 0x7e, 0x203e, ENCODE}, {"euc_jp", 0x8fa2b7, 0x7e, DECODE}, {"euc_jp", 0x8fa2b7, 0xff5e, NEITHER},
    /* Microsoft's bytes without a meaning, and what other systems have in place of its characters */
    {"cp932", 0x80, 0x80, BOTH}, {"cp932", 0xa0, 0xf8f0, BOTH}, {"cp932", 0xfd, 0xf8f1, BOTH}, {"cp932", 0xfe, 0xf8f2, BOTH},
    {"cp932", 0xff, 0xf8f3, BOTH}, {"cp932", 0x8161, 0x2016, ENCODE}, {"cp932", 0x817c, 0x2212, ENCODE},
    {"cp932", 0x8160, 0x301c, ENCODE}, {"cp932", 0x8191, 0xa2, ENCODE}, {"cp932", 0x8192, 0xa3, ENCODE},
    {"cp932", 0x81ca, 0xac, ENCODE},
    /* JIS X 0213 */
    {"shift_jis_2004", 0x5c, 0x5c, NEITHER}, {"shift_jisx0213", 0x5c, 0x5c, NEITHER}, {"shift_jis_2004", 0x7e, 0x7e, NEITHER},
    {"shift_jisx0213", 0x7e, 0x7e, NEITHER}, {"shift_jis_2004", 0x5c, 0xa5, BOTH}, {"shift_jisx0213", 0x5c, 0xa5, BOTH},
    {"shift_jis_2004", 0x7e, 0x203e, BOTH}, {"shift_jisx0213", 0x7e, 0x203e, BOTH}, {"shift_jis_2004", 0x815c, 0x2014, NEITHER},
    {"shift_jisx0213", 0x815c, 0x2014, NEITHER}, {"shift_jis_2004", 0x815c, 0x2015, BOTH}, {"shift_jisx0213", 0x815c, 0x2015, BOTH},
    {"shift_jis_2004", 0x815f, 0xff3c, NEITHER}, {"shift_jisx0213", 0x815f, 0xff3c, NEITHER}, {"shift_jis_2004", 0x815f, 0x5c, BOTH},
    {"shift_jisx0213", 0x815f, 0x5c, BOTH}, {"shift_jis_2004", 0x81b0, 0xff5e, NEITHER}, {"shift_jisx0213", 0x81b0, 0xff5e, NEITHER},
    {"shift_jis_2004", 0x81b0, 0x7e, BOTH}, {"shift_jisx0213", 0x81b0, 0x7e, BOTH}, {"shift_jis_2004", 0x81d4, 0xff5f, NEITHER},
    {"shift_jisx0213", 0x81d4, 0xff5f, NEITHER}, {"shift_jis_2004", 0x81d4, 0x2985, BOTH}, {"shift_jisx0213", 0x81d4, 0x2985, BOTH},
    {"shift_jis_2004", 0x81d5, 0xff60, NEITHER}, {"shift_jisx0213", 0x81d5, 0xff60, NEITHER}, {"shift_jis_2004", 0x81d5, 0x2986, BOTH},
    {"shift_jisx0213", 0x81d5, 0x2986, BOTH},
    /* later additions */
    {"shift_jisx0213", 0x879f, 0x4ff1, NEITHER}, {"shift_jisx0213", 0x889e, 0x525d, NEITHER}, {"shift_jisx0213", 0x9873, 0x20b9f, NEITHER},
    {"shift_jisx0213", 0x989e, 0x541e, NEITHER}, {"shift_jisx0213", 0xeaa5, 0x5653, NEITHER}, {"shift_jisx0213", 0xeff8, 0x59f8, NEITHER},
    {"shift_jisx0213", 0xeff9, 0x5c5b, NEITHER}, {"shift_jisx0213", 0xeffa, 0x5e77, NEITHER}, {"shift_jisx0213", 0xeffb, 0x7626, NEITHER},
    {"shift_jisx0213", 0xeffc, 0x7e6b, NEITHER}, {"shift_jisx0213", 0xfc5a, 0x9b1c, NEITHER},
    {"euc_jis_2004", 0xa1bd, 0x2014, NEITHER}, {"euc_jisx0213", 0xa1bd, 0x2014, NEITHER}, {"euc_jis_2004", 0xa1bd, 0x2015, BOTH},
    {"euc_jisx0213", 0xa1bd, 0x2015, BOTH}, {"euc_jis_2004", 0xa2d6, 0xff5f, NEITHER}, {"euc_jisx0213", 0xa2d6, 0xff5f, NEITHER},
    {"euc_jis_2004", 0xa2d6, 0x2985, BOTH}, {"euc_jisx0213", 0xa2d6, 0x2985, BOTH}, {"euc_jis_2004", 0xa2d7, 0xff60, NEITHER},
    {"euc_jisx0213", 0xa2d7, 0xff60, NEITHER}, {"euc_jis_2004", 0xa2d7, 0x2986, BOTH}, {"euc_jisx0213", 0xa2d7, 0x2986, BOTH},
    {"euc_kr", 0xa2e8, 0x327e, NEITHER}, {"johab", 0xd9e8, 0x327e, NEITHER},
};

static void correct(charset_t *c)
{
    for (size_t i = 0; i < sizeof(corrections) / sizeof(corrections[0]); i++) {
        uint32_t bytes = corrections[i].bytes, length = bytes < 0x100 ? 1 : bytes < 0x10000 ? 2 : 3;
        Py_UCS4 cp = corrections[i].cp, value = corrections[i].ways == NEITHER ? 0 : cp + 1;
        if (strcmp(corrections[i].charset, c->name) != 0)
            continue;
        if (corrections[i].ways != ENCODE)
            *(length == 1 ? &c->single[bytes] : length == 2 ? &c->two[bytes] : &c->three[bytes & 0xffff]) = value;
        if (corrections[i].ways != DECODE)
            c->encode[cp] = value == 0 ? 0 : bytes | length << 24;
    }
}

/* ---- Making tables ---- */

/* What n bytes stand for: the number of code points (1 or 2), or 0. */
static int ask(iconv_t converter, const unsigned char *bytes, size_t n, Py_UCS4 out[2])
{
    char *in = (char *)bytes, *to = (char *)out;
    size_t in_left = n, out_left = 2 * sizeof(Py_UCS4);
    iconv(converter, NULL, NULL, NULL, NULL);
    out[0] = out[1] = 0;
    if (iconv(converter, &in, &in_left, &to, &out_left) != 0 || in_left != 0
        || iconv(converter, NULL, NULL, &to, &out_left) == (size_t)-1)
        return 0;
    return (int)(2 - out_left / sizeof(Py_UCS4));
}

static void can_encode(charset_t *c, Py_UCS4 cp, uint32_t bytes, int n)
{
    if (cp < ENCODABLE && c->encode[cp] == 0)
        c->encode[cp] = n == 4 ? bytes : bytes | (uint32_t)n << 24;
}

static void add_pair(charset_t *c, Py_UCS4 first, Py_UCS4 second, int bytes)
{
    pair_t *pairs = PyMem_RawRealloc(c->pairs, (size_t)(c->pair_count + 1) * sizeof(pair_t));
    if (pairs == NULL)
        return;
    pairs[c->pair_count++] = (pair_t){first, second, (uint16_t)bytes};
    c->pairs = pairs;
}

static void ask_for_singles(charset_t *c, iconv_t converter)
{
    Py_UCS4 out[2];
    for (int i = 0; i < 256; i++) {
        unsigned char byte = (unsigned char)i;
        if (i < 0x80)
            out[0] = byte;      /* ASCII, whatever the currency */
        else if (c->flags != CHARSET_SJIS || ask(converter, &byte, 1, out) != 1)
            continue;
        c->single[i] = out[0] + 1;
        can_encode(c, out[0], byte, 1);
    }
}

static void ask_for_twos(charset_t *c, iconv_t converter)
{
    Py_UCS4 out[2];
    for (int i = 0x8000; i < 0x10000; i++) {
        unsigned char bytes[2] = {(unsigned char)(i >> 8), (unsigned char)i};
        Py_UCS4 alone[2];
        if (c->single[bytes[0]] != 0 || ask(converter, bytes, 1, alone) != 0)
            continue;
        int n = ask(converter, bytes, 2, out);
        if (n == 1) {
            c->two[i] = out[0] + 1;
            can_encode(c, out[0], (uint32_t)i, 2);
        }
        else if (n == 2)
            add_pair(c, out[0], out[1], i);
    }
}

static void ask_for_threes(charset_t *c, iconv_t converter)
{
    Py_UCS4 out[2];
    for (int i = 0xa0a0; i < 0x10000; i++) {
        unsigned char bytes[3] = {0x8f, (unsigned char)(i >> 8), (unsigned char)i};
        if ((i & 0xff) >= 0xa0 && c->three[i] == 0 && ask(converter, bytes, 3, out) == 1) {
            c->three[i] = out[0] + 1;
            can_encode(c, out[0], 0x8f0000u | (uint32_t)i, 3);
        }
    }
}

static void four_bytes(int number, unsigned char bytes[4])
{
    bytes[3] = (unsigned char)(0x30 + number % 10);
    number /= 10;
    bytes[2] = (unsigned char)(0x81 + number % 126);
    number /= 126;
    bytes[1] = (unsigned char)(0x30 + number % 10);
    bytes[0] = (unsigned char)(0x81 + number / 10);
}

static void ask_for_fours(charset_t *c, iconv_t converter)
{
    Py_UCS4 out[2];
    for (int i = 0; i < FOUR_COUNT; i++) {
        unsigned char bytes[4];
        four_bytes(i, bytes);
        if (ask(converter, bytes, 4, out) == 1 && out[0] < 0x10000) {
            c->four[i] = (uint16_t)out[0];
            can_encode(c, out[0], (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3], 4);
        }
    }
}

/* Only after everything has been allocated; 0 or -1 with an exception. */
static int make_tables(charset_t *c)
{
    iconv_t converter = iconv_open("UCS-4LE", c->iconv_name);
    if (converter == (iconv_t)-1) {
        PyErr_Format(PyExc_LookupError, "the C library does not know the encoding %s", c->iconv_name);
        return -1;
    }
    c->two = PyMem_RawCalloc(0x10000, sizeof(Py_UCS4));
    c->three = c->flags == CHARSET_EUC3 ? PyMem_RawCalloc(0x10000, sizeof(Py_UCS4)) : NULL;
    c->four = c->flags == CHARSET_GB18030 ? PyMem_RawCalloc(FOUR_COUNT, sizeof(uint16_t)) : NULL;
    c->encode = PyMem_RawCalloc(ENCODABLE, sizeof(uint32_t));
    int failed = c->two == NULL || c->encode == NULL || (c->flags == CHARSET_EUC3 && c->three == NULL)
                 || (c->flags == CHARSET_GB18030 && c->four == NULL);
    if (failed) {
        PyMem_RawFree(c->two);
        PyMem_RawFree(c->three);
        PyMem_RawFree(c->four);
        PyMem_RawFree(c->encode);
        PyErr_NoMemory();
    }
    else {
        ask_for_singles(c, converter);
        ask_for_twos(c, converter);
        if (c->three != NULL) {
            ask_for_threes(c, converter);
            /* JIS X 0213 leaves room in which CPython has the characters of JIS X 0212 */
            iconv_t fallback = strcmp(c->iconv_name, "EUC-JP") == 0 ? (iconv_t)-1 : iconv_open("UCS-4LE", "EUC-JP");
            if (fallback != (iconv_t)-1) {
                ask_for_threes(c, fallback);
                iconv_close(fallback);
            }
        }
        if (c->four != NULL)
            ask_for_fours(c, converter);
        correct(c);
        __atomic_store_n(&c->ready, 1, __ATOMIC_RELEASE);
    }
    iconv_close(converter);
    return failed ? -1 : 0;
}

charset_t *charset_find(const char *name, const char *const *allowed)
{
    charset_t *found = NULL;
    for (; *allowed != NULL && strcmp(*allowed, name) != 0; allowed++)
        ;
    for (size_t i = 0; *allowed != NULL && i < sizeof(charsets) / sizeof(charsets[0]); i++)
        if (strcmp(charsets[i].name, name) == 0)
            found = &charsets[i];
    if (found == NULL) {
        PyErr_SetString(PyExc_LookupError, "no such codec is supported.");
        return NULL;
    }
    if (__atomic_load_n(&found->ready, __ATOMIC_ACQUIRE))
        return found;
    if (found->flags == CHARSET_STATEFUL) {
        if (stateful_prepare(found) < 0)
            return NULL;
        __atomic_store_n(&found->ready, 1, __ATOMIC_RELEASE);
        return found;
    }
    PyMutex_Lock(&charsets_mutex);
    int failed = !found->ready && make_tables(found) < 0;
    PyMutex_Unlock(&charsets_mutex);
    return failed ? NULL : found;
}

/* ---- Characters ---- */

static int decode_four(const charset_t *c, const unsigned char *p, Py_ssize_t n, Py_UCS4 chars[2])
{
    if (n < 4)
        return TOO_SHORT;
    if (p[2] < 0x81 || p[2] > 0xfe || p[3] < 0x30 || p[3] > 0x39 || p[0] > 0xfe)
        return ILLEGAL;
    int number = (((p[0] - 0x81) * 10 + p[1] - 0x30) * 126 + p[2] - 0x81) * 10 + p[3] - 0x30;
    if (number < FOUR_COUNT && c->four[number] != 0) {
        chars[0] = c->four[number];
        return 4;
    }
    if (number >= FOUR_SUPPLEMENT && number - FOUR_SUPPLEMENT < 0x100000) {
        chars[0] = (Py_UCS4)(number - FOUR_SUPPLEMENT + 0x10000);
        return 4;
    }
    return ILLEGAL;
}

static int decode_two(const charset_t *c, const unsigned char *p, Py_UCS4 chars[2])
{
    unsigned bytes = (unsigned)p[0] << 8 | p[1];
    if (c->two[bytes] != 0) {
        chars[0] = c->two[bytes] - 1;
        return 2;
    }
    for (int i = 0; i < c->pair_count; i++)
        if (c->pairs[i].bytes == bytes) {
            chars[0] = c->pairs[i].first;
            chars[1] = c->pairs[i].second;
            return 2;
        }
    return ILLEGAL;
}

/* KS X 1001 has not all syllables: the others are spelled 0xA4D4 and three letters of row 0xA4, 0xD4 being none. The
 * letters in Unicode's order of initials and finals (0: none); vowels start at 0xBF. */
static const unsigned char initials[] = {0xa1, 0xa2, 0xa4, 0xa7, 0xa8, 0xa9, 0xb1, 0xb2, 0xb3, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9,
                                         0xba, 0xbb, 0xbc, 0xbd, 0xbe};
static const unsigned char finals[] = {0xd4, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa9, 0xaa, 0xab, 0xac, 0xad, 0xae,
                                       0xaf, 0xb0, 0xb1, 0xb2, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xba, 0xbb, 0xbc, 0xbd, 0xbe};
enum { FIRST_SYLLABLE = 0xac00, SYLLABLES = 11172, VOWELS = 21, FINALS = 28, FIRST_VOWEL = 0xbf };

static int decode_spelled(const unsigned char *p, Py_ssize_t n, Py_UCS4 chars[2])
{
    if (n < 8)
        return TOO_SHORT;
    const unsigned char *initial = memchr(initials, p[3], sizeof(initials)), *final = memchr(finals, p[7], sizeof(finals));
    if (p[2] != 0xa4 || p[4] != 0xa4 || p[6] != 0xa4 || initial == NULL || final == NULL || p[5] < FIRST_VOWEL
        || p[5] >= FIRST_VOWEL + VOWELS)
        return ILLEGAL;
    chars[0] = (Py_UCS4)(FIRST_SYLLABLE + ((initial - initials) * VOWELS + p[5] - FIRST_VOWEL) * FINALS + (final - finals));
    return 8;
}

static int encode_spelled(Py_UCS4 cp, unsigned char *out)
{
    unsigned number = cp - FIRST_SYLLABLE;
    if (number >= SYLLABLES)
        return ILLEGAL;
    out[0] = out[2] = out[4] = out[6] = 0xa4;
    out[1] = 0xd4;
    out[3] = initials[number / FINALS / VOWELS];
    out[5] = (unsigned char)(FIRST_VOWEL + number / FINALS % VOWELS);
    out[7] = finals[number % FINALS];
    return 8;
}

int charset_decode(const charset_t *c, const unsigned char *p, Py_ssize_t n, Py_UCS4 chars[2])
{
    chars[1] = 0;
    if (c->single[p[0]] != 0) {
        chars[0] = c->single[p[0]] - 1;
        return 1;
    }
    if (c->flags == CHARSET_SJIS && (p[0] < 0x81 || p[0] == 0xa0 || p[0] > 0xfc))
        return ILLEGAL;
    if (n < 2)
        return TOO_SHORT;
    if (c->flags == CHARSET_EUC_KR && p[0] == 0xa4 && p[1] == 0xd4)
        return decode_spelled(p, n, chars);
    if (c->flags == CHARSET_EUC3 && p[0] == 0x8f) {
        if (n < 3)
            return TOO_SHORT;
        Py_UCS4 found = c->three[p[1] << 8 | p[2]];
        chars[0] = found - 1;
        return found != 0 ? 3 : ILLEGAL;
    }
    if (c->flags == CHARSET_GB18030 && p[0] > 0x80 && p[1] >= 0x30 && p[1] <= 0x39)
        return decode_four(c, p, n, chars);
    return decode_two(c, p, chars);
}

/* The pair that starts with cp and goes on with next (0: any). */
static const pair_t *find_pair(const charset_t *c, Py_UCS4 cp, Py_UCS4 next)
{
    for (int i = 0; i < c->pair_count; i++)
        if (c->pairs[i].first == cp && (next == 0 || c->pairs[i].second == next))
            return &c->pairs[i];
    return NULL;
}

int charset_encode(const charset_t *c, PyObject *str, Py_ssize_t i, int final, unsigned char *out, int *used)
{
    Py_UCS4 cp = PyUnicode_READ_CHAR(str, i);
    uint32_t bytes = cp < ENCODABLE ? c->encode[cp] : 0;
    *used = 1;
    if (c->pair_count > 0 && find_pair(c, cp, 0) != NULL) {
        if (i + 1 == PyUnicode_GET_LENGTH(str)) {
            if (!final)
                return TOO_SHORT;
        }
        else {
            const pair_t *pair = find_pair(c, cp, PyUnicode_READ_CHAR(str, i + 1));
            if (pair != NULL) {
                *used = 2;
                out[0] = (unsigned char)(pair->bytes >> 8);
                out[1] = (unsigned char)pair->bytes;
                return 2;
            }
        }
    }
    if (bytes == 0) {
        if (c->flags == CHARSET_EUC_KR)
            return encode_spelled(cp, out);
        if (c->flags != CHARSET_GB18030 || cp < 0x10000)
            return ILLEGAL;
        four_bytes((int)(cp - 0x10000) + FOUR_SUPPLEMENT, out);
        return 4;
    }
    int n = (int)(bytes >> 24) > 3 ? 4 : (int)(bytes >> 24);
    for (int k = 0; k < n; k++)
        out[k] = (unsigned char)(bytes >> 8 * (n - 1 - k));
    return n;
}
