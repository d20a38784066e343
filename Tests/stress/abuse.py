"""Programs that abuse the interpreter: each runs in a process of its own, which must end by itself, not by a signal.

    abuse.py [--only NAME] [--oracle PYTHON] [--timeout N]

With --oracle, what the programs print is compared with what another interpreter prints."""
import argparse
import signal
import subprocess
import sys
import time

HEADER = '''
import sys, gc
def outcome(f, *a):
    try:
        r = f(*a)
        print("ok", type(r).__name__)
    except BaseException as e:
        print(type(e).__name__)
'''

NEST = '''
def nest(make, n=200000):
    x = make(None)
    for _ in range(n): x = make(x)
    return x
'''

CASES = {
    # ---- depth ----
    "del deep": NEST + '''
class A: pass
def link(x):
    a = A(); a.next = x; return a
class S: __slots__ = "n",
def slot(x):
    s = S(); s.n = x; return s
def exc(x):
    e = ValueError(); e.__context__ = x; return e
def gen(x):
    def g(): yield x
    i = g(); next(i); return i
import functools, itertools, types, collections, weakref
for make in (lambda x: [x], lambda x: (x,), lambda x: {1: x}, lambda x: {1: [x]}, link, slot, exc, gen, lambda x: functools.partial(print, x),
             lambda x: itertools.chain([x]), lambda x: iter([x]), lambda x: map(print, [x]), lambda x: collections.deque([x]),
             lambda x: collections.OrderedDict(a=x), lambda x: types.MethodType(print, x), lambda x: types.CellType(x), lambda x: slice(x, None),
             lambda x: (lambda: x), lambda x: classmethod(x), lambda x: property(x), lambda x: zip([x]), lambda x: enumerate([x]),
             lambda x: frozenset([(x if x else 1)]) if 0 else [x], lambda x: types.SimpleNamespace(a=x), lambda x: memoryview(x) if 0 else [x],
             lambda x: itertools.tee([x])[0], lambda x: itertools.cycle([x]), lambda x: types.MappingProxyType({1: x}), lambda x: reversed([x]),
             lambda x: types.GenericAlias(list, (x,)), lambda x: staticmethod(x), lambda x: weakref.ref(A(), lambda r, x=x: x)):
    x = nest(make)
    del x
gc.collect()
print("done")
''',
    "deep collect": NEST + '''
class A: pass
def link(x):
    a = A(); a.next = x; a.me = a; return a
for make in (lambda x: [x, []], link, lambda x: {1: x}):
    x = nest(make); x_ = [x]; x_.append(x_); del x, x_
    gc.collect()
print("done")
''',
    "deep operations": NEST + '''
import copy, json, pickle, marshal, ast, functools, operator
class A: pass
for make in (lambda x: [x], lambda x: (x,), lambda x: {1: x}):
    a, b = nest(make), nest(make)
    for f in (repr, str, lambda x: x == b, lambda x: x < b, copy.deepcopy, json.dumps, pickle.dumps, marshal.dumps, hash,
              lambda x: format(x), lambda x: "%s" % (x,), lambda x: ascii(x), lambda x: pickle._dumps(x), lambda x: isinstance(1, x)):
        outcome(f, a)
''',
    "deep source": '''
import ast
n = 100000
for s in ("(" * n + ")" * n, "[" * n, "-" * n + "1", "not " * n + "1", "a." * n + "b", "a" + "()" * n, "a" + "[0]" * n, "1" + "+1" * n, "1" + "**1" * n,
          "lambda:" * n + "1", "{" * n, "x if y else " * n + "1", "a and " * n + "b", "await " * n + "x", "a = " * n + "1", "f'{" * 100 + "1",
          "\\n".join(" " * i + "if x:" for i in range(99)) + " y", "\\n".join(" " * i + "if x:" for i in range(101)), "if x:\\n pass\\n" + "elif x:\\n pass\\n" * 20000,
          "try:\\n pass\\nexcept a:\\n pass\\n" + "except a:\\n pass\\n" * 20000, "a" + ", a" * n, "a < " * n + "b", "*a, " * n + "= b", "'a' " * n, "-(" * 90 + "1" + ")" * 90,
          "match x:\\n case " + "[" * 150 + "]" * 150 + ": pass", "with " + "a, " * 5000 + "b: pass", "x: " + "a[" * 150 + "]" * 150, "def f(" + "a" * n + "): pass",
          "for x in y: " * 3 + "pass", "\\n".join(f"{' ' * i}for x in y:" for i in range(30)) + " pass", "{**a," * 90 + "}" * 90, "b'" + "a" * n + "'", "1" * 5000, "0x" + "f" * n):
    outcome(lambda: (compile(s, "x", "exec"), 1)[1])
    outcome(lambda: (ast.parse(s), 1)[1])
''',
    "deep tree": '''
import ast
x = ast.Constant(1)
for _ in range(100000): x = ast.UnaryOp(ast.USub(), x, lineno=1, col_offset=0)
m = ast.Expression(x)
for f in (ast.dump, ast.unparse, lambda m: compile(m, "x", "eval"), lambda m: list(ast.walk(m)), ast.fix_missing_locations, repr): outcome(f, m)
del x, m
''',
    "deep patterns": '''
import re, sre_parse, sre_compile
for p in ("(" * 5000 + ")" * 5000, "(?:" * 50000 + "a" + ")*" * 50000, "a*" * 10000, "(a|" * 3000 + ")" * 3000, "[a-z]" * 50000, "(?=" * 3000 + ")" * 3000, "x{99999999}", "(x{9999}){9999}"):
    outcome(lambda: (re.compile(p), 1)[1])
for p, s in (("(?:a|b)*c", "ab" * 1000000), ("(a)*", "a" * 1000000), ("(?:(a)|b)*?$", "ab" * 100000), ("((a*)*)*b", "a" * 20), (".*?,.*?,", "a," * 100000), ("(?:a?){30}a{30}", "a" * 30 if 0 else "a"),
             ("(?s:.)*", "\\n" * 1000000), ("(a+)+$", "a" * 20 + "b"), ("(?:(?:a)+)+", "a" * 100000), ("(?>a*)*", "a" * 100000)):
    outcome(lambda: (re.match(p, s), 1)[1])
''',
    "deep calls": '''
class A:
    def __getattr__(s, n): return getattr(s, n + "x")
    def __eq__(s, o): return s == o
    def __hash__(s): return hash(s)
    def __repr__(s): return repr(s)
    def __call__(s): return s()
    def __iter__(s): return iter(s)
    def __len__(s): return len(s)
    def __bool__(s): return bool(s)
    def __add__(s, o): return s + o
    def __getitem__(s, i): return s[i]
    def __setattr__(s, n, v): s.x = v
    def __contains__(s, x): return x in s
    def __index__(s): return [1][s]
    def __str__(s): return str(s)
    def __format__(s, f): return format(s, f)
    def __lt__(s, o): return s < o
    def __enter__(s):
        with s: pass
    def __exit__(s, *a): pass
    def __instancecheck__(s, c): return isinstance(c, s)
    def __subclasscheck__(s, c): return issubclass(c, s)
    def __del__(s): pass
    def __get__(s, i, o): return s.__get__(i, o)
    def __bytes__(s): return bytes(s)
    def __int__(s): return int(s)
    def __float__(s): return float(s)
    def __complex__(s): return complex(s)
    def __round__(s): return round(s)
    def __reversed__(s): return reversed(s)
    def __missing__(s, k): return s[k]
    def __dir__(s): return dir(s)
    def __sizeof__(s): return sys.getsizeof(s)
    def __copy__(s): import copy; return copy.copy(s)
    def __reduce_ex__(s, p): import pickle; return pickle.dumps(s)
    def __iadd__(s, o): s += o
    def __next__(s): return next(s)
    def __fspath__(s): import os; return os.fspath(s)
    def __length_hint__(s): import operator; return operator.length_hint(s)
import copy, pickle, os, operator
a = A()
for f in (lambda: a.zz, lambda: a == a, lambda: hash(a), lambda: repr(a), a, lambda: iter(a), lambda: len(a), lambda: bool(a), lambda: a + 1, lambda: a[0],
          lambda: setattr(a, "q", 1), lambda: 5 in a, lambda: [1][a], lambda: str(a), lambda: f"{a}", lambda: a < a, lambda: a.__enter__(), lambda: isinstance(1, a), lambda: issubclass(int, a),
          lambda: bytes(a), lambda: int(a), lambda: float(a), lambda: complex(a), lambda: round(a), lambda: reversed(a), lambda: dir(a), lambda: sys.getsizeof(a), lambda: copy.copy(a),
          lambda: pickle.dumps(a), lambda: operator.iadd(a, 1), lambda: next(a), lambda: os.fspath(a), lambda: operator.length_hint(a), lambda: print(a), lambda: "%s" % a, lambda: sorted([a, a]),
          lambda: {a: 1}, lambda: [a].index(A()), lambda: sum(a), lambda: max(a, a), lambda: range(a), lambda: [*a], lambda: [].extend(a), lambda: "".join(a), lambda: dict(a), lambda: set(a)):
    outcome(f)
class M(type):
    def __call__(c, *a): return c(*a)
    def __getattr__(c, n): return getattr(c, n)
    def __instancecheck__(c, o): return isinstance(o, c)
    def __prepare__(n, b): return M.__prepare__(n, b)
outcome(lambda: M("x", (), {})())
outcome(lambda: M("x", (), {}).zz)
outcome(lambda: isinstance(1, M("x", (), {})))
class P:
    @property
    def x(s): return s.x
outcome(lambda: P().x)
def f(): return f()
outcome(f)
def g(): yield from g()
outcome(lambda: list(g()))
async def h(): await h()
outcome(lambda: h().send(None))
outcome(lambda: (lambda f: f(f))(lambda f: f(f)))
outcome(lambda: exec("exec(s)", {"s": "exec(s)"}))
outcome(lambda: eval("eval(s)", {"s": "eval(s)"}))
import functools
p = functools.partial(lambda *a: p()); outcome(p)
outcome(lambda: functools.reduce(lambda a, b: f(), [1, 2]))
outcome(lambda: list(map(lambda x: f(), [1]))); outcome(lambda: sorted([1], key=lambda x: f()))
''',
    "super chain": '''
C = object
classes = []
class Base:
    def f(s): return 0
C = Base
for i in range(3000):
    class C(C):
        def f(s): return super().f() + 1
sys.setrecursionlimit(100000)
outcome(lambda: C().f())
print(len(C.__mro__))
''',
    "recursion limit": '''
def f(n): return f(n + 1)
for limit in (10 ** 9, 2 ** 31 - 1, 100, 50, 10 ** 6):
    try: sys.setrecursionlimit(limit)
    except (RecursionError, OverflowError, ValueError) as e: print(type(e).__name__); continue
    outcome(f, 0)
    outcome(lambda: repr([[[[1]]]]))
for bad in (0, -1, 1, 2 ** 31, 2 ** 70, 1.5, None):
    try: sys.setrecursionlimit(bad); print("set")
    except (RecursionError, OverflowError, ValueError, TypeError) as e: print(type(e).__name__)
''',
    "small stacks": NEST + '''
import threading, json, copy, pickle, re, ast
def f(n): return f(n + 1)
class A:
    def __repr__(s): return repr(s)
    def __eq__(s, o): return [s] == [o]
    def __getattr__(s, n): return getattr(s, n + "x")
    def __hash__(s): return hash((s,))
    def __lt__(s, o): return sorted([s, o])
    def __call__(s, *a): return max(s, s, key=s)
deep = nest(lambda x: [x], 100000)
def work():
    a = A()
    for g in (lambda: f(0), lambda: repr(a), lambda: [a] == [A()], lambda: a.x, lambda: hash(a), lambda: sorted([a, A()]), a, lambda: repr(deep), lambda: json.dumps(deep),
              lambda: copy.deepcopy(deep), lambda: pickle.dumps(deep), lambda: compile("(" * 150 + ")" * 150, "x", "exec"), lambda: compile("-" * 50000 + "1", "x", "exec"),
              lambda: re.compile("(?:" * 2000 + ")*" * 2000), lambda: re.match("(?:(a)|b)*c", "ab" * 100000), lambda: ast.parse("1" + "+1" * 50000), lambda: deep == copy.copy(deep),
              lambda: eval("[" * 90 + "]" * 90), lambda: (10 ** 20000) ** 3 % 7 ** 5000 and 1, lambda: str(7 ** 4000) and 1, lambda: __import__("decimal").Decimal(2).sqrt(__import__("decimal").Context(prec=5000)) and 1,
              lambda: nest(lambda x: (x,)) and None, lambda: sorted([str(i) for i in range(10000)]) and 1, lambda: "%0500d" % 3 and 1, lambda: repr(1e308) and 1, lambda: float("1" * 500) and 1):
        try: g()
        except (RecursionError, MemoryError, ValueError, SyntaxError, OverflowError, re.error): pass
for size in (32768, 65536, 131072, 262144, 1 << 20, 1 << 26):
    try: threading.stack_size(size)
    except ValueError: print("refused", size); continue
    t = threading.Thread(target=work); t.start(); t.join()
print("done")
''',
    # ---- mutation ----
    "sort": '''
a = list(range(50))
def key(x): a.clear(); a.extend("abc"); return -x
outcome(lambda: a.sort(key=key)); print(len(a))
class C:
    def __init__(s, n): s.n = n
    def __lt__(s, o): b.append(1); return s.n < o.n
b = [C(i % 7) for i in range(50)]
outcome(b.sort); print(len(b))
class D:
    def __lt__(s, o): del c[:]; gc.collect(); return True
c = [D() for i in range(20)]; outcome(c.sort)
class E:
    def __lt__(s, o): E.n -= 1; return E.n % 3 == 0
E.n = 1000; outcome(sorted, [E() for _ in range(100)])
''',
    "dict": '''
class K:
    def __init__(s, h): s.h = h
    def __hash__(s): return s.h % 3
    def __eq__(s, o):
        act(); return s is o
def act(): pass
def run(action):
    global act, d
    d = {K(i): i for i in range(30)}; n = [0]
    def act():
        n[0] += 1
        if n[0] < 500: action(d)
    for f in (lambda: d[K(1)], lambda: d.setdefault(K(2), 1), lambda: d.pop(K(1), 0), lambda: d.update({K(i): 1 for i in range(9)}), lambda: K(0) in d, lambda: d == {K(i): i for i in range(30)},
              lambda: d.__delitem__(K(3)), lambda: dict(d), lambda: d | {K(1): 2}, lambda: {**d, **d}, lambda: d.keys() & [K(1)], lambda: d.items() == d.copy().items(), lambda: d.keys() - {K(1)}, lambda: d.items() ^ {(K(1), 2)}, lambda: d.fromkeys([K(1), K(1)]), lambda: d.keys().isdisjoint([K(1)]), lambda: d.popitem(), lambda: set(d) & {K(1)}, lambda: set(d) == set([K(i) for i in range(30)]),
              lambda: {K(1), K(4), K(7)}.union([K(1)]), lambda: {K(1), K(4)} <= {K(1), K(4)}, lambda: frozenset([K(1), K(4)]) ^ {K(1)}, lambda: {K(1)}.symmetric_difference([K(1), K(4)])):
        try: f()
        except (KeyError, RuntimeError, RecursionError): pass
    act = lambda: None
run(lambda d: d.clear()); run(lambda d: d.update({object(): 1 for _ in range(20)})); run(lambda d: d.popitem() if d else 0); run(lambda d: (d.clear(), d.update(a=1))); run(lambda d: d.__init__(b=2))
print("done")
''',
    "set": '''
class K:
    def __init__(s, h): s.h = h
    def __hash__(s): return s.h % 3
    def __eq__(s, o):
        if K.n < 3000: K.n += 1; K.action()
        return s is o
for action in (lambda: s.clear(), lambda: s.update(range(50)), lambda: s.pop() if s else 0, lambda: s.__init__([1])):
    K.n = 0; K.action = lambda: None
    s = {K(i) for i in range(30)}; t = {K(i) for i in range(30)}
    K.action = action
    for f in (lambda: s | t, lambda: s & t, lambda: s - t, lambda: s ^ t, lambda: s == t, lambda: s <= t, lambda: s.update(t), lambda: s.difference_update(t), lambda: s.intersection_update(t), lambda: s.symmetric_difference_update(t), lambda: s.add(K(1)), lambda: s.discard(K(2)), lambda: s.remove(K(1)), lambda: s.isdisjoint(t), lambda: s.copy(), lambda: s.issuperset([K(1)]), lambda: t.difference(s), lambda: t.intersection(s)):
        try: f()
        except (KeyError, RuntimeError): pass
print("done")
''',
    "sequences": '''
import array, collections, bisect, heapq
class I:
    def __index__(s): a[:] = type(a)(a[:1]) if len(a) > 1 else a; return 5
    __int__ = __index__
class E:
    def __eq__(s, o): act(); return False
    def __lt__(s, o): act(); return True
def act(): x.clear()
for a in ([1] * 20, bytearray(20), array.array("i", [1] * 20)):
    for f in (lambda: a[I():I()], lambda: a.__setitem__(slice(I(), I()), a), lambda: a.__delitem__(slice(I(), 20, I())), lambda: a[I()], lambda: a.__setitem__(I(), I()), lambda: a.insert(I(), I()), lambda: a.pop(I()), lambda: a * I(), lambda: a.append(I()), lambda: a.extend([I(), I()]), lambda: a.__setitem__(slice(0, 20, 2), [I()] * 10), lambda: a.index(1, I(), I()), lambda: a.remove(I())):
        try: a.extend([1] * 20); f()
        except (IndexError, ValueError, TypeError, BufferError, OverflowError): pass
for x in ([E() for _ in range(20)], collections.deque(E() for _ in range(20))):
    y = list(x)
    for f in (lambda: x.index(5), lambda: x.count(5), lambda: x.remove(5), lambda: 5 in x, lambda: x == type(x)(y), lambda: x < type(x)(y), lambda: sorted(x), lambda: min(x), lambda: max(x), lambda: bisect.bisect(x, E()), lambda: bisect.insort(x, E()), lambda: heapq.heapify(x), lambda: heapq.heappush(x, E()), lambda: heapq.heappop(x), lambda: heapq.heapreplace(x, E()), lambda: heapq.heappushpop(x, E()), lambda: heapq.nlargest(3, x), lambda: (x + x) == (x + x), lambda: tuple(x) == tuple(y)):
        try: x.extend(y); f()
        except (ValueError, IndexError, RuntimeError, TypeError): pass
d = collections.deque(range(100), 50)
def g():
    for i in range(30): d.rotate(3); d.append(i); yield i
for f in (lambda: d.extend(g()), lambda: d.extendleft(g()), lambda: [d.clear() for _ in d], lambda: [d.append(1) for _ in d], lambda: d.extend(d), lambda: d.__iadd__(d), lambda: d.__imul__(1000000), lambda: [d.pop() for _ in reversed(d)]): outcome(f)
l = [1, 2, 3]
for i in l:
    if len(l) < 1000: l.append(i)
l = list(range(100))
print([l.pop() for _ in l].__len__(), [l.clear() for _ in iter(l)].__len__())
''',
    "ordered dict": '''
from collections import OrderedDict as O
class K:
    def __init__(s, h): s.h = h
    def __hash__(s): return s.h % 3
    def __eq__(s, o): act(); return s is o
def act(): pass
for action in (lambda: d.clear(), lambda: d.popitem() if d else 0, lambda: d.update(a=1), lambda: d.move_to_end(next(iter(d))) if d else 0, lambda: dict.clear(d), lambda: dict.__delitem__(d, next(iter(d))) if d else 0):
    act = lambda: None
    d = O((K(i), i) for i in range(30)); e = O((K(i), i) for i in range(30)); n = [0]
    def act():
        n[0] += 1
        if n[0] < 300: action()
    for f in (lambda: d == e, lambda: d.move_to_end(K(1)), lambda: d.pop(K(1), 1), lambda: d.setdefault(K(1)), lambda: d.update(e), lambda: d | e, lambda: list(reversed(d)), lambda: d.copy(), lambda: [action() for _ in d], lambda: [action() for _ in d.items()], lambda: repr(d), lambda: d.__delitem__(K(2)), lambda: d.popitem(False), lambda: d.__reduce__(), lambda: dict(d), lambda: [action() for _ in reversed(d.items())], lambda: d.__init__(e), lambda: gc.collect()):
        try: f()
        except (KeyError, RuntimeError, TypeError, ValueError, StopIteration): pass
print("done")
''',
    "buffers": '''
import array, struct, io, mmap, hashlib, zlib, socket, os
class R:
    def __init__(s, f): s.f = f
    def __index__(s):
        try: s.f()
        except BaseException as e: pass
        return 3
    def __bool__(s): return bool(s.__index__())
for make in (lambda: bytearray(64), lambda: array.array("B", range(64)), lambda: mmap.mmap(-1, 4096)):
    b = make(); m = memoryview(b)
    def rel():
        m.release()
        try: del b[8:]
        except TypeError: b.close()
    for f in (lambda: struct.pack_into("bbb", m, 0, R(rel), 2, R(rel)), lambda: m.__setitem__(0, R(rel)), lambda: m[R(rel)], lambda: m[R(rel):R(rel)], lambda: m.__setitem__(slice(0, 3), bytes(R(rel))), lambda: struct.unpack_from("bb", m, R(rel)), lambda: m.cast("B", [R(rel), 2]), lambda: m.hex("-", R(rel)), lambda: bytes(m)[R(rel)], lambda: struct.pack_into("?b", m, R(rel), R(rel), 1), lambda: b.find(b"x", R(rel)), lambda: b.__setitem__(slice(R(rel), 9), b"abc"), lambda: b.__delitem__(R(rel)),
              lambda: m == R(rel), lambda: io.BytesIO(m).read(R(rel)), lambda: hashlib.blake2b(m, digest_size=R(rel)), lambda: zlib.decompress(m, bufsize=R(rel)), lambda: zlib.compress(m, R(rel)), lambda: m.tolist()[R(rel)], lambda: b.insert(R(rel), R(rel)), lambda: b.pop(R(rel))):
        try: b = make(); m = memoryview(b); f()
        except (TypeError, ValueError, BufferError, struct.error, IndexError, OverflowError, NotImplementedError, zlib.error, SystemError, AttributeError) as e: pass
bio = io.BytesIO(b"x" * 100); v = bio.getbuffer()
for f in (lambda: bio.write(b"y" * 1000), bio.close, lambda: bio.truncate(1), lambda: bio.__setstate__((b"a", 0, None)), lambda: bio.__init__(b"z")): outcome(f)
v.release()
class Raw(io.RawIOBase):
    def readable(s): return True
    def writable(s): return True
    def seekable(s): return True
    def readinto(s, m): kept.append(m); return Raw.n
    def write(s, m): kept.append(m); return Raw.n
    def seek(s, *a): return Raw.n
    def tell(s): return Raw.n
for Raw.n in (3, 10 ** 9, -5, None, 2 ** 70, "x"):
    kept = []
    for make in (lambda: io.BufferedReader(Raw(), 16), lambda: io.BufferedWriter(Raw(), 16), lambda: io.BufferedRandom(Raw(), 16)):
        for f in (lambda x: x.read(5), lambda x: x.read1(5), lambda x: x.peek(), lambda x: x.readinto(bytearray(40)), lambda x: x.write(b"a" * 100), lambda x: x.flush(), lambda x: x.seek(5), lambda x: x.tell(), lambda x: x.readline(), lambda x: x.truncate(3), lambda x: x.detach(), lambda x: x.close()):
            try: f(make())
            except BaseException as e: pass
    for m in kept:
        try: m[0:1]; bytes(m)
        except ValueError: pass
print("done")
''',
    "reentrant io": '''
import io
class Raw(io.RawIOBase):
    b, depth = None, 0
    def readable(s): return True
    def writable(s): return True
    def seekable(s): return True
    def act(s):
        Raw.depth += 1
        for f in () if Raw.depth > 200 else (lambda: s.b.read(1), lambda: s.b.write(b"x"), lambda: s.b.flush(), lambda: s.b.close(), lambda: s.b.detach(), lambda: s.b.__init__(Raw())):
            try: f()
            except (RuntimeError, ValueError, OSError, AttributeError, TypeError): pass
    def readinto(s, m): s.act(); return 1
    def write(s, m): s.act(); return len(m)
    def seek(s, p, w=0): s.act(); return 0
    def tell(s): s.act(); return 0
    def close(s): s.act(); super().close()
    def flush(s): s.act()
for kind in (io.BufferedReader, io.BufferedWriter, io.BufferedRandom):
    for f in ("read", "write", "flush", "seek", "tell", "close", "detach", "peek", "readline", "truncate"):
        Raw.depth = 0; raw = Raw(); raw.b = b = kind(raw, 8)
        try: getattr(b, f)(*({"write": (b"abc" * 9,), "seek": (5,), "read": (3,)}.get(f, ())))
        except (RuntimeError, ValueError, OSError, AttributeError, TypeError, RecursionError): pass
class Dec:
    def __init__(s, *a): pass
    def decode(s, b, final=False): 
        try: t.read(1); t.close(); t.detach()
        except (ValueError, RuntimeError, OSError, AttributeError, TypeError, io.UnsupportedOperation): pass
        return "x" * len(b)
    def getstate(s): return (b"", 0)
    def setstate(s, x): pass
    def reset(s): pass
import codecs
codecs.register(lambda n: codecs.CodecInfo(codecs.utf_8_encode, codecs.utf_8_decode, incrementaldecoder=Dec, incrementalencoder=codecs.IncrementalEncoder, name="evil") if n == "evil" else None)
for f in (lambda: t.read(), lambda: t.readline(), lambda: t.read(3), lambda: next(t), lambda: t.tell(), lambda: t.seek(1)):
    t = io.TextIOWrapper(io.BytesIO(b"abc\\n" * 99), "evil")
    try: f()
    except (ValueError, RuntimeError, OSError, AttributeError, TypeError, RecursionError): pass
print("done")
''',
    "closed files": '''
import io, os, tempfile
for make in (lambda: open(os.devnull, "rb", 0), lambda: open(os.devnull, "rb"), lambda: open(os.devnull, "wb"), lambda: open(os.devnull), lambda: open(os.devnull, "w"), lambda: io.BytesIO(), lambda: io.StringIO(), lambda: io.BufferedRWPair(io.BytesIO(), io.BytesIO())):
    for prepare in (lambda f: f.close(), lambda f: f.detach(), lambda f: os.close(f.fileno()), lambda f: None):
        f = make()
        try: prepare(f)
        except (io.UnsupportedOperation, AttributeError, ValueError, OSError): pass
        for n in sorted(dir(f)):
            for a in ((), (5,), (b"x",), ("x",), (-1, 2), (bytearray(4),), ([b"x"],), (None,)):
                try: getattr(f, n)(*a) if n not in ("close", "detach") else None
                except Exception: pass
        try: f.close()
        except Exception: pass
for kind in (io.FileIO, io.BufferedReader, io.BufferedWriter, io.BufferedRandom, io.TextIOWrapper, io.BufferedRWPair, io.StringIO, io.BytesIO, io.IncrementalNewlineDecoder):
    f = kind.__new__(kind)
    for n in sorted(dir(f)):
        for a in ((), (5,), (b"x",), ("x",)):
            try: getattr(f, n)(*a)
            except Exception: pass
print("done")
''',
    "uninitialised": '''
import types, collections, functools, itertools, weakref, threading, queue, array, datetime, decimal, json, csv, re, struct, sqlite3, zlib, select, socket, random, contextvars, asyncio, _thread, xml.parsers.expat, xml.etree.ElementTree, zoneinfo, hashlib, hmac, pickle, bz2, lzma, operator, mmap, ssl, _asyncio, _io, _ast, _struct, _csv, _json, _pickle, _queue, _elementtree
seen = set()
for m in list(sys.modules.values()):
    for n, t in list(vars(m).items()):
        if not isinstance(t, type) or t in seen or t.__module__ in ("__main__",) or t.__flags__ & (1 << 9) == 0 and False: continue
        if issubclass(t, (threading.Thread,)) or t.__name__ in ("FileIO", "socket", "_thread", "SocketType") or "ctypes" in t.__module__: continue
        if "Frozen" in t.__name__ or "mport" in t.__name__ or "Finder" in t.__name__ or "Loader" in t.__name__: continue
        seen.add(t)
        if t.__new__ is object.__new__ and t.__init__ is object.__init__: continue
        try: o = t.__new__(t)
        except Exception: continue
        if not (t.__flags__ >> 9 & 1) or 1:
            for n in sorted(dir(o)):
                if n in ("__class__", "__init_subclass__", "__subclasshook__", "acquire", "wait", "get", "put", "join", "run_forever", "select", "poll", "serve_forever", "interact", "cmdloop", "set_trace", "input", "_exit", "abort", "accept", "recv", "run_until_complete", "breakpoint", "acquire_lock", "communicate", "start", "run", "_bootstrap", "runcall", "runeval", "_wait_for_tstate_lock", "user_line") or n.startswith(("wait", "serve")): continue
                for a in ((), (1,), ("x", 1)):
                    try: getattr(o, n)(*a)
                    except BaseException as e:
                        pass
        try: del o
        except Exception: pass
print("done")
''',
    # ---- generators, classes ----
    'generators': '''
import threading, types
def g():
    try: yield 1
    except GeneratorExit: yield 2
i = g(); next(i); outcome(i.close)
def g(): i.send(1); yield
i = g(); outcome(next, i)
def g():
    try: yield 1
    finally:
        outcome(i.close); outcome(next, i); outcome(i.throw, ValueError)
i = g(); next(i); outcome(i.close)
def g(): yield i.gi_frame.clear()
i = g(); outcome(next, i); i = None
def g():
    x = [1]; yield x; yield x
i = g(); next(i); f = i.gi_frame; outcome(f.clear); outcome(next, i); print(f.f_locals)
def g():
    while True:
        try: yield 1
        except BaseException: pass
i = g(); next(i)
for e in (ValueError, GeneratorExit, StopIteration, KeyboardInterrupt): outcome(i.throw, e)
for a in ((1,), (None,), (ValueError, 1, 2), (ValueError(), 1), ("x",), (int,), (ValueError, None, 5)): outcome(i.throw, *a)
del i
def slow():
    for n in range(200000): yield n
i = slow(); errors = []
def run():
    try:
        while True: next(i)
    except (StopIteration, ValueError) as e: errors.append(type(e).__name__)
ts = [threading.Thread(target=run) for _ in range(4)]
[t.start() for t in ts]; [t.join() for t in ts]
print(len(errors))
async def c(): await d(); return 1
async def d(): outcome(x.send, None); outcome(x.close); outcome(x.throw, ValueError)
x = c(); outcome(x.send, None); outcome(x.send, None); outcome(c().__await__().throw, ValueError)
async def ag():
    try: yield 1
    finally: await d()
a = ag(); n = a.__anext__(); outcome(n.send, None); m = a.aclose(); outcome(m.send, None); outcome(n.send, None); outcome(a.athrow(ValueError).send, None)
a = ag(); n1 = a.__anext__(); n2 = a.__anext__()
outcome(n1.send, None); outcome(n2.send, None); outcome(n1.throw, ValueError); outcome(n2.close)
def yf(): yield from y
y = yf(); outcome(next, y)
class It:
    def __iter__(s): return s
    def __next__(s): return 1
    def send(s, x): w.close()
    def throw(s, *a): w.throw(ValueError)
    def close(s): next(w)
def dg(): yield from It()
w = dg(); next(w); outcome(w.send, 1); outcome(w.throw, KeyError); outcome(w.close)
class Del:
    def __del__(s):
        try: next(s.g)
        except BaseException: pass
def h(o): yield o; yield o
o = Del(); o.g = h(o); next(o.g); del o; gc.collect()
''',
    'classes': '''
class M(type):
    def mro(c): return (c,) + tuple(R.get(c.__name__, ())) + (object,)
R = {}
outcome(lambda: M("A", (), {}))
R["B"] = (int,); outcome(lambda: M("B", (), {}))
R["C"] = (5,); outcome(lambda: M("C", (), {}))
class N(type):
    def mro(c):
        try: c.__bases__ = (int,)
        except TypeError: pass
        try: c.x
        except AttributeError: pass
        c.y = 1
        gc.collect(); type.__subclasses__(object)
        return type.mro(c)
outcome(lambda: N("D", (), {}))
class O(type):
    def mro(c): return []
outcome(lambda: O("E", (), {})().x)
class P(type):
    def mro(c): return [c]
outcome(lambda: P("E", (), {}).__init__)
outcome(lambda: P("E", (), {})())
class X: pass
class Y(X): pass
class Z(Y): pass
for b in ((Z,), (int,), (), (object,), (X, X), (type,), 5, (5,), (Y, X), (type(None),), (bool,)): outcome(setattr, X, "__bases__", b); outcome(setattr, Y, "__bases__", b)
class S1: __slots__ = "a", "b"
class S2: __slots__ = "a", "b"
class S3: __slots__ = "a",
class S4(int): pass
class S5: __slots__ = "a", "__dict__"
objs = [X(), S1(), S2(), S3(), S4(), S5(), 5, None, X, sys, lambda: 1]
for o in objs:
    for c in (X, S1, S2, S3, S4, S5, int, type, object, type(sys), None, M): outcome(setattr, o, "__class__", c)
for s in ("a b", "", "1", ("a", "a"), ("__dict__", "__dict__"), ("__weakref__",) * 2, 5, [1], None, ("a",) * 3, "__class__", ("x",), {"a": 1}, iter("ab"), ("\\ud800",), ("__slots__",)): outcome(lambda: type("T", (), {"__slots__": s}) and None); outcome(lambda: type("T", (int,), {"__slots__": s}) and None); outcome(lambda: type("T", (), {"__slots__": s, "a": 1}) and None)
class D:
    def __get__(s, i, o):
        try: del Q.d
        except AttributeError: pass
        Q.e = D(); Q.__dict__; return 5
    def __set__(s, i, v):
        for n in list(vars(Q)):
            if n[0] != "_": delattr(Q, n)
class Q: d = D(); e = D()
q = Q()
for _ in range(50):
    Q.d = D(); Q.e = D(); q.d; q.e; q.d = 1; outcome(lambda: q.e) if _ == 5 else 0
class K(str):
    def __hash__(s): act(); return hash(str(s))
    def __eq__(s, o): act(); return str(s) == o
def act():
    for n in ("w", "v"):
        try: delattr(W, n)
        except (AttributeError, RecursionError): pass
class W: w = 1; v = 2
for f in (lambda: getattr(W(), K("w")), lambda: setattr(W, K("w"), 1), lambda: type("W2", (W,), {K("w"): 1}).w, lambda: W().__dict__.update({K("w"): 3}), lambda: getattr(W, "w"), lambda: vars(W)[K("v")], lambda: hasattr(W(), K("v"))): outcome(f)
w = W(); w.__dict__ = {K("w"): 1}; outcome(lambda: w.w); outcome(lambda: setattr(w, "w", 2)); outcome(lambda: setattr(w, "__dict__", 5)); outcome(lambda: delattr(w, "__dict__")); w.__dict__ = type("DD", (dict,), {"__getitem__": lambda s, k: 9})(); outcome(lambda: w.w)
outcome(lambda: type("T", (bool,), {})); outcome(lambda: type("T", (type(None),), {})); outcome(lambda: type("T", (S1, S2), {})); outcome(lambda: type("T", (int, str), {})); outcome(lambda: type("T", (type(lambda: 1),), {})); outcome(lambda: type("T", (), {1: 2})); outcome(lambda: type("T\\0", (), {})); outcome(lambda: type("\\ud800", (), {}))
outcome(lambda: object.__new__(int)); outcome(lambda: int.__new__(object)); outcome(lambda: object.__new__(type)); outcome(lambda: type.__new__(type)); outcome(lambda: type.__call__(type)); outcome(lambda: type.__setattr__(int, "x", 1)); outcome(lambda: object.__setattr__(X, "x", 1)); outcome(lambda: type.__delattr__(X, "zz")); outcome(lambda: dict.__setitem__(X.__dict__, "a", 1)); outcome(lambda: super(X, 5)); outcome(lambda: super(5, X)); outcome(lambda: super().x); outcome(lambda: super(X, Z()).zz); outcome(lambda: object.__reduce_ex__(S1(), 1)); outcome(lambda: type.__subclasses__(type)); outcome(lambda: type.mro(type)); outcome(lambda: X.__init_subclass__(5)); outcome(lambda: int.__add__("a", 1)); outcome(lambda: list.append(5, 1)); outcome(lambda: S1.a.__get__(S2())); outcome(lambda: S1.a.__set__(5, 1)); outcome(lambda: S1.__dict__["a"].__get__(None, None)); outcome(lambda: X.__dict__["__weakref__"].__get__(5)); outcome(lambda: type.__dict__["__mro__"].__get__(5)); outcome(lambda: type.__dict__["__bases__"].__set__(int, ())); outcome(lambda: type.__dict__["__name__"].__set__(X, 5)); outcome(lambda: setattr(X, "__name__", "a\\0b")); outcome(lambda: setattr(X, "__qualname__", 5)); outcome(lambda: setattr(X, "__doc__", 5)); outcome(lambda: delattr(X, "__name__")); outcome(lambda: setattr(X, "__abstractmethods__", 5)); outcome(lambda: setattr(X, "__abstractmethods__", ["a"])); outcome(lambda: X()); outcome(lambda: setattr(X, "__module__", 5)); outcome(lambda: repr(X)); outcome(lambda: setattr(X, "__annotations__", 5))
def fn(): pass
for n in ("__code__", "__defaults__", "__kwdefaults__", "__closure__", "__globals__", "__dict__", "__name__", "__annotations__", "__builtins__"):
    for v in (None, 5, (), {}, "a", compile("1", "x", "exec"), (lambda x: lambda: x)(1).__code__, (1, 2, 3)):
        outcome(setattr, fn, n, v)
    outcome(delattr, fn, n); outcome(fn)
''',
}


def run(python, program, timeout):
    """(how it ended, what it printed, what it complained)."""
    try:
        done = subprocess.run([python, "-c", HEADER + program], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=timeout)
    except subprocess.TimeoutExpired as late:
        return "timeout", late.stdout or b"", late.stderr or b""
    if done.returncode < 0:
        return signal.Signals(-done.returncode).name, done.stdout, done.stderr
    return done.returncode, done.stdout, done.stderr


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--only")
    parser.add_argument("--oracle")
    parser.add_argument("--timeout", type=float, default=120)
    options = parser.parse_args()
    bad = 0
    for name, program in CASES.items():
        if options.only not in (None, name):
            continue
        begin = time.monotonic()
        end, output, errors = run(sys.executable, program, options.timeout)
        lines = output.decode(errors="replace").splitlines()
        print(f"{name}: {end}, {time.monotonic() - begin:.1f} s", flush=True)
        if end != 0:
            bad += 1
            print(lines[-3:], errors.decode(errors="replace")[-1500:])
        if options.oracle:
            expected, output, _ = run(options.oracle, program, options.timeout)
            for i, (ours, theirs) in enumerate(zip(lines, output.decode(errors="replace").splitlines())):
                if ours != theirs:
                    print(f"  line {i}: {ours!r}, the other one {theirs!r}")
            if expected != end:
                print(f"  the other one ends with {expected}")
    print(f"{bad} bad")
    return bad != 0


if __name__ == "__main__":
    sys.exit(main())
