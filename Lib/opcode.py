"""The instructions of the interpreter, by name and number.

The names are those of CPython's module of this name; the instructions are Braid's own (Doc/bytecode.md). An instruction is a 64-bit
word: the opcode in its lowest 16 bits, operands in the others.
"""

import _opcode
import re as _re
from _opcode import stack_effect

__all__ = ["cmp_op", "hasarg", "hasconst", "hasname", "hasjrel", "hasjabs", "haslocal", "hascompare", "hasfree", "hasexc",
           "hasnargs", "opname", "opmap", "HAVE_ARGUMENT", "EXTENDED_ARG", "stack_effect"]

cmp_op = ("<", "<=", "==", "!=", ">", ">=")

# rows of (name, format, cache words, flags, effect)
_instructions = _opcode.instructions()

opname = [row[0] for row in _instructions]
opmap = {name: number for number, name in enumerate(opname)}

# Every instruction has operands, and none needs a prefix to widen them.
HAVE_ARGUMENT = 0
EXTENDED_ARG = len(opname)


def _numbers(test):
    return [number for number, row in enumerate(_instructions) if test(*row)]


hasarg = list(range(len(opname)))
hasconst = _numbers(lambda name, format, caches, flags, effect: "K[" in effect)
hasname = _numbers(lambda name, format, caches, flags, effect: "N[" in effect)
hasjrel = _numbers(lambda name, format, caches, flags, effect: format in ("AJ", "ABJ", "J"))
hasjabs = []
haslocal = _numbers(lambda name, format, caches, flags, effect: _re.search(r"\br\[?[ABC]|\blocal A", effect) is not None)
hascompare = _numbers(lambda name, format, caches, flags, effect: _re.fullmatch(r"(J|JN)?(LT|LE|EQ|NE|GT|GE)(_K)?", name) is not None)
hasfree = _numbers(lambda name, format, caches, flags, effect: "cell" in effect)
hasexc = []
hasnargs = [opmap[name] for name in ("CALL", "CALL_METHOD", "CALL_KW", "CALL_METHOD_KW")]

_inline_cache_entries = [row[2] for row in _instructions]
