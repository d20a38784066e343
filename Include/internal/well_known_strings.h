/* Strings known at build time: static, interned, immortal. STR(__init__) is a PyObject * (borrowed).
 * Rows: Objects/well_known_strings.def.  One-character strings are unicode_latin1('x'), the empty one unicode_empty(). */
#ifndef BRAID_WELL_KNOWN_STRINGS_H
#define BRAID_WELL_KNOWN_STRINGS_H

extern struct well_known_strings {
#define S(name) struct { PyASCIIObject head; char data[sizeof(#name)]; } name_##name;
#define T(name, text) struct { PyASCIIObject head; char data[sizeof(text)]; } name_##name;
#include "../../Objects/well_known_strings.def"
#undef S
#undef T
} well_known_strings;

#define STR(name) ((PyObject *)&well_known_strings.name_##name)

#endif /* BRAID_WELL_KNOWN_STRINGS_H */
