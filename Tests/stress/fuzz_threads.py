"""Methods, operators and functions picked at random, on objects of the built-in types that several threads share.

Whatever is raised is fine; a crash, a hang or memory that grows without end is a bug of the interpreter. Each round has its own
seed and is run by a child process, so that a crash is reported with what repeats it:
    fuzz_threads.py --seed N --rounds 1 [--trace]"""
import _random
import argparse
import array
import bisect
import collections
import contextvars
import copy
import functools
import heapq
import io
import itertools
import operator
import os
import random
import re
import struct
import subprocess
import sys
import threading
import time
import types
import weakref

import fuzz_modules
from stress_common import memory_mib

ATOMS = int, float, str, bytes, slice, type, type(None)
WEIGHT = 1500           # no op on a container that is worth more elements, counted along all paths


# ---- What is shared ----

class Plain:
    kind = "plain"

    def method(self, *args):
        return len(args)

    @property
    def prop(self):
        return self.__dict__.get("x")


class Other:
    kind = "other"


class Slotted:
    __slots__ = ("x", "y", "__weakref__")


class ListChild(list):
    pass


class DictChild(dict):
    def __missing__(self, key):
        return key


class IntChild(int):
    pass


def numbers(rng, most=20):
    return [rng.randrange(50) for _ in range(rng.randrange(most))]


def letters(rng, most=20):
    return "".join(rng.choice("abcéß€\n\U0001f600") for _ in range(rng.randrange(most)))


def generator_of(items):
    received = None
    for item in items:
        try:
            received = yield (item, received)
        except ValueError as error:
            received = error


def make_function(rng):
    value = rng.randrange(9)

    def function(a=1, *args, b=2, **kwargs):
        nonlocal value
        value += 1
        return a, b, value, len(args), len(kwargs)
    return function


def make_class(rng):
    base = rng.choice((object, Plain, list, dict, int, Exception))
    return type("Made", (base,), {"x": rng.randrange(9), "method": lambda self, *a: a})


def make_match(rng):
    return re.match(r"(?P<a>.)(?P<b>.)?", "xyz")


def make_text(rng):
    return io.TextIOWrapper(io.BytesIO(letters(rng).encode() * 3), encoding=rng.choice(("utf-8", "latin-1", "utf-16")),
                            errors="replace")


def make_cell(rng):
    return types.CellType(rng.randrange(9))


def make_exception(rng):
    try:
        raise rng.choice((ValueError, KeyError, OSError))(1, "two")
    except Exception as error:
        return error


def make_context(rng):
    context = contextvars.copy_context()
    context.run(VARIABLE.set, rng.randrange(9))
    return context


VARIABLE = contextvars.ContextVar("VARIABLE", default=0)

BUILTINS = [
    lambda rng: numbers(rng), lambda rng: ListChild(numbers(rng)), lambda rng: dict.fromkeys(numbers(rng), "v"),
    lambda rng: DictChild(zip(letters(rng), numbers(rng))), lambda rng: {c: c for c in letters(rng)},
    lambda rng: set(numbers(rng)), lambda rng: frozenset(numbers(rng)), lambda rng: tuple(numbers(rng)),
    lambda rng: bytearray(numbers(rng)), lambda rng: bytes(numbers(rng)), lambda rng: letters(rng),
    lambda rng: memoryview(bytearray(numbers(rng) + [1])), lambda rng: array.array(rng.choice("bBhiqd"), numbers(rng)),
    lambda rng: collections.deque(numbers(rng)), lambda rng: collections.deque(numbers(rng), 7),
    lambda rng: collections.OrderedDict(zip(numbers(rng), letters(rng))),
    lambda rng: collections.defaultdict(list, {1: [2]}), lambda rng: collections.Counter(letters(rng)),
    lambda rng: collections.ChainMap({1: 2}, {3: 4}), lambda rng: types.SimpleNamespace(a=1, b=2),
    lambda rng: Plain(), lambda rng: Slotted(), make_class, make_function, lambda rng: Plain().method,
    lambda rng: [].append, lambda rng: functools.partial(max, 3, b=1), lambda rng: functools.lru_cache(3)(make_function(rng)),
    lambda rng: generator_of(numbers(rng)), lambda rng: iter(numbers(rng)), lambda rng: iter(dict.fromkeys(numbers(rng))),
    lambda rng: iter(set(numbers(rng))), lambda rng: iter(bytearray(numbers(rng))), lambda rng: reversed(numbers(rng)),
    lambda rng: enumerate(numbers(rng)), lambda rng: zip(numbers(rng), letters(rng)), lambda rng: map(str, numbers(rng)),
    lambda rng: filter(None, numbers(rng)), lambda rng: itertools.chain(numbers(rng), letters(rng)),
    lambda rng: itertools.islice(numbers(rng), 1, 9, 2), lambda rng: itertools.cycle(numbers(rng)),
    lambda rng: itertools.count(rng.randrange(9), 2), lambda rng: itertools.repeat("x", 9),
    lambda rng: itertools.groupby(sorted(numbers(rng))), lambda rng: itertools.tee(numbers(rng))[0],
    lambda rng: itertools.zip_longest(numbers(rng), letters(rng)), lambda rng: itertools.accumulate(numbers(rng)),
    lambda rng: itertools.product("ab", "cd", repeat=2), lambda rng: itertools.permutations("abcd"),
    lambda rng: itertools.combinations("abcde", 2), lambda rng: itertools.pairwise(numbers(rng)),
    lambda rng: itertools.takewhile(bool, numbers(rng)), lambda rng: itertools.starmap(pow, [(2, 3), (4, 5)]),
    lambda rng: itertools.compress(numbers(rng), numbers(rng)), lambda rng: iter(letters(rng)), lambda rng: iter(range(30)),
    lambda rng: dict.fromkeys(numbers(rng)).keys(), lambda rng: {1: 2, 3: 4}.items(), lambda rng: {1: 2, 3: 4}.values(),
    lambda rng: types.MappingProxyType({1: 2}), lambda rng: weakref.ref(KEPT), lambda rng: weakref.proxy(KEPT),
    lambda rng: weakref.WeakSet([KEPT]), lambda rng: weakref.WeakValueDictionary({1: KEPT}),
    lambda rng: weakref.WeakKeyDictionary({KEPT: 1}), lambda rng: types.ModuleType("made"), make_cell,
    lambda rng: property(len), lambda rng: classmethod(len), lambda rng: staticmethod(len), lambda rng: super(Plain, Plain()),
    lambda rng: _random.Random(1), lambda rng: struct.Struct("<ihb"), lambda rng: re.compile("(a+)(b*)"), make_match,
    lambda rng: re.finditer("[a-c]", letters(rng)), lambda rng: io.BytesIO(bytes(numbers(rng))), lambda rng: io.StringIO(letters(rng)),
    make_text, lambda rng: io.BufferedReader(io.BytesIO(bytes(numbers(rng)))), lambda rng: io.BufferedRandom(io.BytesIO(b"abc")),
    make_exception, lambda rng: make_exception(rng).__traceback__, make_context, lambda rng: threading.local(),
    lambda rng: threading.Lock(), lambda rng: threading.RLock(), lambda rng: slice(1, 2), lambda rng: range(rng.randrange(20)),
    lambda rng: IntChild(5), lambda rng: rng.choice((7, 2 ** 70, 10 ** 40)), lambda rng: rng.random(), lambda rng: complex(1, 2),
    lambda rng: list[int], lambda rng: int | str, lambda rng: operator.itemgetter(1, 2), lambda rng: operator.attrgetter("x"),
    lambda rng: operator.methodcaller("append", 1), lambda rng: io.IncrementalNewlineDecoder(None, True),
]
KEPT = Plain()
FACTORIES = {"builtins": BUILTINS, "modules": fuzz_modules.FACTORIES, "all": BUILTINS + fuzz_modules.FACTORIES}
# Those wait, kill, or make objects of any size.
FORBIDDEN = {"acquire", "acquire_lock", "__enter__", "wait", "_at_fork_reinit", "_acquire_restore", "_release_save", "__del__",
             "cast", "_remove_dead_weakref", "gammavariate", "betavariate", "vonmisesvariate", "paretovariate", "__abstractmethods__"}
FUNCTIONS = [len, repr, str, hash, bool, iter, reversed, enumerate, any, all, min, max, ascii, dir, vars, type, id, callable,
             copy.copy, copy.deepcopy, io.BytesIO, io.StringIO, bytes, bytearray, list, tuple, set, frozenset, dict, sorted, sum,
             memoryview, heapq.heapify, collections.deque, collections.OrderedDict, collections.Counter, isinstance, issubclass,
             getattr, hasattr, format, divmod, round, abs, heapq.heappush, heapq.heappop, heapq.heapreplace, bisect.insort,
             bisect.bisect, functools.reduce, weakref.ref, weakref.getweakrefs, types.SimpleNamespace, array.array, range, slice,
             zip, map, filter, itertools.chain, itertools.tee, itertools.cycle, itertools.groupby, sys.getsizeof, sys.intern]
OPERATORS = [getattr(operator, name) for name in dir(operator) if not name.startswith("_")
             and name not in ("pow", "ipow", "lshift", "ilshift", "mul", "imul", "matmul", "imatmul")]


# ---- One operation ----

def weight(op, left=WEIGHT, depth=5):
    """How many elements there are along all paths into op, as far as `left`."""
    kind = type(op)
    if depth == 0 or left <= 0:
        return 1
    if issubclass(kind, (list, tuple, set, frozenset, collections.deque)):
        parts = list(op)
    elif issubclass(kind, dict):
        parts = [x for pair in list(dict.items(op)) for x in pair]
    elif issubclass(kind, (str, bytes, bytearray, array.array, memoryview)):
        return 1 + (0 if kind is memoryview else len(op)) // 8
    elif issubclass(kind, int):
        return 1 + int(op).bit_length() // 64
    elif kind is range:         # who walks a long one takes days
        return 1 + max(0, (op.stop - op.start) // op.step) // 8
    elif isinstance(getattr(op, "__dict__", None), dict) and kind is not type:
        parts = list(op.__dict__.values())
    else:
        return 1
    total = 1 + len(parts)
    for part in parts:
        if total > left:
            break
        total += weight(part, left - total, depth - 1) - 1
    return total


class Worker:
    def __init__(self, shared, factories, seed, steps, trace):
        self.shared, self.factories, self.rng, self.steps, self.trace = shared, factories, random.Random(seed), steps, trace
        self.names = {}

    def names_of(self, kind):
        if kind not in self.names:
            forbidden = FORBIDDEN | fuzz_modules.forbidden_of(kind)
            self.names[kind] = [name for name in dir(kind) if name not in forbidden]
        return self.names[kind]

    def argument(self):
        """A small value, a class, or one of the shared objects unless that is an iterator, which may have no end."""
        rng = self.rng
        what = rng.randrange(10)
        if what < 3:
            return rng.randrange(-3, 30)
        if what == 3:
            return rng.choice((None, True, 1.5, "x", "abc", b"abc", "", b"", (), "utf-8", "i", ValueError, KeyError("k"), Plain, Other,
                               int, str, list, dict, len, slice(None, 3), slice(None, None, -1), Ellipsis, -0.0, 2 ** 70))
        if what == 4:
            return [rng.randrange(9) for _ in range(3)]
        op = rng.choice(self.shared)
        if hasattr(type(op), "__next__") or weight(op) > 200:
            return rng.randrange(5)
        return op

    def operate(self, op):
        rng = self.rng
        what = rng.randrange(20)
        args = [self.argument() for _ in range(rng.choice((0, 0, 1, 1, 1, 2, 2, 3)))]
        if isinstance(op, fuzz_modules.ElementTree.Element):        # no tree comes to contain itself: iterating it would not end
            args = [a if isinstance(a, ATOMS) else fuzz_modules.make_element(rng, 1) for a in args]
        if what < 11:
            name = rng.choice(self.names_of(type(op)))
            self.note(name, op, args)
            if rng.random() < 0.02:
                setattr(op, name, args[0] if args else None)
            value = getattr(op, name)
            return value(*args) if callable(value) else value
        if what < 13:
            function = rng.choice(FUNCTIONS)
            if hasattr(type(op), "__next__") and function is not next:
                op = list(itertools.islice(op, 12))
            self.note(function, op, args)
            return function(op, *args)
        if what < 16:
            function = rng.choice(OPERATORS)
            if hasattr(type(op), "__next__"):
                op = next(op)
            self.note(function, op, args)
            return function(op, *args)
        if what < 18:
            self.note("next", op, args)
            return next(op)
        if what == 18:
            self.note("attribute", op, args)
            name = rng.choice(("x", "y", "a", "b", "z%d" % rng.randrange(20)))
            if rng.random() < 0.3:
                delattr(op, name)
            else:
                setattr(op, name, args[0] if args else 1)
            return None
        self.note("__class__", op, args)
        op.__class__ = rng.choice((Plain, Other, Slotted, ListChild))
        return None

    def note(self, what, op, args):
        if self.trace is not None:
            os.write(self.trace, b"%d %s %s %s\n" % (threading.get_ident() % 9973, str(what).encode(), type(op).__name__.encode(),
                                                     str([type(a).__name__ for a in args]).encode()))

    def run(self):
        rng, shared = self.rng, self.shared
        for _ in range(self.steps):
            place = rng.randrange(len(shared))
            op = shared[place]
            try:
                if rng.random() < 0.03 or weight(op) > WEIGHT:
                    shared[place] = rng.choice(self.factories)(rng)
                    continue
                result = self.operate(op)
                if isinstance(result, int) and 100 < abs(result) < 2 ** 65:
                    continue        # makes objects of that size
                if result is not None and result is not NotImplemented and rng.random() < 0.05 and weight(result) < 200 \
                        and result is not self and type(result) is not bool and not isinstance(result, type) and "built-in" not in str(type(result)):
                    shared[place] = result
            except BaseException:
                pass


# ---- Rounds ----

def run_round(seed, options, trace):
    rng, factories = random.Random(seed), FACTORIES[options.types]
    shared = [rng.choice(factories)(rng) for _ in range(options.objects)]
    workers = [Worker(shared, factories, rng.random(), options.steps, trace) for _ in range(options.threads)]
    running = [threading.Thread(target=w.run) for w in workers]
    for t in running:
        t.start()
    for t in running:
        t.join()


def child(options):
    sys.unraisablehook = lambda *args: None
    threading.excepthook = lambda *args: None
    trace = os.open(options.trace, os.O_WRONLY | os.O_CREAT | os.O_TRUNC) if options.trace else None
    for round_ in range(options.rounds):
        print("round", options.seed + round_, flush=True)
        run_round(options.seed + round_, options, trace)
    print(f"memory {memory_mib():.0f} MiB", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--steps", type=int, default=1500, help="operations per thread and round")
    parser.add_argument("--objects", type=int, default=24, help="shared by the threads of a round; with few, they meet more often")
    parser.add_argument("--rounds", type=int, default=10, help="rounds per process")
    parser.add_argument("--minutes", type=float, default=0, help="go on for so long")
    parser.add_argument("--timeout", type=float, default=300, help="seconds that a process may take")
    parser.add_argument("--trace", help="file for what each thread is about to do")
    parser.add_argument("--types", choices=sorted(FACTORIES), default="all", help="what the threads share")
    parser.add_argument("--child", action="store_true")
    options = parser.parse_args()
    if options.child:
        return child(options)
    end, seed, failures = time.monotonic() + 60 * options.minutes, options.seed, 0
    while True:
        command = [sys.executable, __file__, "--child", "--seed", str(seed)]
        for name in ("threads", "steps", "objects", "rounds", "types", "trace"):
            if getattr(options, name) is not None:
                command += ["--" + name, str(getattr(options, name))]
        try:
            done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=options.timeout)
            status, out, errors = done.returncode, done.stdout, done.stderr
        except subprocess.TimeoutExpired as expired:
            status, out, errors = "timeout", expired.stdout or b"", expired.stderr or b""
        lines = out.decode(errors="replace").split("\n")
        if status != 0:
            failures += 1
            print(f"FAILED: status {status}, last {[x for x in lines if x][-1:]}, threads {options.threads}, steps {options.steps}")
            print(errors.decode(errors="replace")[-20000:], flush=True)
        else:
            print(f"seed {seed}: {options.rounds} rounds, {lines[-2] if len(lines) > 1 else ''}", flush=True)
        seed += options.rounds
        if time.monotonic() >= end:
            break
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
