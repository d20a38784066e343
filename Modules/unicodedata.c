/* The unicodedata module: properties and names of characters, and normalisation.
 *
 * The tables come from Tools/generate_unicode_tables.py.  The methods work on the current version (self is the module) and
 * on version 3.2.0 (self is the object ucd_3_2_0, which IDNA needs): the latter has its own property table and shares the
 * rest.  Named sequences are not known. */
#include <Python.h>
#include "unicode.h"
#include "unicode_writer.h"

struct ucd_record {
    uint8_t category, bidirectional, width, combining, mirrored;
    uint8_t quick;              /* bit 0..3: changed by NFC, NFD, NFKC, NFKD on its own; 16: may join a character before */
    uint16_t decomposition;     /* 0: none */
};

#include "unicodedata_tables.h"

static PyTypeObject ucd_type;

static int is_old(PyObject *self)
{
    return self != NULL && Py_TYPE(self) == &ucd_type;
}

static const struct ucd_record *record_of(int old, Py_UCS4 ch)
{
    if (old) {
        unsigned block = ucd32_index1[ch >> ucd32_SHIFT];
        return &ucd32_records[ucd32_index2[(block << ucd32_SHIFT) + (ch & ((1u << ucd32_SHIFT) - 1))]];
    }
    unsigned block = ucd_index1[ch >> ucd_SHIFT];
    return &ucd_records[ucd_index2[(block << ucd_SHIFT) + (ch & ((1u << ucd_SHIFT) - 1))]];
}

/* ---- Arguments ---- */

/* The character that arg is. which: "argument" or "argument 1". */
static int character_of(const char *function, const char *which, PyObject *arg, Py_UCS4 *ch)
{
    if (!PyUnicode_Check(arg) || PyUnicode_GET_LENGTH(arg) != 1) {
        _PyArg_BadArgument(function, which, "a unicode character", arg);
        return -1;
    }
    *ch = PyUnicode_READ_CHAR(arg, 0);
    return 0;
}

/* ---- Properties ---- */

static PyObject *category(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (character_of("category", "argument", arg, &ch) < 0)
        return NULL;
    return PyUnicode_FromString(ucd_categories[record_of(is_old(self), ch)->category]);
}

static PyObject *bidirectional(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (character_of("bidirectional", "argument", arg, &ch) < 0)
        return NULL;
    return PyUnicode_FromString(ucd_bidirectional[record_of(is_old(self), ch)->bidirectional]);
}

static PyObject *east_asian_width(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (character_of("east_asian_width", "argument", arg, &ch) < 0)
        return NULL;
    return PyUnicode_FromString(ucd_widths[record_of(is_old(self), ch)->width]);
}

static PyObject *combining(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (character_of("combining", "argument", arg, &ch) < 0)
        return NULL;
    return PyLong_FromLong(record_of(is_old(self), ch)->combining);
}

static PyObject *mirrored(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (character_of("mirrored", "argument", arg, &ch) < 0)
        return NULL;
    return PyLong_FromLong(record_of(is_old(self), ch)->mirrored);
}

/* The parts that ch is decomposed into in one step; *tag: 0 canonical. Returns their number. */
static int decomposition_of(int old, Py_UCS4 ch, const uint32_t **parts, int *tag)
{
    unsigned number = record_of(old, ch)->decomposition;
    if (number == 0)
        return 0;
    const uint32_t *data = &ucd_decomposition_data[ucd_decomposition_offsets[number]];
    *tag = (int)(data[0] >> 8);
    *parts = data + 1;
    return (int)(data[0] & 255);
}

static PyObject *decomposition(PyObject *self, PyObject *arg)
{
    Py_UCS4 ch;
    if (character_of("decomposition", "argument", arg, &ch) < 0)
        return NULL;
    const uint32_t *parts = NULL;
    int tag = 0, n = decomposition_of(is_old(self), ch, &parts, &tag);
    unicode_writer_t w;
    unicode_writer_init(&w);
    int rc = n == 0 ? 0 : unicode_writer_write_ascii(&w, ucd_decomposition_tags[tag], -1);
    for (int i = 0; i < n && rc == 0; i++) {
        char text[16];
        snprintf(text, sizeof(text), "%s%04X", w.pos > 0 ? " " : "", parts[i]);
        rc = unicode_writer_write_ascii(&w, text, -1);
    }
    if (rc < 0) {
        unicode_writer_dealloc(&w);
        return NULL;
    }
    return unicode_writer_finish(&w);
}

/* ---- Numbers: (character[, default]) ---- */

static int number_arguments(const char *name, PyObject *const *args, Py_ssize_t nargs, Py_UCS4 *ch)
{
    return !_PyArg_CheckPositional(name, nargs, 1, 2) || character_of(name, "argument 1", args[0], ch) < 0 ? -1 : 0;
}

/* Values of ch in version 3.2.0 where they are not those of now; -1: none. */
static void old_values(Py_UCS4 ch, int *decimal, double *numeric)
{
    if (record_of(1, ch)->category == UCD_UNASSIGNED) {
        *decimal = -1;
        *numeric = -1.0;
        return;
    }
    for (size_t i = 0; i < Py_ARRAY_LENGTH(ucd32_values); i++) {
        if (ucd32_values[i].ch == ch) {
            *decimal = ucd32_values[i].decimal;
            *numeric = ucd32_values[i].numeric;
        }
    }
}

static PyObject *no_value(PyObject *const *args, Py_ssize_t nargs, const char *message)
{
    if (nargs > 1)
        return Py_NewRef(args[1]);
    PyErr_SetString(PyExc_ValueError, message);
    return NULL;
}

static PyObject *decimal(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    if (number_arguments("decimal", args, nargs, &ch) < 0)
        return NULL;
    int value = Py_UNICODE_TODECIMAL(ch);
    double numeric_value;
    if (is_old(self))
        old_values(ch, &value, &numeric_value);
    return value < 0 ? no_value(args, nargs, "not a decimal") : PyLong_FromLong(value);
}

static PyObject *digit(PyObject *Py_UNUSED(self), PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    if (number_arguments("digit", args, nargs, &ch) < 0)
        return NULL;
    int value = Py_UNICODE_TODIGIT(ch);
    return value < 0 ? no_value(args, nargs, "not a digit") : PyLong_FromLong(value);
}

static PyObject *numeric(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    if (number_arguments("numeric", args, nargs, &ch) < 0)
        return NULL;
    int is_numeric = Py_UNICODE_ISNUMERIC(ch), decimal_value;
    double value = Py_UNICODE_TONUMERIC(ch);
    if (is_old(self)) {
        old_values(ch, &decimal_value, &value);
        is_numeric = is_numeric && value != -1.0;
    }
    return is_numeric ? PyFloat_FromDouble(value) : no_value(args, nargs, "not a numeric character");
}

/* ---- Names ---- */

enum { NAME_MAX_LENGTH = 256 };
enum { S_BASE = 0xAC00, L_BASE = 0x1100, V_BASE = 0x1161, T_BASE = 0x11A7,
       L_COUNT = 19, V_COUNT = 21, T_COUNT = 28, S_COUNT = L_COUNT * V_COUNT * T_COUNT };

static const char *const jamo_lead[] = {"G", "GG", "N", "D", "DD", "R", "M", "B", "BB", "S", "SS", "", "J", "JJ", "C",
                                        "K", "T", "P", "H"};
static const char *const jamo_vowel[] = {"A", "AE", "YA", "YAE", "EO", "E", "YEO", "YE", "O", "WA", "WAE", "OE", "YO",
                                         "U", "WEO", "WE", "WI", "YU", "EU", "YI", "I"};
static const char *const jamo_tail[] = {"", "G", "GG", "GS", "N", "NJ", "NH", "D", "L", "LG", "LM", "LB", "LS", "LT",
                                        "LP", "LH", "M", "B", "BS", "S", "SS", "NG", "J", "C", "K", "T", "P", "H"};

static int is_unified_ideograph(Py_UCS4 ch)
{
    return (ch >= 0x3400 && ch <= 0x4DBF) || (ch >= 0x4E00 && ch <= 0x9FFF) || (ch >= 0x20000 && ch <= 0x2A6DF)
           || (ch >= 0x2A700 && ch <= 0x2B738) || (ch >= 0x2B740 && ch <= 0x2B81D) || (ch >= 0x2B820 && ch <= 0x2CEA1)
           || (ch >= 0x2CEB0 && ch <= 0x2EBE0) || (ch >= 0x30000 && ch <= 0x3134A);
}

/* The next word of a name's data. */
static unsigned next_word(const uint8_t **p)
{
    unsigned word = *(*p)++;
    return word < 192 ? word : 192 + (word - 192) * 256 + *(*p)++;
}

/* The name of ch into buffer, with a zero; its length, or 0 if it has none or does not fit. */
static int write_name(Py_UCS4 ch, char *buffer, int size)
{
    if (ch >= S_BASE && ch < S_BASE + S_COUNT) {
        unsigned i = ch - S_BASE;
        return snprintf(buffer, (size_t)size, "HANGUL SYLLABLE %s%s%s", jamo_lead[i / (V_COUNT * T_COUNT)],
                        jamo_vowel[i % (V_COUNT * T_COUNT) / T_COUNT], jamo_tail[i % T_COUNT]);
    }
    if (is_unified_ideograph(ch))
        return snprintf(buffer, (size_t)size, "CJK UNIFIED IDEOGRAPH-%X", ch);
    if (ch > 0x10ffff)
        return 0;
    unsigned block = ucd_name_index1[ch >> ucd_name_SHIFT];
    uint32_t offset = ucd_name_index2[(block << ucd_name_SHIFT) + (ch & ((1u << ucd_name_SHIFT) - 1))];
    if (offset == 0)
        return 0;
    const uint8_t *p = ucd_name_data + offset - 1;
    int words = *p++, n = 0;
    for (int i = 0; i < words; i++) {
        unsigned word = next_word(&p);
        int length = (int)(ucd_word_offsets[word + 1] - ucd_word_offsets[word]);
        if (n + length + 2 > size)
            return 0;
        if (i > 0)
            buffer[n++] = ' ';
        memcpy(buffer + n, ucd_word_text + ucd_word_offsets[word], (size_t)length);
        n += length;
    }
    buffer[n] = '\0';
    return n;
}

static int get_name(Py_UCS4 ch, char *buffer, int size)
{
    return write_name(ch, buffer, size) > 0;
}

/* The longest of names that text starts with; -1: none. */
static int longest_prefix(const char *const *names, int count, const char *text, int length, int *used)
{
    int best = -1;
    *used = 0;
    for (int i = 0; i < count; i++) {
        int n = (int)strlen(names[i]);
        if (n <= length && (best < 0 || n > *used) && memcmp(names[i], text, (size_t)n) == 0) {
            best = i;
            *used = n;
        }
    }
    return best;
}

static int hangul_code(const char *text, int length, Py_UCS4 *ch)
{
    int used, l = longest_prefix(jamo_lead, L_COUNT, text, length, &used);
    text += used;
    length -= used;
    int v = longest_prefix(jamo_vowel, V_COUNT, text, length, &used);
    text += used;
    length -= used;
    int t = longest_prefix(jamo_tail, T_COUNT, text, length, &used);
    if (l < 0 || v < 0 || t < 0 || used != length)
        return 0;
    *ch = (Py_UCS4)(S_BASE + (l * V_COUNT + v) * T_COUNT + t);
    return 1;
}

static int ideograph_code(const char *text, int length, Py_UCS4 *ch)
{
    Py_UCS4 value = 0;
    if (length != 4 && length != 5)
        return 0;
    for (int i = 0; i < length; i++) {
        char c = text[i];
        if (!((c >= '0' && c <= '9') || (c >= 'A' && c <= 'F')))
            return 0;
        value = value << 4 | (Py_UCS4)(c <= '9' ? c - '0' : c - 'A' + 10);
    }
    *ch = value;
    return is_unified_ideograph(value);
}

static const char *alias_of(Py_UCS4 ch, const char *upper)
{
    for (size_t i = 0; i < Py_ARRAY_LENGTH(ucd_aliases); i++)
        if (ucd_aliases[i].ch == ch && strcmp(ucd_aliases[i].name, upper) == 0)
            return ucd_aliases[i].name;
    return NULL;
}

static int get_code(const char *name, int length, Py_UCS4 *ch)
{
    static const char hangul[] = "HANGUL SYLLABLE ", ideograph[] = "CJK UNIFIED IDEOGRAPH-";
    char upper[NAME_MAX_LENGTH + 1], found[NAME_MAX_LENGTH + 1];
    if (length > NAME_MAX_LENGTH)
        return 0;
    if (length > 16 && memcmp(name, hangul, 16) == 0)
        return hangul_code(name + 16, length - 16, ch);
    if (length > 22 && memcmp(name, ideograph, 22) == 0)
        return ideograph_code(name + 22, length - 22, ch);
    uint32_t hash = 2166136261u;
    for (int i = 0; i < length; i++) {
        char c = name[i];
        upper[i] = c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
        hash = (hash ^ (unsigned char)upper[i]) * 16777619u;
    }
    upper[length] = '\0';
    for (uint32_t i = hash & (UCD_NAME_TABLE_SIZE - 1); ucd_name_table[i] != 0; i = (i + 1) & (UCD_NAME_TABLE_SIZE - 1)) {
        *ch = ucd_name_table[i] - 1;
        if ((write_name(*ch, found, sizeof(found)) == length && memcmp(found, upper, (size_t)length) == 0)
            || alias_of(*ch, upper) != NULL)
            return 1;
    }
    return 0;
}

static PyObject *name(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    Py_UCS4 ch;
    char buffer[NAME_MAX_LENGTH + 1];
    if (!_PyArg_CheckPositional("name", nargs, 1, 2) || character_of("name", "argument 1", args[0], &ch) < 0)
        return NULL;
    if ((is_old(self) && record_of(1, ch)->category == UCD_UNASSIGNED) || !get_name(ch, buffer, sizeof(buffer)))
        return no_value(args, nargs, "no such name");
    return PyUnicode_FromString(buffer);
}

/* Version 3.2.0 had no aliases, and not all of the characters. */
static int is_old_name(Py_UCS4 ch, const char *text, Py_ssize_t length)
{
    char name[NAME_MAX_LENGTH + 1];
    return record_of(1, ch)->category != UCD_UNASSIGNED && get_name(ch, name, sizeof(name))
           && strlen(name) == (size_t)length && strncasecmp(name, text, (size_t)length) == 0;
}

/* The characters that a named sequence stands for, or NULL without an exception if text is no name of one. */
static PyObject *find_sequence(const char *text, int length)
{
    char upper[NAME_MAX_LENGTH + 1];
    for (int i = 0; i < length; i++)
        upper[i] = text[i] >= 'a' && text[i] <= 'z' ? (char)(text[i] - 32) : text[i];
    upper[length] = '\0';
    size_t low = 0, high = Py_ARRAY_LENGTH(ucd_named_sequences);
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = strcmp(upper, ucd_named_sequences[middle].name);
        if (order == 0)
            return PyUnicode_FromKindAndData(PyUnicode_2BYTE_KIND, ucd_named_sequences[middle].text,
                                             ucd_named_sequences[middle].length);
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    return NULL;
}

static PyObject *lookup(PyObject *self, PyObject *arg)
{
    const char *text;
    Py_ssize_t length;
    Py_UCS4 ch;
    if (!PyArg_Parse(arg, "s#:lookup", &text, &length))
        return NULL;
    if (length > NAME_MAX_LENGTH) {
        PyErr_SetString(PyExc_KeyError, "name too long");
        return NULL;
    }
    if (!get_code(text, (int)length, &ch) || (is_old(self) && !is_old_name(ch, text, length))) {
        PyObject *sequence = is_old(self) ? NULL : find_sequence(text, (int)length);
        if (sequence == NULL && !PyErr_Occurred())
            PyErr_Format(PyExc_KeyError, "undefined character name '%.*s'", (int)length, text);
        return sequence;
    }
    return PyUnicode_FromOrdinal((int)ch);
}

/* ---- Normalisation ---- */

/* Code points under way. */
typedef struct {
    Py_UCS4 *data;
    Py_ssize_t n, size;
} sequence_t;

static int put(sequence_t *s, Py_UCS4 ch)
{
    if (s->n == s->size) {
        Py_ssize_t size = s->size + s->size / 2 + 64;
        Py_UCS4 *data = PyMem_Realloc(s->data, (size_t)size * sizeof(*data));
        if (data == NULL) {
            PyErr_NoMemory();
            return -1;
        }
        s->data = data;
        s->size = size;
    }
    s->data[s->n++] = ch;
    return 0;
}

static int decompose_char(sequence_t *s, int old, int compat, Py_UCS4 ch)
{
    if (ch >= S_BASE && ch < S_BASE + S_COUNT) {
        unsigned i = ch - S_BASE, t = i % T_COUNT;
        if (put(s, L_BASE + i / (V_COUNT * T_COUNT)) < 0 || put(s, V_BASE + i % (V_COUNT * T_COUNT) / T_COUNT) < 0)
            return -1;
        return t == 0 ? 0 : put(s, T_BASE + t);
    }
    for (size_t i = 0; old && i < Py_ARRAY_LENGTH(ucd32_corrections); i++)
        if (ucd32_corrections[i].ch == ch)
            return put(s, ucd32_corrections[i].normal);
    const uint32_t *parts = NULL;
    int tag = 0, n = decomposition_of(old, ch, &parts, &tag);
    if (n == 0 || (tag != 0 && !compat))
        return put(s, ch);
    for (int i = 0; i < n; i++)
        if (decompose_char(s, old, compat, parts[i]) < 0)
            return -1;
    return 0;
}

/* Stable sort of each run of combining characters by class. (Classes and compositions are those of now for 3.2.0 too.) */
static void reorder(sequence_t *s)
{
    for (Py_ssize_t i = 1; i < s->n; i++) {
        Py_UCS4 ch = s->data[i];
        unsigned cls = record_of(0, ch)->combining;
        Py_ssize_t j = i;
        if (cls == 0)
            continue;
        while (j > 0 && record_of(0, s->data[j - 1])->combining > cls) {
            s->data[j] = s->data[j - 1];
            j--;
        }
        s->data[j] = ch;
    }
}

/* What first and second make together, or 0. */
static Py_UCS4 compose_pair(Py_UCS4 first, Py_UCS4 second)
{
    if (first - L_BASE < L_COUNT && second - V_BASE < V_COUNT)
        return S_BASE + ((first - L_BASE) * V_COUNT + (second - V_BASE)) * T_COUNT;
    if (first - S_BASE < S_COUNT && (first - S_BASE) % T_COUNT == 0 && second - T_BASE - 1 < T_COUNT - 1)
        return first + (second - T_BASE);
    size_t low = 0, high = Py_ARRAY_LENGTH(ucd_compositions);
    while (low < high) {
        size_t middle = (low + high) / 2;
        uint32_t a = ucd_compositions[middle].first, b = ucd_compositions[middle].second;
        if (a == first && b == second)
            return ucd_compositions[middle].composed;
        if (a < first || (a == first && b < second))
            low = middle + 1;
        else
            high = middle;
    }
    return 0;
}

static void compose(sequence_t *s)
{
    Py_ssize_t out = 0, starter = -1;
    int last_class = 0;         /* of the character before, since the starter; 0: nothing between */
    for (Py_ssize_t i = 0; i < s->n; i++) {
        Py_UCS4 ch = s->data[i];
        int cls = record_of(0, ch)->combining, blocked = starter < 0 || (out - 1 > starter && last_class >= cls);
        Py_UCS4 composed = blocked ? 0 : compose_pair(s->data[starter], ch);
        if (composed != 0) {
            s->data[starter] = composed;
            continue;
        }
        if (cls == 0)
            starter = out;
        last_class = cls;
        s->data[out++] = ch;
    }
    s->n = out;
}

enum { FORM_NFC, FORM_NFD, FORM_NFKC, FORM_NFKD };

static int form_of(PyObject *form)
{
    static const char *const names[] = {"NFC", "NFD", "NFKC", "NFKD"};
    for (int i = 0; i < 4; i++)
        if (PyUnicode_CompareWithASCIIString(form, names[i]) == 0)
            return i;
    PyErr_SetString(PyExc_ValueError, "invalid normalization form");
    return -1;
}

enum { QUICK_NO, QUICK_MAYBE, QUICK_YES };

static int quick_check(int old, PyObject *str, int form)
{
    if (PyUnicode_IS_ASCII(str))
        return QUICK_YES;
    if (old)
        return QUICK_MAYBE;
    int kind = PyUnicode_KIND(str), answer = QUICK_YES;
    const void *data = PyUnicode_DATA(str);
    unsigned previous = 0;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(str); i++) {
        const struct ucd_record *r = record_of(0, PyUnicode_READ(kind, data, i));
        if ((r->combining != 0 && previous > r->combining) || (r->quick & (1 << form)))
            return QUICK_NO;
        if ((r->quick & 16) && (form == FORM_NFC || form == FORM_NFKC))
            answer = QUICK_MAYBE;
        previous = r->combining;
    }
    return answer;
}

static PyObject *normalized(int old, PyObject *str, int form)
{
    if (PyUnicode_GET_LENGTH(str) == 0 || quick_check(old, str, form) == QUICK_YES)
        return PyUnicode_FromObject(str);
    sequence_t s = {0};
    PyObject *result = NULL;
    for (Py_ssize_t i = 0; i < PyUnicode_GET_LENGTH(str); i++)
        if (decompose_char(&s, old, form >= FORM_NFKC, PyUnicode_READ_CHAR(str, i)) < 0)
            goto done;
    reorder(&s);
    if (form == FORM_NFC || form == FORM_NFKC)
        compose(&s);
    result = PyUnicode_FromKindAndData(PyUnicode_4BYTE_KIND, s.data, s.n);
done:
    PyMem_Free(s.data);
    return result;
}

static int normalize_arguments(const char *name, PyObject *const *args, Py_ssize_t nargs)
{
    if (!_PyArg_CheckPositional(name, nargs, 2, 2))
        return -1;
    for (int i = 0; i < 2; i++) {
        if (!PyUnicode_Check(args[i])) {
            _PyArg_BadArgument(name, i == 0 ? "argument 1" : "argument 2", "str", args[i]);
            return -1;
        }
    }
    return 0;
}

static PyObject *normalize(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (normalize_arguments("normalize", args, nargs) < 0)
        return NULL;
    int form = form_of(args[0]);
    return form < 0 ? NULL : normalized(is_old(self), args[1], form);
}

static PyObject *is_normalized(PyObject *self, PyObject *const *args, Py_ssize_t nargs)
{
    if (normalize_arguments("is_normalized", args, nargs) < 0)
        return NULL;
    int form = form_of(args[0]);
    if (form < 0)
        return NULL;
    int answer = quick_check(is_old(self), args[1], form);
    if (answer != QUICK_MAYBE)
        return PyBool_FromLong(answer == QUICK_YES);
    PyObject *other = normalized(is_old(self), args[1], form);
    if (other == NULL)
        return NULL;
    answer = unicode_equal(other, args[1]);
    Py_DECREF(other);
    return PyBool_FromLong(answer);
}

/* ---- The module ---- */

#define FAST(function, doc) {#function, _PyCFunction_CAST(function), METH_FASTCALL, #function doc}
#define ONE(function, doc) {#function, function, METH_O, #function doc}
static PyMethodDef functions[] = {
    FAST(decimal, "($self, chr, default=<unrepresentable>, /)\n--\n\nThe decimal value of a character, or the default."),
    FAST(digit, "($self, chr, default=<unrepresentable>, /)\n--\n\nThe digit value of a character, or the default."),
    FAST(numeric, "($self, chr, default=<unrepresentable>, /)\n--\n\nThe numeric value as a float, or the default."),
    ONE(category, "($self, chr, /)\n--\n\nThe general category of a character."),
    ONE(bidirectional, "($self, chr, /)\n--\n\nThe bidirectional class of a character."),
    ONE(combining, "($self, chr, /)\n--\n\nThe canonical combining class of a character."),
    ONE(mirrored, "($self, chr, /)\n--\n\n1 if the character is mirrored in right-to-left text."),
    ONE(east_asian_width, "($self, chr, /)\n--\n\nThe East Asian width of a character."),
    ONE(decomposition, "($self, chr, /)\n--\n\nThe decomposition mapping of a character, or ''."),
    FAST(name, "($self, chr, default=<unrepresentable>, /)\n--\n\nThe name of a character, or the default."),
    ONE(lookup, "($self, name, /)\n--\n\nThe character of that name."),
    FAST(normalize, "($self, form, unistr, /)\n--\n\nThe string in the normal form NFC, NFD, NFKC or NFKD."),
    FAST(is_normalized, "($self, form, unistr, /)\n--\n\nIs the string in that normal form?"),
    {NULL, NULL, 0, NULL},
};

static PyObject *get_version(PyObject *Py_UNUSED(self), void *Py_UNUSED(closure))
{
    return PyUnicode_FromString("3.2.0");
}

static PyGetSetDef ucd_getset[] = {
    {"unidata_version", get_version, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyTypeObject ucd_type = {
    PyVarObject_HEAD_INIT(&PyType_Type, 0)
    .tp_name = "unicodedata.UCD",
    .tp_basicsize = sizeof(PyObject),
    .tp_getattro = PyObject_GenericGetAttr,
    .tp_flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION,
    .tp_methods = functions,
    .tp_getset = ucd_getset,
};

static int module_exec(PyObject *module)
{
    if (PyType_Ready(&ucd_type) < 0 || PyModule_AddStringConstant(module, "unidata_version", UNIDATA_VERSION) < 0
        || PyModule_AddObjectRef(module, "UCD", (PyObject *)&ucd_type) < 0)
        return -1;
    PyObject *old = (PyObject *)PyObject_New(PyObject, &ucd_type);
    if (old == NULL)
        return -1;
    int rc = PyModule_AddObjectRef(module, "ucd_3_2_0", old);
    Py_DECREF(old);
    unicode_name_hooks.get_name = get_name;
    unicode_name_hooks.get_code = get_code;
    return rc;
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, module_exec},
#ifdef Py_mod_gil
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT,
    .m_name = "unicodedata",
    .m_doc = "Properties of characters, after the Unicode character database.",
    .m_methods = functions,
    .m_slots = slots,
};

PyMODINIT_FUNC PyInit_unicodedata(void)
{
    return PyModuleDef_Init(&definition);
}
