/* Encodings with a state: HZ, and the family of ISO 2022, in which escape sequences select character sets. */
#include "multibyte.h"

enum { ESC = 0x1b, SHIFT_OUT = 0x0e, SHIFT_IN = 0x0f, DOUBLE = 0x80, LONGEST_ESCAPE = 16 };

/* ---- Character sets that can be selected, by their final byte; DOUBLE: of two bytes ---- */

enum { ASCII_SET = 'B', LATIN1_SET = 'A', GREEK_SET = 'F', ROMAN_SET = 'J', KANA_SET = 'I', JIS_SET = 'B' | DOUBLE,
       OLD_JIS_SET = '@' | DOUBLE, SUPPLEMENT_SET = 'D' | DOUBLE, GB_SET = 'A' | DOUBLE, KS_SET = 'C' | DOUBLE,
       JIS2000_SET = 'O' | DOUBLE, JIS2000_2_SET = 'P' | DOUBLE, JIS2004_SET = 'Q' | DOUBLE };

/* In the order in which they are tried. */
static const struct { const char *name; unsigned char sets[8]; } encodings[] = {
    {"iso2022_jp", {JIS_SET, ROMAN_SET, OLD_JIS_SET}},
    {"iso2022_jp_1", {JIS_SET, SUPPLEMENT_SET, ROMAN_SET, OLD_JIS_SET}},
    {"iso2022_jp_2", {JIS_SET, SUPPLEMENT_SET, KS_SET, GB_SET, ROMAN_SET, OLD_JIS_SET}},
    {"iso2022_jp_2004", {JIS_SET, JIS2004_SET, JIS2000_2_SET}},
    {"iso2022_jp_3", {JIS_SET, JIS2000_SET, JIS2000_2_SET}},
    {"iso2022_jp_ext", {JIS_SET, SUPPLEMENT_SET, ROMAN_SET, KANA_SET, OLD_JIS_SET}},
    {"iso2022_kr", {KS_SET}},
    {"hz", {GB_SET}},
};

static const char *const basis_names[] = {"euc_jp", "gb2312", "euc_kr", "euc_jis_2004", "iso8859_7", NULL};

/* The charset in whose EUC form the set is found. All have been made by stateful_prepare. */
static const charset_t *basis(int set)
{
    const char *name = set == GB_SET ? "gb2312" : set == KS_SET ? "euc_kr" : set == GREEK_SET ? "iso8859_7"
                       : set == JIS2000_SET || set == JIS2000_2_SET || set == JIS2004_SET ? "euc_jis_2004" : "euc_jp";
    return charset_find(name, basis_names);
}

static int is_supplement(int set)
{
    return set == SUPPLEMENT_SET || set == JIS2000_2_SET;
}

int stateful_prepare(const charset_t *c)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
        if (strcmp(encodings[i].name, c->name) == 0)
            for (int k = 0; k < 8 && encodings[i].sets[k] != 0; k++)
                if (basis(encodings[i].sets[k]) == NULL)
                    return -1;
    return strcmp(c->name, "iso2022_jp_2") == 0 && basis(GREEK_SET) == NULL ? -1 : 0;
}

static const unsigned char *sets_of(const charset_t *c)
{
    for (size_t i = 0; i < sizeof(encodings) / sizeof(encodings[0]); i++)
        if (strcmp(encodings[i].name, c->name) == 0)
            return encodings[i].sets;
    return NULL;
}

static int has_set(const charset_t *c, int set)
{
    return memchr(sets_of(c), set, 8) != NULL;
}

static int is_korean(const charset_t *c)
{
    return strcmp(c->name, "iso2022_kr") == 0;
}

static int has_g2(const charset_t *c)
{
    return strcmp(c->name, "iso2022_jp_2") == 0;
}

/* ---- Characters of the sets ---- */

/* The code point, or 0. */
static Py_UCS4 from_set(int set, const unsigned char *p)
{
    if (set == ROMAN_SET)
        return p[0] == 0x5c ? 0xa5 : p[0] == 0x7e ? 0x203e : p[0];
    if (set == KANA_SET)
        return p[0] >= 0x21 && p[0] <= 0x5f ? 0xff40u + p[0] : 0;
    const charset_t *c = basis(set);
    unsigned bytes = (p[0] | 0x80u) << 8 | p[1] | 0x80u;
    Py_UCS4 found = is_supplement(set) ? c->three[bytes] : c->two[bytes];
    return found == 0 ? 0 : found - 1;
}

/* The number of bytes of cp in the set, put into out; or 0. */
static int to_set(int set, Py_UCS4 cp, unsigned char *out)
{
    if (set == ROMAN_SET) {
        out[0] = cp == 0xa5 ? 0x5c : 0x7e;
        return cp == 0xa5 || cp == 0x203e;
    }
    if (set == KANA_SET) {
        out[0] = (unsigned char)(cp - 0xff40);
        return cp >= 0xff61 && cp <= 0xff9f;
    }
    const charset_t *c = basis(set);
    uint32_t bytes = cp < 0x30000 ? c->encode[cp] : 0;
    int wanted = is_supplement(set) ? 3 : 2;
    if ((int)(bytes >> 24) != wanted || (bytes >> 8 & 0xff) < 0xa1 || (bytes & 0xff) < 0xa1)
        return 0;
    out[0] = bytes >> 8 & 0x7f;
    out[1] = bytes & 0x7f;
    return 2;
}

/* ---- HZ: state->shifted means that pairs of bytes follow ---- */

static int decode_hz(multibyte_state_t *state, const unsigned char *p, Py_ssize_t n, Py_UCS4 chars[2])
{
    if (p[0] == '~') {
        if (n < 2)
            return TOO_SHORT;
        chars[0] = NO_CHARACTER;
        if (p[1] == '~' && !state->shifted)
            chars[0] = '~';
        else if (p[1] == '{' && !state->shifted)
            state->shifted = 1;
        else if (p[1] == '}' && state->shifted)
            state->shifted = 0;
        else if (p[1] != '\n' || state->shifted)
            return ILLEGAL;
        return 2;
    }
    if (p[0] & 0x80)
        return ILLEGAL;
    if (!state->shifted) {
        chars[0] = p[0];
        return 1;
    }
    if (n < 2)
        return TOO_SHORT;
    chars[0] = from_set(GB_SET, p);
    return chars[0] == 0 ? ILLEGAL : 2;
}

static int encode_hz(multibyte_state_t *state, Py_UCS4 cp, unsigned char *out)
{
    unsigned char pair[2];
    int n = 0, double_ = cp >= 0x80;
    if (double_ && to_set(GB_SET, cp, pair) == 0)
        return ILLEGAL;
    if (state->shifted != double_) {
        out[n++] = '~';
        out[n++] = double_ ? '{' : '}';
        state->shifted = (unsigned char)double_;
    }
    if (double_) {
        out[n++] = pair[0];
        out[n++] = pair[1];
        return n;
    }
    if (cp == '~')
        out[n++] = '~';
    out[n++] = (unsigned char)cp;
    return n;
}

/* ---- ISO 2022: decoding ---- */

/* Selects the set that an escape sequence of n bytes asks for. Does the encoding have it? */
static int select_set(const charset_t *c, multibyte_state_t *state, const unsigned char *p, int n)
{
    int set = p[n - 1], four = n == 4 && p[1] == '$' && (p[2] == '(' || p[2] == ')');
    if (n == 3 && p[1] == '.' && has_g2(c) && (set == LATIN1_SET || set == GREEK_SET)) {
        state->g2 = (unsigned char)set;
        return 1;
    }
    if (four || (n == 3 && p[1] == '$'))
        set |= DOUBLE;
    else if (n != 3 || (p[1] != '(' && p[1] != ')'))
        return 0;
    if (set != ASCII_SET && !has_set(c, set))
        return 0;
    if (p[n - 2] == ')') {
        state->started = 1;     /* G1, which only the Korean encoding can shift to */
        return 1;
    }
    state->g0 = set == ASCII_SET ? 0 : (unsigned char)set;
    return 1;
}

static int decode_escape(const charset_t *c, multibyte_state_t *state, const unsigned char *p, Py_ssize_t n, Py_UCS4 chars[2])
{
    static const unsigned char jis_1990[] = {ESC, '&', '@', ESC, '$', 'B'};
    if (n < 2)
        return TOO_SHORT;
    if (p[1] == 'N' && has_g2(c)) {
        if (n < 3)
            return TOO_SHORT;
        chars[0] = state->g2 == LATIN1_SET ? p[2] | 0x80u
                   : state->g2 == GREEK_SET ? basis(GREEK_SET)->single[p[2] | 0x80] - 1 : p[2];
        return chars[0] == NO_CHARACTER ? -3 : 3;
    }
    if (strchr("()$.&", p[1]) == NULL || p[1] == 0) {
        chars[0] = ESC;
        return 1;
    }
    int length = 1;
    do {
        if (length >= n)
            return n >= LONGEST_ESCAPE ? ILLEGAL : TOO_SHORT;
        if (length >= LONGEST_ESCAPE)
            return ILLEGAL;
        length++;
    } while (!(p[length - 1] == '@' || (p[length - 1] >= 'A' && p[length - 1] <= 'Z')));
    chars[0] = NO_CHARACTER;
    if (length == 3 && p[1] == '&' && has_set(c, JIS_SET)) {
        if (n < 6)
            return TOO_SHORT;
        if (memcmp(p, jis_1990, 6) != 0)
            return -3;
        state->g0 = JIS_SET;
        return 6;
    }
    return select_set(c, state, p, length) ? length : -length;
}

static int decode_iso2022(const charset_t *c, multibyte_state_t *state, const unsigned char *p, Py_ssize_t n, Py_UCS4 chars[2])
{
    if (p[0] == ESC)
        return decode_escape(c, state, p, n, chars);
    if (p[0] >= 0x80)
        return ILLEGAL;
    if (is_korean(c) && (p[0] == SHIFT_OUT || p[0] == SHIFT_IN)) {
        state->shifted = p[0] == SHIFT_OUT;
        chars[0] = NO_CHARACTER;
        return 1;
    }
    if (p[0] == '\n')
        state->shifted = 0;
    int set = state->shifted ? (state->started ? KS_SET : 0) : state->g0, width = set & DOUBLE ? 2 : 1;
    if (set == 0 || p[0] < 0x20) {
        chars[0] = p[0];
        return 1;
    }
    if (n < width)
        return TOO_SHORT;
    chars[0] = from_set(set, p);
    return chars[0] == 0 ? -width : width;
}

/* ---- ISO 2022: encoding ---- */

/* The escape sequence for a set. */
static int put_escape(int set, unsigned char *out)
{
    int n = 0;
    out[n++] = ESC;
    if (set & DOUBLE)
        out[n++] = '$';
    if (!(set & DOUBLE) || (set != JIS_SET && set != OLD_JIS_SET && set != GB_SET))
        out[n++] = '(';
    out[n++] = set & 0x7f;
    return n;
}

static int encode_korean(multibyte_state_t *state, Py_UCS4 cp, unsigned char *out)
{
    static const unsigned char designation[] = {ESC, '$', ')', 'C'};
    unsigned char pair[2];
    int n = 0, double_ = cp >= 0x80;
    if (double_ && to_set(KS_SET, cp, pair) == 0)
        return ILLEGAL;
    if (double_ && !state->started) {
        memcpy(out, designation, 4);
        n = 4;
        state->started = 1;
    }
    if (state->shifted != double_) {
        out[n++] = double_ ? SHIFT_OUT : SHIFT_IN;
        state->shifted = (unsigned char)double_;
    }
    out[n++] = double_ ? pair[0] : (unsigned char)cp;
    if (double_)
        out[n++] = pair[1];
    return n;
}

static int encode_iso2022(const charset_t *c, multibyte_state_t *state, Py_UCS4 cp, unsigned char *out)
{
    unsigned char bytes[2];
    int n = 0;
    if (cp < 0x80) {
        if (state->g0 != 0)
            n = put_escape(ASCII_SET, out);
        state->g0 = 0;
        out[n++] = (unsigned char)cp;
        return n;
    }
    for (const unsigned char *set = sets_of(c); set < sets_of(c) + 8 && *set != 0; set++) {
        int width = to_set(*set, cp, bytes);
        if (width == 0)
            continue;
        if (state->g0 != *set)
            n = put_escape(*set, out);
        state->g0 = *set;
        memcpy(out + n, bytes, (size_t)width);
        return n + width;
    }
    return ILLEGAL;
}

/* ---- For convert.c ---- */

int stateful_decode(const charset_t *c, multibyte_state_t *state, const unsigned char *data, Py_ssize_t n, Py_UCS4 chars[2])
{
    chars[1] = 0;
    return strcmp(c->name, "hz") == 0 ? decode_hz(state, data, n, chars) : decode_iso2022(c, state, data, n, chars);
}

int stateful_encode(const charset_t *c, multibyte_state_t *state, Py_UCS4 cp, unsigned char *out)
{
    return strcmp(c->name, "hz") == 0 ? encode_hz(state, cp, out)
           : is_korean(c)             ? encode_korean(state, cp, out)
                                      : encode_iso2022(c, state, cp, out);
}

/* As CPython has it in getstate(): for ISO 2022 the sets of G0, G1 and G2, ASCII being 'B', and the shift. */
void stateful_export(const charset_t *c, const multibyte_state_t *state, unsigned char bytes[8])
{
    memcpy(bytes, &state->raw, 8);
    if (c->flags != CHARSET_STATEFUL)
        return;
    if (sets_of(c)[0] == GB_SET) {
        bytes[0] = state->shifted;
        return;
    }
    bytes[0] = state->g0 == 0 ? ASCII_SET : state->g0;
    bytes[1] = state->started ? KS_SET : ASCII_SET;
    bytes[2] = state->g2;
    bytes[4] = state->shifted;
}

void stateful_import(const charset_t *c, multibyte_state_t *state, const unsigned char bytes[8])
{
    memset(state, 0, sizeof(*state));
    if (c->flags != CHARSET_STATEFUL) {
        memcpy(&state->raw, bytes, 8);
        return;
    }
    if (sets_of(c)[0] == GB_SET) {
        state->shifted = bytes[0] != 0;
        return;
    }
    state->g0 = has_set(c, bytes[0]) ? bytes[0] : 0;
    state->started = bytes[1] == KS_SET;
    state->g2 = bytes[2];
    state->shifted = is_korean(c) && bytes[4] != 0;
}

int stateful_reset(const charset_t *c, multibyte_state_t *state, unsigned char *out)
{
    int n = 0;
    if (state->shifted && strcmp(c->name, "hz") == 0) {
        out[n++] = '~';
        out[n++] = '}';
    }
    else if (state->shifted)
        out[n++] = SHIFT_IN;
    if (state->g0 != 0)
        n += put_escape(ASCII_SET, out + n);
    state->shifted = state->g0 = 0;
    return n;
}
