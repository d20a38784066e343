"""Calls methods of built-in types with random and nasty arguments, in child processes, and reports children that crash.

    fuzz_builtins.py [--seed N] [--rounds N] [--steps N] [--seconds N]     run children, print what crashed
    fuzz_builtins.py --child SEED --steps N [--verbose]                    one child: to reproduce a crash

Exceptions are what is to be expected. A crash is a child that dies of a signal; one that does not end in a minute is mentioned
(counting the items of a huge range takes for ever). The same seed gives the
same calls in the same interpreter; --verbose prints each call before it is made."""
import argparse
import os
import random
import signal
import subprocess
import sys
import time

MEMORY_LIMIT = 1 << 31
CHILD_TIMEOUT = 60

# Calls that would end, block or touch the world rather than test an object.
FORBIDDEN = {"breakpoint", "input", "exit", "quit", "help", "open", "print", "exec", "eval", "compile", "__import__",
             "copyright", "credits", "license"}


class Nasty:
    """An object whose special methods do what `program` says, at random."""

    def __init__(self, program):
        self.program = program

    def act(self, name, *default):
        return self.program.misbehave(self, name, *default)

    def __hash__(self): return self.act("hash", 7)
    def __eq__(self, other): return self.act("eq", True)
    def __lt__(self, other): return self.act("lt", False)
    def __gt__(self, other): return self.act("gt", True)
    def __le__(self, other): return self.act("le", True)
    def __index__(self): return self.act("index", 1)
    def __int__(self): return self.act("int", 1)
    def __float__(self): return self.act("float", 1.0)
    def __bool__(self): return self.act("bool", True)
    def __len__(self): return self.act("len", 3)
    def __length_hint__(self): return self.act("length_hint", 3)
    def __iter__(self): return self.act("iter", iter([1, 2, 3]))
    def __next__(self): return self.act("next", 1)
    def __getitem__(self, key): return self.act("getitem", 1)
    def __contains__(self, key): return self.act("contains", True)
    def __repr__(self): return self.act("repr", "nasty")
    def __str__(self): return self.act("str", "nasty")
    def __bytes__(self): return self.act("bytes", b"nasty")
    def __format__(self, spec): return self.act("format", "nasty")
    def __call__(self, *args, **kwargs): return self.act("call", None)
    def __add__(self, other): return self.act("add", 1)
    def __radd__(self, other): return self.act("radd", 1)
    def __mul__(self, other): return self.act("mul", 1)
    def __rmul__(self, other): return self.act("rmul", 1)
    def __mod__(self, other): return self.act("mod", 1)
    def __rmod__(self, other): return self.act("rmod", 1)
    def __or__(self, other): return self.act("or", 1)
    def __ror__(self, other): return self.act("ror", 1)
    def __pow__(self, other, modulus=None): return self.act("pow", 1)
    def __enter__(self): return self.act("enter", None)
    def __reversed__(self): return self.act("reversed", iter([1]))
    def __reduce_ex__(self, protocol): return self.act("reduce_ex", "x")
    def __copy__(self): return self.act("copy", 1)
    def __missing__(self, key): return self.act("missing", 1)
    def __get__(self, instance, owner): return self.act("get", 1)
    def __set_name__(self, owner, name): return self.act("set_name", None)
    def __instancecheck__(self, cls): return self.act("instancecheck", True)
    def __class_getitem__(cls, item): return cls
    def keys(self): return self.act("keys", ["a", "b"])
    def items(self): return self.act("items", [("a", 1)])

    def __del__(self):
        try:
            self.act("del", None)
        except BaseException:
            pass


class NastyList(list):
    def __del__(self): self.append(1)


class NastyStr(str):
    def __hash__(self): return 7
    def __eq__(self, other): return True


class NastyInt(int):
    def __index__(self): return -1
    def __eq__(self, other): return NotImplemented
    __hash__ = int.__hash__


class Slots:
    __slots__ = ("a", "b", "__weakref__")


class Plain:
    x = 1


class Getattr:
    def __getattr__(self, name): return getattr(self, name + "x") if len(name) < 30 else name


class Program:
    """A pool of objects, and random calls on them."""

    def __init__(self, seed, verbose):
        self.random = random.Random(seed)
        self.verbose = verbose
        self.depth = 0
        self.pool = []
        self.refill()

    # ---- objects ----

    def simple(self):
        r = self.random
        return r.choice([
            lambda: r.choice([0, 1, -1, 2, 3, 7, 255, 256, -128, 2**31, 2**62, -2**62, 2**63, -2**63, 2**64, 10**30, sys.maxsize,
                              -sys.maxsize - 1]),
            lambda: r.choice([0.0, -0.0, 1.5, -2.25, 1e308, 1e-320, float("inf"), float("nan"), 2.0**62]),
            lambda: r.choice(["", "a", "abc", "\u00e9t\u00e9", "\u20ac\u4e2d", "\U0001f600x", "\ud800", "a\0b", "%s", "{}", "{0.a[1]!r:>{1}}",
                              "x" * 70, " a b\tc\n", "utf-8", "strict", "replace", "surrogateescape", "d", "B", "i", "\u0130\u00df\ufb01"]),
            lambda: r.choice([b"", b"a", b"abc", b"\xff\xfe", b"\x80" * 40, b"%s%d", b"a b\tc\n", b"1_0"]),
            lambda: r.choice([None, True, False, ..., NotImplemented]),
            lambda: r.choice([int, float, str, bytes, list, dict, tuple, set, type, object, bool, range, complex, bytearray, memoryview,
                              frozenset, slice, property, classmethod, super, enumerate, zip, map, filter, reversed, BaseException,
                              ValueError, Plain, Slots, len, repr, hash, sorted, iter, next, id, max, sum]),
            lambda: complex(r.choice([0, 1.5, float("nan")]), r.choice([-0.0, 2, float("inf")])),
        ])()

    def fresh(self):
        r, some = self.random, self.pick
        return r.choice([
            lambda: [some() for _ in range(r.randrange(6))],
            lambda: tuple(some() for _ in range(r.randrange(6))),
            lambda: {self.key(): some() for _ in range(r.randrange(6))},
            lambda: {self.key() for _ in range(r.randrange(6))},
            lambda: frozenset(self.key() for _ in range(r.randrange(6))),
            lambda: bytearray(r.randbytes(r.randrange(20))),
            lambda: memoryview(bytearray(r.randbytes(16))),
            lambda: memoryview(r.randbytes(16)).cast(r.choice("BbhHiIlLqQfd?c")),
            lambda: range(r.randrange(-9, 9), r.randrange(-9, 99), r.choice([1, -1, 3])),
            lambda: slice(some(), some(), some()),
            lambda: iter(some()),
            lambda: reversed(some()),
            lambda: enumerate(some(), self.simple()),
            lambda: zip(some(), some()),
            lambda: map(some(), some()),
            lambda: filter(some(), some()),
            lambda: (x for x in some()),
            lambda: property(some(), some()),
            lambda: classmethod(some()),
            lambda: staticmethod(some()),
            lambda: super(type(some()), some()),
            lambda: Nasty(self), lambda: Nasty(self), lambda: Nasty(self),
            lambda: NastyList([some()]),
            lambda: NastyStr("abc"),
            lambda: NastyInt(5),
            lambda: Slots(), lambda: Plain(), lambda: Getattr(),
            lambda: type("T", (r.choice([object, list, dict, int, str, tuple, set, Exception, bytes, float]),), {"a": some()}),
            lambda: ValueError(some()),
            lambda: list[some()], lambda: dict[some(), some()], lambda: int | type(some()),
            lambda: some().keys(), lambda: some().items(), lambda: some().values(),
            lambda: r.choice([" ", "ab"]) * r.randrange(1000),
            lambda: self.random.randrange(1 << r.randrange(1, 3000)),
        ])()

    def key(self):
        value = self.pick()
        try:
            hash(value)
        except Exception:
            value = self.simple()
        return value

    def pick(self):
        return self.random.choice(self.pool) if self.random.random() < 0.6 else self.simple()

    def keep(self, value):
        if len(self.pool) < 60:
            self.pool.append(value)
        else:
            self.pool[self.random.randrange(len(self.pool))] = value

    def refill(self):
        self.pool = [self.simple() for _ in range(20)]
        for _ in range(25):
            try:
                self.keep(self.fresh())
            except Exception:
                pass

    # ---- calls ----

    def misbehave(self, nasty, name, default=None):
        r = self.random
        self.depth += 1
        try:
            if self.depth < 4:
                what = r.random()
                if what < 0.25:
                    self.step()
                elif what < 0.4:
                    self.mutate()
                elif what < 0.45:
                    raise r.choice([ValueError, TypeError, StopIteration, IndexError, KeyError, MemoryError, RecursionError, AttributeError])
                elif what < 0.55:
                    return self.pick()
            return default
        finally:
            self.depth -= 1

    def mutate(self):
        """Takes away what somebody may be looking at."""
        victim = self.random.choice(self.pool)
        for name in self.random.sample(["clear", "pop", "popitem", "release", "close", "reverse", "sort"], 2):
            method = getattr(type(victim), name, None)
            if method is not None:
                try:
                    method(victim)
                except Exception:
                    pass
        if self.random.random() < 0.3:
            self.pool[self.random.randrange(len(self.pool))] = None

    def arguments(self):
        return [self.pick() for _ in range(self.random.choice([0, 0, 1, 1, 1, 2, 2, 3, 4]))]

    def call(self, where, function, args, kwargs):
        if self.verbose:
            text = ", ".join(self.describe(a) for a in args)
            print("  " * self.depth + f"{where}({text}{', ' + str(list(kwargs)) if kwargs else ''})", flush=True)
        return function(*args, **kwargs)

    def describe(self, value):
        if type(value) in (int, float, str, bytes, bool, type(None), type, complex):
            text = repr(value)
            return text if len(text) < 60 else text[:60] + "..."
        return f"<{type(value).__name__}>"

    def call_method(self):
        receiver = self.pick()
        kind = receiver if isinstance(receiver, type) and self.random.random() < 0.5 else type(receiver)
        name = self.random.choice(dir(kind))
        method = getattr(receiver, name, None)
        if not callable(method) or name in ("program", "act") or name in FORBIDDEN:
            return None
        kwargs = {}
        if self.random.random() < 0.1:
            kwargs[self.random.choice(["key", "reverse", "sep", "maxsplit", "encoding", "errors", "default", "byteorder", "signed", "x"])] = \
                self.pick()
        return self.call(f"{self.describe(receiver)}.{name}", method, self.arguments(), kwargs)

    def call_builtin(self):
        names = [n for n in dir(__builtins__) if n not in FORBIDDEN and callable(getattr(__builtins__, n)) and n[0] != "_"]
        name = self.random.choice(names)
        return self.call(name, getattr(__builtins__, name), self.arguments(), {})

    def operate(self):
        a, b, c = self.pick(), self.pick(), self.pick()
        r = self.random
        name, function = r.choice([
            ("+", lambda: a + b), ("-", lambda: a - b), ("*", lambda: a * b), ("/", lambda: a / b), ("//", lambda: a // b),
            ("%", lambda: a % b), ("<<", lambda: a << b if type(b) is not int or b < 9999 else 0), ("&", lambda: a & b),
            ("|", lambda: a | b), ("^", lambda: a ^ b), ("==", lambda: a == b), ("<", lambda: a < b), ("in", lambda: a in b),
            ("[]", lambda: a[b]), ("[:]", lambda: a[b:c]), ("set[]", lambda: a.__setitem__(b, c)), ("del[]", lambda: a.__delitem__(b)),
            ("slice=", lambda: a.__setitem__(slice(b, c), self.pick())), ("f", lambda: f"{a!r:.5}{b}{c!a}"), ("**", lambda: {**a}),
            ("*", lambda: [*a, *b]), ("unpack", lambda: (lambda x, *y: y)(*a)), ("repr", lambda: repr(a)), ("hash", lambda: hash(a)),
            ("setattr", lambda: setattr(a, r.choice(["a", "__class__", "__dict__", "__bases__", "__doc__", "x"]), b)),
            ("delattr", lambda: delattr(a, r.choice(["a", "__class__", "__dict__", "x"]))),
            ("+=", lambda: self.inplace(a, b)), ("match", lambda: self.match(a)), ("sort", lambda: sorted(a, key=b)),
        ])
        return self.call(f"{self.describe(a)} {name}", lambda *args: function(), (b, c), {})

    def inplace(self, a, b):
        a += b
        return a

    def match(self, a):
        match a:
            case [x, *rest]: return rest
            case {"a": y, **rest}: return rest
            case str(s): return s
            case int(real=r): return r
        return None

    def step(self):
        action = self.random.choices([self.call_method, self.call_builtin, self.operate, self.fresh], [5, 2, 4, 2])[0]
        try:
            result = action()
        except RecursionError:
            self.refill()
        except Exception:
            pass
        except BaseException as error:          # BaseException subclasses come from the pool
            if isinstance(error, KeyboardInterrupt):
                raise
        else:
            self.keep(result)

    def run(self, steps):
        for i in range(steps):
            self.step()
            if i % 500 == 499:
                self.refill()


def child(seed, steps, verbose):
    import resource
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT, MEMORY_LIMIT))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.unraisablehook = lambda args: None
    sys.setrecursionlimit(400)
    import warnings
    warnings.simplefilter("ignore")
    Program(seed, verbose).run(steps)


def parent(seed, rounds, steps, seconds):
    end = time.monotonic() + seconds
    crashes = slow = 0
    for i in range(rounds):
        if time.monotonic() > end:
            break
        command = [sys.executable, os.path.abspath(__file__), "--child", str(seed + i), "--steps", str(steps)]
        try:
            done = subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=CHILD_TIMEOUT,
                                  env={**os.environ, "PYTHONHASHSEED": "0"})
            status, output = done.returncode, done.stderr.decode(errors="replace")
        except subprocess.TimeoutExpired:
            print(f"seed {seed + i}: not ended after {CHILD_TIMEOUT} s", flush=True)
            slow += 1
            continue
        if status in (0, 1):
            continue
        crashes += 1
        name = signal.Signals(-status).name if status < 0 else f"status {status}"
        print(f"seed {seed + i}: {name}\n{output[-500:]}", flush=True)
    print(f"{i + 1} children of {steps} steps from seed {seed}: {crashes} crashed, {slow} not ended")
    return crashes != 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--seconds", type=float, default=600)
    parser.add_argument("--child", type=int)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    if options.child is not None:
        return child(options.child, options.steps, options.verbose)
    return parent(options.seed, options.rounds, options.steps, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
