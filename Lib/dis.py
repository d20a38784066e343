"""Disassembler of Braid's bytecode.

It offers what CPython's module of this name does. The code is that of a register machine (Doc/bytecode.md): an instruction
is one 64-bit word, with cache words behind it, and names the slots it works on: locals and cells go by their names, temporaries are t0, t1, ...
Offsets count two for a word, as f_lasti does.
"""

import collections
import io
import re
import sys
import types

from opcode import *
from opcode import __all__ as _opcodes_all
from opcode import _instructions

__all__ = ["code_info", "dis", "disassemble", "distb", "disco", "findlinestarts", "findlabels", "show_code",
           "get_instructions", "Instruction", "Bytecode"] + _opcodes_all

_WORD = 8                   # bytes of an instruction word
_UNIT = 2                   # what a word counts in an offset
_have_code = (types.MethodType, types.FunctionType, types.CodeType, classmethod, staticmethod, type)

COMPILER_FLAG_NAMES = {
    1: "OPTIMIZED",
    2: "NEWLOCALS",
    4: "VARARGS",
    8: "VARKEYWORDS",
    16: "NESTED",
    32: "GENERATOR",
    64: "NOFREE",
    128: "COROUTINE",
    256: "ITERABLE_COROUTINE",
    512: "ASYNC_GENERATOR",
}


# ---- What there is to disassemble ----

def _try_compile(source, name):
    """The code of source text: of an expression if it is one, else of statements."""
    try:
        return compile(source, name, "eval")
    except SyntaxError:
        return compile(source, name, "exec")


def _get_code_object(x):
    """The code object behind a function, method, generator, source text or code object."""
    for wrapped in ("__func__", "__code__", "gi_code", "ag_code", "cr_code"):
        x = getattr(x, wrapped, x)
    if isinstance(x, str):
        x = _try_compile(x, "<disassembly>")
    if hasattr(x, "co_code"):
        return x
    raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def dis(x=None, *, file=None, depth=None, show_caches=False, adaptive=False):
    """Disassembles classes, methods, functions, generators, code, source text or raw bytecode.

    Without an argument: the last traceback. depth limits how far nested functions are followed; show_caches lists cache words.
    """
    if x is None:
        distb(file=file, show_caches=show_caches, adaptive=adaptive)
        return
    for wrapped in ("__func__", "__code__", "gi_code", "ag_code", "cr_code"):
        x = getattr(x, wrapped, x)
    if hasattr(x, "__dict__"):
        for name, member in sorted(x.__dict__.items()):
            if isinstance(member, _have_code):
                print(f"Disassembly of {name}:", file=file)
                try:
                    dis(member, file=file, depth=depth, show_caches=show_caches, adaptive=adaptive)
                except TypeError as error:
                    print("Sorry:", error, file=file)
                print(file=file)
    elif hasattr(x, "co_code"):
        _disassemble_recursive(x, file=file, depth=depth, show_caches=show_caches)
    elif isinstance(x, (bytes, bytearray)):
        _print_instructions(_decode(bytes(x)), file=file, show_caches=show_caches)
    elif isinstance(x, str):
        _disassemble_recursive(_try_compile(x, "<dis>"), file=file, depth=depth, show_caches=show_caches)
    else:
        raise TypeError("don't know how to disassemble %s objects" % type(x).__name__)


def distb(tb=None, *, file=None, show_caches=False, adaptive=False):
    """Disassembles the function where a traceback ends (by default the last one), marking the place."""
    if tb is None:
        try:
            tb = sys.last_traceback
        except AttributeError:
            raise RuntimeError("no last traceback to disassemble") from None
    while tb.tb_next is not None:
        tb = tb.tb_next
    disassemble(tb.tb_frame.f_code, tb.tb_lasti, file=file, show_caches=show_caches, adaptive=adaptive)


# ---- A code object in words ----

def pretty_flags(flags):
    """The names of the flags of a code object."""
    names = [name for bit, name in COMPILER_FLAG_NAMES.items() if flags & bit]
    rest = flags
    for bit in COMPILER_FLAG_NAMES:
        rest &= ~bit
    if rest or not names:
        names.append(hex(rest))
    return ", ".join(names)


def code_info(x):
    """A description of a function's (or other code's) properties."""
    return _format_code_info(_get_code_object(x))


def _format_code_info(co):
    lines = [f"{title + ':':<26} {value}" for title, value in (
        ("Name", co.co_name),
        ("Filename", co.co_filename),
        ("Argument count", co.co_argcount),
        ("Positional-only arguments", co.co_posonlyargcount),
        ("Kw-only arguments", co.co_kwonlyargcount),
        ("Number of locals", co.co_nlocals),
        ("Temporaries", co.co_stacksize),
        ("Flags", pretty_flags(co.co_flags)),
    )]
    for title, items, show in (("Constants", co.co_consts, repr), ("Names", co.co_names, str), ("Variable names", co.co_varnames, str),
                               ("Free variables", co.co_freevars, str), ("Cell variables", co.co_cellvars, str)):
        if items:
            lines.append(title + ":")
            lines.extend(f"{number:4}: {show(item)}" for number, item in enumerate(items))
    return "\n".join(lines)


def show_code(co, *, file=None):
    """Prints what code_info says."""
    print(code_info(co), file=file)


# ---- Instructions ----

Positions = collections.namedtuple("Positions", ["lineno", "end_lineno", "col_offset", "end_col_offset"], defaults=[None] * 4)

_Instruction = collections.namedtuple(
    "_Instruction", ["opname", "opcode", "arg", "argval", "argrepr", "offset", "starts_line", "is_jump_target", "positions"],
    defaults=[None])
_Instruction.opname.__doc__ = "name of the instruction"
_Instruction.opcode.__doc__ = "its number"
_Instruction.arg.__doc__ = "its operands, as one number: A in the lowest 16 bits"
_Instruction.argval.__doc__ = "the constant, name or jump target among the operands, else the same as arg"
_Instruction.argrepr.__doc__ = "the operands, readable"
_Instruction.offset.__doc__ = "where it is: two for each word"
_Instruction.starts_line.__doc__ = "the line that starts here, or None"
_Instruction.is_jump_target.__doc__ = "does a jump or a handler lead here?"
_Instruction.positions.__doc__ = "Positions in the source"


class Instruction(_Instruction):
    """One instruction of a code object."""

    def _disassemble(self, lineno_width=3, mark_as_current=False, offset_width=4):
        line = "" if self.starts_line is None else str(self.starts_line)
        fields = [line.rjust(lineno_width)] if lineno_width else []
        fields.append("-->" if mark_as_current else "   ")
        fields.append(">>" if self.is_jump_target else "  ")
        fields.append(str(self.offset).rjust(offset_width))
        fields.append(self.opname.ljust(20))
        fields.append(self.argrepr)
        return " ".join(fields).rstrip()


class _Names:
    """How the operands of a code object's instructions are called."""

    def __init__(self, code=None):
        self.slots = []
        self.consts = self.names = ()
        if code is not None:
            self.slots = [*code.co_varnames, *code.co_cellvars, *code.co_freevars]
            self.consts, self.names = code.co_consts, code.co_names

    def slot(self, number):
        if number < len(self.slots):
            return self.slots[number]
        return f"t{number - len(self.slots)}" if self.slots or self.consts else f"r{number}"

    def const(self, number):
        return self.consts[number] if number < len(self.consts) else None

    def name(self, number):
        return self.names[number] if number < len(self.names) else None


def _signed(value, bits):
    return value - (1 << bits) if value >> (bits - 1) else value


def _fields(word, format):
    """The operands of an instruction word by letter."""
    if format in ("ABC", "ABJ"):
        return {"A": word >> 16 & 0xffff, "B": word >> 32 & 0xffff, "C": word >> 48}
    return {"A": word >> 16 & 0xffff, "X": _signed(word >> 32, 32)}


def _operands(row, word, behind, names):
    """(argval, argrepr) of an instruction; behind: the number of the word that follows it and its caches."""
    name, format, caches, flags, effect = row
    while described := re.match(r"as ([A-Z_]+)[ ;]", effect):      # "as CALL; ..."
        effect = _instructions[opmap[described[1]]][4]
    fields = _fields(word, format)
    argval, shown = word >> 16, []
    jump = None
    if format == "ABJ":
        jump = _signed(fields.pop("C"), 16)
    elif format in ("AJ", "J"):
        jump = fields.pop("X")
        if format == "J":
            fields.pop("A")
    for letter, value in fields.items():
        if f"K[{letter}]" in effect:
            argval = names.const(value)
            shown.append(f"({argval!r})")
        elif f"N[{letter}]" in effect:
            argval = names.name(value)
            shown.append(f".{argval}" if "." + "N[" in effect else f"{argval}")
        elif re.search(rf"\br\[?{letter}\b|\b(?:slot|slots|local|temporary|temporaries|release|clear) {letter}\b", effect):
            shown.append(names.slot(value) if value != 0xffff else "-")
        elif re.search(rf"\b{letter}\b", effect):
            shown.append(str(_signed(value, 16) if f"(int16){letter}" in effect else value))
    if jump is not None:
        argval = (behind + jump) * _UNIT
        shown.append(f"to {argval}")
    return argval, " ".join(shown)


def _words(code):
    return [int.from_bytes(code[i:i + _WORD], "little") for i in range(0, len(code), _WORD)]


def _targets(code):
    """The offsets that jumps of raw bytecode lead to."""
    words, targets, at = _words(code), [], 0
    while at < len(words):
        opcode = words[at] & 0xffff
        if opcode >= len(_instructions):
            break
        row = _instructions[opcode]
        behind = at + 1 + row[2]
        if row[1] in ("AJ", "ABJ", "J"):
            target, _ = _operands(row, words[at], behind, _Names())
            if target not in targets:
                targets.append(target)
        at = behind
    return targets


def _decode(code, names=None, linestarts=None, line_offset=0, positions=(), handlers=(), show_caches=False):
    names = names if names is not None else _Names()
    words, at = _words(code), 0
    targets = set(_targets(code)) | set(handlers)
    positions = [Positions(*p) for p in positions]
    while at < len(words):
        opcode = words[at] & 0xffff
        row = _instructions[opcode] if opcode < len(_instructions) else (f"<{opcode}>", "ABC", 0, 0, "")
        behind = at + 1 + row[2]
        argval, argrepr = _operands(row, words[at], behind, names)
        line = linestarts.get(at * _UNIT) if linestarts is not None else None
        yield Instruction(row[0], opcode, words[at] >> 16, argval, argrepr, at * _UNIT,
                          line + line_offset if line is not None else None, at * _UNIT in targets,
                          positions[at] if at < len(positions) else Positions())
        if show_caches:
            for cache in range(at + 1, behind):
                yield Instruction("CACHE", 0, words[cache], words[cache], hex(words[cache]), cache * _UNIT, None, False,
                                  positions[cache] if cache < len(positions) else Positions())
        at = behind


def _exception_table(co):
    """(start, end, handler, depth, keeps position) of the entries; offsets."""
    table = co.co_exceptiontable
    for i in range(0, len(table), 16):
        start, end, handler = (int.from_bytes(table[i + 4 * k:i + 4 * k + 4], "little") * _UNIT for k in range(3))
        yield start, end, handler, int.from_bytes(table[i + 12:i + 14], "little"), bool(table[i + 14])


def get_instructions(x, *, first_line=None, show_caches=False, adaptive=False):
    """The instructions of a function (or other code), one Instruction each.

    first_line: the number that the first line is to have.
    """
    co = _get_code_object(x)
    offset = first_line - co.co_firstlineno if first_line is not None else 0
    return _decode(co.co_code, _Names(co), dict(findlinestarts(co)), offset, co.co_positions(),
                   [entry[2] for entry in _exception_table(co)], show_caches)


# ---- Printing ----

def _print_instructions(instructions, lasti=-1, file=None, show_caches=False):
    instructions = list(instructions)
    lines = [i.starts_line for i in instructions if i.starts_line is not None]
    lineno_width = max(3, len(str(max(lines)))) if lines else 0
    offset_width = max(4, len(str(instructions[-1].offset))) if instructions else 4
    for instruction in instructions:
        if instruction.starts_line is not None and instruction.offset > 0:
            print(file=file)
        print(instruction._disassemble(lineno_width, instruction.offset == lasti, offset_width), file=file)


def disassemble(co, lasti=-1, *, file=None, show_caches=False, adaptive=False):
    """Disassembles a code object; lasti: the offset to mark."""
    _print_instructions(get_instructions(co, show_caches=show_caches), lasti, file, show_caches)
    table = list(_exception_table(co))
    if table:
        print("ExceptionTable:", file=file)
    for start, end, handler, depth, keeps in table:
        print(f"  {start} to {end - _UNIT} -> {handler} [{depth}]{' keeps position' if keeps else ''}", file=file)


disco = disassemble


def _disassemble_recursive(co, *, file=None, depth=None, show_caches=False, adaptive=False):
    disassemble(co, file=file, show_caches=show_caches)
    if depth is not None and depth <= 0:
        return
    for const in co.co_consts:
        if hasattr(const, "co_code"):
            print(file=file)
            print(f"Disassembly of {const!r}:", file=file)
            _disassemble_recursive(const, file=file, depth=depth - 1 if depth is not None else None, show_caches=show_caches)


# ---- Services for other modules ----

def findlabels(code):
    """The offsets in raw bytecode that jumps lead to."""
    return _targets(code)


def findlinestarts(code):
    """(offset, line) for each place of a code object where another line begins."""
    last = None
    for start, _, line in code.co_lines():
        if line is not None and line != last:
            last = line
            yield start, line


def _loaded_constant(instructions, slot, names):
    """The constant that the last of some instructions to write a slot has put there, or None."""
    for instruction in reversed(instructions):
        if instruction.arg & 0xffff == slot:
            if instruction.opname == "LOAD_INT":
                return _signed(instruction.arg >> 16, 32)
            return instruction.argval if instruction.opname == "LOAD_CONST" else None
    return None


def _find_imports(co):
    """(name, level, fromlist) of each import in a code object."""
    done, names = [], _Names(co)
    for instruction in get_instructions(co):
        if instruction.opname == "IMPORT_NAME":
            slot = instruction.arg >> 16 & 0xffff
            level, fromlist = (_loaded_constant(done, slot + i, names) for i in range(2))
            if level is not None:
                yield instruction.argval, level, fromlist
        done.append(instruction)


def _find_store_names(co):
    """The names that a module's or class's code assigns."""
    for instruction in get_instructions(co):
        if instruction.opname in ("STORE_NAME", "STORE_GLOBAL"):
            yield instruction.argval


class Bytecode:
    """The instructions of a function, method, generator, source text or code object: iterate over it."""

    def __init__(self, x, *, first_line=None, current_offset=None, show_caches=False, adaptive=False):
        self.codeobj = _get_code_object(x)
        self.first_line = self.codeobj.co_firstlineno if first_line is None else first_line
        self._line_offset = self.first_line - self.codeobj.co_firstlineno
        self._original_object = x
        self.current_offset = current_offset
        self.show_caches = show_caches
        self.adaptive = adaptive

    def __iter__(self):
        return get_instructions(self.codeobj, first_line=self.first_line, show_caches=self.show_caches)

    def __repr__(self):
        return f"{type(self).__name__}({self._original_object!r})"

    @classmethod
    def from_traceback(cls, tb, *, show_caches=False, adaptive=False):
        """The code where a traceback ends."""
        while tb.tb_next is not None:
            tb = tb.tb_next
        return cls(tb.tb_frame.f_code, current_offset=tb.tb_lasti, show_caches=show_caches, adaptive=adaptive)

    def info(self):
        """What code_info says."""
        return _format_code_info(self.codeobj)

    def dis(self):
        """The listing that disassemble prints."""
        with io.StringIO() as output:
            _print_instructions(self, self.current_offset if self.current_offset is not None else -1, output)
            return output.getvalue()


def _main():
    import argparse

    parser = argparse.ArgumentParser()
    parser.add_argument("infile", type=argparse.FileType("rb"), nargs="?", default="-")
    args = parser.parse_args()
    with args.infile as infile:
        source = infile.read()
    dis(compile(source, args.infile.name, "exec"))


if __name__ == "__main__":
    _main()
