"""Feeds damaged data to what reads data: marshal, .pyc files, code objects, pickle, struct, re, codecs, zipimport and others.

    fuzz_data.py [--seed N] [--minutes N] [--only NAME]                    run children, print what crashed
    fuzz_data.py --child NAME --seed N [--steps N] [--verbose]             one child: to reproduce a crash

Exceptions are what is to be expected; a crash is a child that dies of a signal, or hangs."""
import argparse
import os
import random
import signal
import subprocess
import sys
import time

CHILD_TIMEOUT = 120
MEMORY_LIMIT = 1 << 31

SOURCE = """
import os
def f(a, /, b=1, *c, d=2, **e):
    try:
        with open(a) as g:
            return [x for x in g if x] + f"{a!r:>{b}}"
    except* ValueError as error:
        yield error
    finally:
        del b
class C:
    x: int = 1.5 + 2j
    async def h(self):
        async for i in self:
            await i
"""


def damage(r, data):
    """Some bytes changed, cut out or doubled."""
    data = bytearray(data)
    for _ in range(r.choice([1, 1, 1, 2, 3, 8])):
        if not data:
            break
        i = r.randrange(len(data))
        what = r.random()
        if what < 0.4:
            data[i] = r.choice([0, 1, 0x7f, 0x80, 0xff, r.randrange(256)])
        elif what < 0.5:
            data[i] ^= 1 << r.randrange(8)
        elif what < 0.6:
            del data[i:]
        elif what < 0.75:
            del data[i:i + r.randrange(1, 9)]
        elif what < 0.9:
            data[i:i] = data[i:i + r.randrange(1, 20)]
        else:
            data[i:i + 4] = r.choice([0x7fffffff, 0x80000000, 0xffffffff, 0x10000]).to_bytes(4, "little")
    return bytes(data)


def use_code(r, code):
    """Looks at a code object from all sides; runs it only if it is whole."""
    for look in (repr, hash, lambda c: list(c.co_lines()), lambda c: list(c.co_positions()), lambda c: c.co_varnames,
                 lambda c: c.co_cellvars, lambda c: c.co_freevars, lambda c: c == code, lambda c: c.replace(co_name="x")):
        look(code)


def marshal_values():
    import marshal
    code = compile(SOURCE, "x", "exec")
    shared = ("abc", [1], {"a": (2,)})
    values = [code, [code.co_consts], [1, -5, 10 ** 40, 2.5, 1j, "a", "\u20ac\U0001f600", b"b", None, True, ..., StopIteration],
              {"a": {1, 2}, 3: frozenset([4]), "x" * 300: (5,) * 300}, [shared, shared, shared]]
    return [marshal.dumps(value, version) for value in values for version in (1, 2, 4)]


def fuzz_marshal(r):
    import marshal
    value = marshal.loads(damage(r, r.choice(DATA["marshal"])))
    if hasattr(value, "co_code"):
        use_code(r, value)
    repr(value)


def fuzz_pyc(r):
    import importlib._bootstrap_external as external
    import importlib.util
    import marshal
    import shutil
    import tempfile
    folder = tempfile.mkdtemp()
    try:
        source = os.path.join(folder, "damaged.py")
        with open(source, "w") as f:
            f.write("import os\ndef f(a): return [a for a in (1, 2, a)]\nclass C: x = f(3)\n")
        cached = importlib.util.cache_from_source(source)
        sys.path.insert(0, folder)
        sys.modules.pop("damaged", None)
        importlib.invalidate_caches()
        import py_compile
        py_compile.compile(source)
        with open(cached, "rb") as f:
            data = f.read()
        cut = r.randrange(len(data)) if r.random() < 0.5 else r.randrange(16)
        with open(cached, "wb") as f:
            f.write(data[:cut] if r.random() < 0.5 else damage(r, data[:16]) + data[16:])
        import damaged
        assert damaged.C.x
    finally:
        sys.path.remove(folder)
        shutil.rmtree(folder)


NONSENSE = [0, 1, -1, 2, 255, 2 ** 31 - 1, -2 ** 31, 2 ** 31, 2 ** 63, 10 ** 30, b"", b"\0", b"\xff" * 9, "", "x", "\ud800", (), ("a",),
            (1,), ("a", 1), (None,), None, [], {}, 1.5]


def fuzz_code(r):
    import types
    code = r.choice([c for c in DATA["code"]])
    fields = ["argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "firstlineno", "consts",
              "names", "varnames", "freevars", "cellvars", "filename", "name", "qualname", "linetable", "exceptiontable"]
    if r.random() < 0.3:
        fields.append("code")
    changes = {}
    for name in r.sample(fields, r.choice([1, 1, 2, 3])):
        value = r.choice(NONSENSE)
        if name in ("linetable", "exceptiontable", "code") and r.random() < 0.7:
            value = damage(r, getattr(code, "co_" + name))
        elif name in ("varnames", "cellvars", "freevars", "names") and r.random() < 0.5:
            value = tuple(r.sample(["a", "b", "c", "x", "self", ".0", "__class__"], r.randrange(5)))
        changes["co_" + name] = value
    changed = code.replace(**changes)
    use_code(r, changed)
    if "co_code" not in changes and "co_stacksize" not in changes:
        function = types.FunctionType(changed, {}, closure=tuple(types.CellType(1) for _ in changed.co_freevars))
        repr(function)


def fuzz_pickle(r):
    import pickle
    data = damage(r, r.choice(DATA["pickle"]))
    if any(word in data for word in (b"system", b"exec", b"eval", b"posix", b"os\n")):
        return
    repr(pickle.loads(data))


def fuzz_pickle_codes(r):
    """Opcodes at random."""
    import pickle
    codes = [bytes([value]) for name, value in ((n, getattr(pickle, n)[0]) for n in pickle.__all__ if n.isupper() and
             isinstance(getattr(pickle, n), bytes) and len(getattr(pickle, n)) == 1)]
    parts = [b"\x80\x04"] if r.random() < 0.5 else []
    for _ in range(r.randrange(1, 25)):
        parts.append(r.choice(codes))
        if r.random() < 0.5:
            parts.append(r.choice([b"\x01", b"\x00", b"\xff\xff\xff\xff", b"1\n", b"builtins\nlist\n", b"\x03abc", b"\x00\x00\x00\x00",
                                   b"'a'\n", b"\x08\0\0\0\0\0\0\0"]))
    repr(pickle.loads(b"".join(parts) + b"."))


def fuzz_struct(r):
    import struct
    text = "".join(r.choice("<>=!@ xcbB?hHiIlLqQnNefdspP0123456789") for _ in range(r.randrange(1, 12)))
    s = struct.Struct(text)
    if s.size > 1 << 20:
        return
    values = s.unpack(r.randbytes(s.size))
    s.pack(*values)
    s.pack(*[r.choice([0, -1, 2 ** 64, 1.5, b"x", "x", None]) for _ in values])


def random_pattern(r, depth=0):
    if depth > 4 or r.random() < 0.3:
        return r.choice(["a", "b", ".", "\\w", "\\d", "\\b", "^", "$", "[a-c]", "[^b]", "\\1", "\\2", "(?=a)", "", "\\Z", "\u20ac", "[\\s\\S]"])
    inner = [random_pattern(r, depth + 1) for _ in range(r.randrange(1, 4))]
    form = r.choice(["({0})", "(?:{0})", "(?P<n{1}>{0})", "(?>{0})", "(?={0})", "(?!{0})", "(?<={0})", "(?<!{0})", "({0})(?(1)a|b)", "(?i:{0})",
                     "{0}*", "{0}+", "{0}?", "{0}*?", "{0}+?", "{0}*+", "{0}{{2}}", "{0}{{1,3}}", "{0}{{,2}}?", "{0}{{0,5}}+", "{0}|{0}", "{0}"])
    return form.format(r.choice(["", "|"]).join(inner), r.randrange(9))


def fuzz_re(r):
    import re
    pattern = re.compile(random_pattern(r), r.choice([0, re.I, re.S, re.M, re.A, re.X]))
    text = "".join(r.choice("aabbc1 \u20ac\n") for _ in range(r.randrange(18)))
    pattern.match(text), pattern.search(text), pattern.findall(text), pattern.split(text), pattern.fullmatch(text)
    pattern.sub(lambda m: m.expand(r"\g<0>"), text)


def fuzz_sre(r):
    """Code that no compiler has made must be refused."""
    import _sre
    import re._compiler as compiler
    import re._parser as parser
    parsed = parser.parse(random_pattern(r))
    code = list(compiler._code(parsed, 0))
    for _ in range(r.choice([1, 1, 2, 5])):
        i = r.randrange(len(code))
        what = r.random()
        if what < 0.6:
            code[i] = r.choice([0, 1, 2, 3, 5, 10, 40, 100, 2 ** 16, 2 ** 32 - 1, r.randrange(50)])
        elif what < 0.8:
            del code[i]
        else:
            code.insert(i, r.randrange(50))
    pattern = _sre.compile("x", 0, code, r.choice([0, 1, 2, 5]), {}, (None,))
    pattern.search("aabbab" * 3)


def fuzz_codecs(r):
    name = r.choice(["utf-8", "utf-16", "utf-16-le", "utf-32", "utf-7", "unicode_escape", "raw_unicode_escape", "ascii", "latin-1", "cp1252",
                     "shift_jis", "gb18030", "big5", "euc_jp", "iso2022_jp", "hz", "euc_kr", "idna", "punycode", "cp932", "utf-8-sig"])
    errors = r.choice(["strict", "ignore", "replace", "backslashreplace", "surrogateescape", "surrogatepass", "xmlcharrefreplace", "namereplace"])
    data = damage(r, "a\u00e9\u20ac\U0001f600\u3042\u4e2d\ud800".encode(r.choice(["utf-8", "utf-16", "utf-7"]), "surrogatepass"))
    import codecs
    if r.random() < 0.3:
        decoder = codecs.getincrementaldecoder(name)(errors)
        for i in range(len(data)):
            decoder.decode(data[i:i + 1])
            decoder.setstate(decoder.getstate())
        decoder.decode(b"", True)
    else:
        text = data.decode(name, errors)
        text.encode(r.choice(["ascii", "latin-1", name]), errors)


def fuzz_zipimport(r):
    import io
    import tempfile
    import zipfile
    import zipimport
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", r.choice([zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])) as z:
        z.writestr("zmod.py", "x = 1\n" * 20)
        z.writestr("zpkg/__init__.py", "y = 2\n")
    path = tempfile.mktemp(".zip")
    with open(path, "wb") as f:
        f.write(damage(r, buffer.getvalue()))
    try:
        zipimport._zip_directory_cache.clear()
        importer = zipimport.zipimporter(path)
        for name in ("zmod", "zpkg"):
            importer.find_spec(name)
            importer.get_code(name)
    finally:
        os.unlink(path)


def fuzz_formats(r):
    """Format specifications of all kinds."""
    spec = "".join(r.choice("<>=^+- #0123456789,._eEfFgGnsxXobcd%z!r:{}[]a") for _ in range(r.randrange(1, 9)))
    value = r.choice([1, -10 ** 20, 1.5, float("nan"), "text", 2j, True, None, b"x"])
    choice = r.randrange(4)
    if any(len(run) > 6 for run in "".join(c if c.isdigit() else " " for c in spec).split()):
        return
    if choice == 0:
        format(value, spec)
    elif choice == 1:
        ("%" + spec) % value
    elif choice == 2:
        ("{:" + spec + "}").format(value, value)
    else:
        (b"%" + spec.encode()) % (value,)


def fuzz_text_readers(r):
    """Parsers of text in the library that are in C."""
    import csv
    import json
    import xml.etree.ElementTree as tree
    import datetime
    import binascii
    import zlib
    import ast
    choice = r.randrange(8)
    if choice == 0:
        json.loads(damage(r, b'{"a": [1, 2.5e3, "x\\u20ac\\n", null, true], "b": {}}').decode("latin-1"))
    elif choice == 1:
        tree.fromstring(damage(r, b'<?xml version="1.0" encoding="utf-8"?><!DOCTYPE a [<!ENTITY e "f">]><a b="&e;"><c/>t<![CDATA[x]]></a>'))
    elif choice == 2:
        list(csv.reader(damage(r, b'a,"b ""c""",d\n1;2,\r\n').decode("latin-1").splitlines(True), strict=r.random() < 0.5))
    elif choice == 3:
        datetime.datetime.fromisoformat(damage(r, b"2020-01-31T12:34:56.789012+01:00").decode("latin-1"))
    elif choice == 4:
        function = r.choice([binascii.a2b_base64, binascii.a2b_hex, binascii.a2b_uu, binascii.a2b_qp])
        function(damage(r, binascii.b2a_base64(b"hello world")))
    elif choice == 5:
        zlib.decompressobj().decompress(damage(r, zlib.compress(b"hello" * 30)), 1000)
    elif choice == 6:
        ast.literal_eval(damage(r, b"[1, 'a', {2: (3.5, 1j)}, b'x', -5]").decode("latin-1"))
    else:
        float(damage(r, b"-12345.678e-90").decode("latin-1")), int(damage(r, b"0x_12abc").decode("latin-1"), 0)


def fuzz_ast(r):
    """Trees changed at random, compiled."""
    import ast
    parsed = ast.parse(SOURCE)
    nodes = list(ast.walk(parsed))
    for _ in range(r.choice([1, 1, 2, 4])):
        node = r.choice(nodes)
        names = list(node._fields) + list(node._attributes)
        if not names:
            continue
        name = r.choice(names)
        what = r.random()
        if what < 0.3:
            setattr(node, name, r.choice(nodes))
        elif what < 0.6:
            setattr(node, name, r.choice(NONSENSE + [[None], [1], [r.choice(nodes)], [[]]]))
        elif what < 0.8:
            if hasattr(node, name):
                delattr(node, name)
        else:
            value = getattr(node, name, None)
            if isinstance(value, list):
                value.extend(r.choice([value, [None], r.sample(nodes, 2)]))
    sys.setrecursionlimit(500)
    compile(parsed, "x", "exec")


KINDS = {name[5:]: function for name, function in list(globals().items()) if name.startswith("fuzz_")}
DATA = {}


def prepare():
    import pickle
    import fractions
    import collections
    import datetime
    DATA["marshal"] = marshal_values()
    code = compile(SOURCE, "x", "exec")
    DATA["code"] = [code] + [c for c in code.co_consts if hasattr(c, "co_code")]
    values = [[1, -5, 10 ** 40, 2.5, "a\u20ac", b"b", None, (1, 2), {3: [4]}, {5}, frozenset([6])], fractions.Fraction(1, 3),
              collections.OrderedDict(a=1), collections.deque([1, 2]), datetime.datetime(2020, 1, 1), bytearray(b"abc"), ValueError("x"),
              range(5), slice(1, 2), 1j]
    DATA["pickle"] = [pickle.dumps(value, protocol) for value in values for protocol in range(6)]


def child(options):
    import resource
    import warnings
    if "sanitizer=address" not in str(__import__("sysconfig").get_config_var("CONFIG_ARGS")):
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    warnings.simplefilter("ignore")
    sys.unraisablehook = lambda args: None
    prepare()
    function = KINDS[options.child]
    raised = {}
    for step in range(options.first, options.first + options.steps):
        os.pwrite(3, b"%-12d" % step, 0) if options.place else None
        try:
            function(random.Random(options.seed * 100003 + step))
        except Exception as error:
            kind = type(error).__name__
            raised[kind] = raised.get(kind, 0) + 1
            if options.verbose or kind == "SystemError":
                print(step, kind, error, flush=True)
    if options.verbose:
        print(raised)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=2)
    parser.add_argument("--only")
    parser.add_argument("--child")
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--place", action="store_true")
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.child:
        return child(options)
    end = time.monotonic() + options.minutes * 60
    names = [name for name in KINDS if options.only in (None, name)]
    seed, runs, bad = options.seed, 0, 0
    print(f"seed {seed}", flush=True)
    while time.monotonic() < end or runs < len(names):
        name = names[runs % len(names)]
        here = seed + runs // len(names)
        steps = options.steps // 20 if name == "pyc" else options.steps
        command = [sys.executable, os.path.abspath(__file__), "--child", name, "--seed", str(here), "--steps", str(steps), "--place"]
        place = os.open("/tmp", os.O_TMPFILE | os.O_RDWR)
        try:
            done = subprocess.run(["/bin/sh", "-c", f'exec "$@" 3<>/proc/self/fd/{place}', "x"] + command, pass_fds=[place],
                                  stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=CHILD_TIMEOUT)
            status, output, errors = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired:
            status, output, errors = "timeout", b"", b""
        runs += 1
        if status != 0 or output:
            bad += 1
            what = signal.Signals(-status).name if isinstance(status, int) and status < 0 else status
            step = os.pread(place, 12, 0).decode().strip() or "0"
            print(f"{what}: --child {name} --seed {here} --first {step} --steps 1\n{output.decode(errors='replace')[-300:]}"
                  f"{errors.decode(errors='replace')[-1500:]}", flush=True)
        os.close(place)
    print(f"{runs} runs: {bad} bad")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
