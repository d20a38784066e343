/* Doc strings of the methods that bytes and bytearray share. */
#include "bytes.h"

#define DOC(name, text) const char bytes_doc_##name[] = text;

DOC(capitalize, "B.capitalize() -> copy of B\n\nThe first byte in upper case and the others in lower case, as ASCII.")
DOC(lower, "B.lower() -> copy of B\n\nAll ASCII letters in lower case.")
DOC(upper, "B.upper() -> copy of B\n\nAll ASCII letters in upper case.")
DOC(swapcase, "B.swapcase() -> copy of B\n\nASCII lower case becomes upper case and the other way round.")
DOC(title, "B.title() -> copy of B\n\nWords start in upper case and go on in lower case.")
DOC(isalnum, "B.isalnum() -> bool\n\nTrue if B is not empty and all bytes are ASCII letters or digits.")
DOC(isalpha, "B.isalpha() -> bool\n\nTrue if B is not empty and all bytes are ASCII letters.")
DOC(isascii, "B.isascii() -> bool\n\nTrue if all bytes are in the range 0-0x7F; also if B is empty.")
DOC(isdigit, "B.isdigit() -> bool\n\nTrue if B is not empty and all bytes are ASCII digits.")
DOC(islower, "B.islower() -> bool\n\nTrue if B has letters and all of them are in lower case.")
DOC(isspace, "B.isspace() -> bool\n\nTrue if B is not empty and all bytes are ASCII white space.")
DOC(istitle, "B.istitle() -> bool\n\nTrue if B has letters and upper case starts the words and only there.")
DOC(isupper, "B.isupper() -> bool\n\nTrue if B has letters and all of them are in upper case.")
DOC(join, "join($self, iterable_of_bytes, /)\n--\n\nConcatenate the items with this object between them.")
DOC(partition, "partition($self, sep, /)\n--\n\nSplit at the first occurrence of sep: (before, sep, after).\n\n"
               "Without one the result is (whole, empty, empty).")
DOC(rpartition, "rpartition($self, sep, /)\n--\n\nSplit at the last occurrence of sep: (before, sep, after).\n\n"
                "Without one the result is (empty, empty, whole).")
DOC(removeprefix, "removeprefix($self, prefix, /)\n--\n\nA copy without the prefix, if it is there.")
DOC(removesuffix, "removesuffix($self, suffix, /)\n--\n\nA copy without the suffix, if it is there.")
DOC(zfill, "zfill($self, width, /)\n--\n\nPad a number with zeros on the left, behind its sign.")
DOC(center, "center($self, width, fillbyte=b' ', /)\n--\n\nPad on both sides up to width.")
DOC(ljust, "ljust($self, width, fillbyte=b' ', /)\n--\n\nPad on the right up to width.")
DOC(rjust, "rjust($self, width, fillbyte=b' ', /)\n--\n\nPad on the left up to width.")
DOC(count, "B.count(sub[, start[, end]]) -> int\n\nNumber of occurrences of sub in B[start:end] that do not overlap.")
DOC(find, "B.find(sub[, start[, end]]) -> int\n\nLowest index in B[start:end] where sub is found, or -1.")
DOC(rfind, "B.rfind(sub[, start[, end]]) -> int\n\nHighest index in B[start:end] where sub is found, or -1.")
DOC(index, "B.index(sub[, start[, end]]) -> int\n\nLike find, but an absent sub is a ValueError.")
DOC(rindex, "B.rindex(sub[, start[, end]]) -> int\n\nLike rfind, but an absent sub is a ValueError.")
DOC(startswith, "B.startswith(prefix[, start[, end]]) -> bool\n\nDoes B[start:end] start with prefix, or with one of a tuple?")
DOC(endswith, "B.endswith(suffix[, start[, end]]) -> bool\n\nDoes B[start:end] end with suffix, or with one of a tuple?")
DOC(strip, "strip($self, bytes=None, /)\n--\n\nRemove white space, or the given bytes, at both ends.")
DOC(lstrip, "lstrip($self, bytes=None, /)\n--\n\nRemove white space, or the given bytes, at the start.")
DOC(rstrip, "rstrip($self, bytes=None, /)\n--\n\nRemove white space, or the given bytes, at the end.")
DOC(replace, "replace($self, old, new, count=-1, /)\n--\n\nReplace all, or the first count, occurrences of old by new.")
DOC(split, "split($self, /, sep=None, maxsplit=-1)\n--\n\nThe parts between separators, at most maxsplit splits.\n\n"
           "Without a separator parts are separated by runs of ASCII white space.")
DOC(rsplit, "rsplit($self, /, sep=None, maxsplit=-1)\n--\n\nLike split, starting at the end.")
DOC(splitlines, "splitlines($self, /, keepends=False)\n--\n\nThe lines, with their ends only if keepends is true.")
DOC(expandtabs, "expandtabs($self, /, tabsize=8)\n--\n\nReplace tabs by blanks up to the next tab stop.")
DOC(translate, "translate($self, table, /, delete=b'')\n--\n\nLeave out the bytes in delete, map the others by table.\n\n"
               "table has 256 bytes, or is None.")
DOC(hex, "hex($self, /, sep=<unrepresentable>, bytes_per_sep=1)\n--\n\nTwo hexadecimal digits for each byte.\n\n"
         "sep is put between groups of bytes_per_sep bytes, counted from the right, or from the left if negative.\n\n"
         ">>> value = b'\\x01\\xfe\\x20'\n>>> value.hex()\n'01fe20'\n>>> value.hex(':')\n'01:fe:20'\n"
         ">>> value.hex(':', 2)\n'01:fe20'\n>>> value.hex(':', -2)\n'01fe:20'")
DOC(decode, "decode($self, /, encoding='utf-8', errors='strict')\n--\n\nDecode to str.")
DOC(fromhex, "fromhex($type, string, /)\n--\n\nMake an object from hexadecimal digits; white space is skipped.")
DOC(maketrans, "maketrans(frm, to, /)\n--\n\nA table for translate that maps each byte of frm to the one of to.")
