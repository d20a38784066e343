/* ASCII character classes that do not depend on the locale. */
#ifndef Py_PYCTYPE_H
#define Py_PYCTYPE_H

enum {
    PY_CTF_LOWER = 0x01,
    PY_CTF_UPPER = 0x02,
    PY_CTF_ALPHA = 0x01 | 0x02,
    PY_CTF_DIGIT = 0x04,
    PY_CTF_ALNUM = 0x01 | 0x02 | 0x04,
    PY_CTF_SPACE = 0x08,
    PY_CTF_XDIGIT = 0x10,
};

PyAPI_DATA(const unsigned int) _Py_ctype_table[256];
PyAPI_DATA(const unsigned char) _Py_ctype_tolower[256];
PyAPI_DATA(const unsigned char) _Py_ctype_toupper[256];

#define Py_ISLOWER(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_LOWER)
#define Py_ISUPPER(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_UPPER)
#define Py_ISALPHA(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_ALPHA)
#define Py_ISDIGIT(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_DIGIT)
#define Py_ISXDIGIT(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_XDIGIT)
#define Py_ISALNUM(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_ALNUM)
#define Py_ISSPACE(c) (_Py_ctype_table[Py_CHARMASK(c)] & PY_CTF_SPACE)
#define Py_TOLOWER(c) (_Py_ctype_tolower[Py_CHARMASK(c)])
#define Py_TOUPPER(c) (_Py_ctype_toupper[Py_CHARMASK(c)])

/* Numbers in C strings (Python/runtime/mystrtoul.c), and comparison without regard to ASCII case. */
PyAPI_FUNC(unsigned long) PyOS_strtoul(const char *text, char **end, int base);
PyAPI_FUNC(long) PyOS_strtol(const char *text, char **end, int base);
PyAPI_FUNC(int) PyOS_mystrnicmp(const char *a, const char *b, Py_ssize_t n);
PyAPI_FUNC(int) PyOS_mystricmp(const char *a, const char *b);
#define PyOS_strnicmp PyOS_mystrnicmp
#define PyOS_stricmp PyOS_mystricmp
PyAPI_FUNC(int) PyOS_snprintf(char *out, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
PyAPI_FUNC(int) PyOS_vsnprintf(char *out, size_t size, const char *format, va_list va);

#endif /* Py_PYCTYPE_H */
