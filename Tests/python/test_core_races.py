"""Code, keywords, unpacked lists and sets that change under the loop that uses them; whole containers behind proxies. In processes of their own."""
import unittest

from program_cases import ProgramCase

THREADS = """
import gc, threading, time, sys
found = []
def find(kind, size, mark):
    for o in gc.get_objects():
        if type(o) is kind and len(o) == size and mark in o: found[:] = [o]
def run(use, change, seconds=2.0):
    stop = time.monotonic() + seconds
    def repeat(function):
        while time.monotonic() < stop:
            try: function()
            except (ValueError, RuntimeError): pass
    threads = [threading.Thread(target=repeat, args=(f,)) for f in (use, change, change)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""

CODE_REPLACED_WHILE_BINDING = """
names = {}
exec("def f(*, k): return ('f', k)\\ndef g(*, k): return ('g', k)\\n", names)
f, other = names["f"], names["g"].__code__
class Key(str):
    armed = False
    __hash__ = str.__hash__
    def __eq__(self, key):
        if Key.armed:
            Key.armed = False
            f.__code__ = other.replace()
            gc.collect(); gc.collect()
            Key.junk = [compile("x=%d" % i, "junk", "exec") for i in range(500)]
        return str.__eq__(self, key)
for i in range(40):
    f.__code__ = other.replace(co_name="n%d" % i)
    f.__kwdefaults__ = {Key("k"): 1}
    Key.armed = True
    assert f() == ("g", 1)
print("done")
"""

KEYWORDS_CHANGED = """
class Mapping:
    names = ["k%d" % i for i in range(1000)]
    def keys(self): return self.names
    def __getitem__(self, key):
        if key == "k9": find(dict, 9, "k0")
        return "value"
def f(k0=0, **keywords): return k0
def use():
    try: f(**Mapping())
    except TypeError: pass      # "multiple values": what the other threads put into it
def change():
    for d in found[:]:
        d.clear()
        for i in range(1000): d["k%d" % i] = str(i)
run(use, change, 4)
print("done")
"""

UNPACKED_LIST_CHANGED = """
def make():
    for i in range(20): yield "mark", i
    find(list, 20, ("mark", 0))
    yield "mark", 20
    yield "mark", 21
def use(): *a, b, c, d = make()
def change():
    for l in found[:]:
        l.clear()
        for i in range(22): l.append(("x", i))
run(use, change, 4)
print("done")
"""

INTERSECTION_CHANGED = """
def make():
    for i in range(20): yield "mark", i
    find(set, 20, ("mark", 0))
    for i in range(20, 40): yield "mark", i
whole = {("mark", i) for i in range(40)}
def use():
    s = set(whole)
    s.intersection_update(make())
    assert len(s) == len(list(s))
def change():
    for s in found[:]:
        for i in range(3000):
            s.discard(("mark", i % 40)); s.add(("mark", (i + 7) % 40))
run(use, change, 4)
print("done")
"""

STRANGE_SPLIT = """
class Group(ExceptionGroup):
    def split(self, types): return 1, 2
try:
    try: raise Group("a", [ValueError()])
    except* ValueError: raise
except TypeError as e: print(e)
"""

LOCK_RESET = """
lock, stop = threading.RLock(), time.monotonic() + 2
def take():
    while time.monotonic() < stop:
        try:
            if lock.acquire(timeout=0.01): lock.release()
            if lock.acquire(timeout=0.01):
                lock._acquire_restore(lock._release_save()); lock.release()
        except RuntimeError: pass
def reset():
    while time.monotonic() < stop: lock._at_fork_reinit()
threads = [threading.Thread(target=f, daemon=True) for f in (take, take, take, reset)]
for thread in threads: thread.start()
for thread in threads: thread.join(10)
print("done")
"""

FINALISERS_OF_ENDING_THREADS = """
import contextvars
local, variable = threading.local(), contextvars.ContextVar("v")
class Value:
    def __del__(self): local.x = 1
for i in range(50):
    thread = threading.Thread(target=lambda: variable.set(Value()))
    thread.start(); thread.join()
gc.collect()
print([len(o) <= 1 for o in gc.get_referents(local) if type(o) is dict])
"""

WHOLE_CONTAINERS = """
import types
d, failures = {str(i): i for i in range(40)}, set()
class C: pass
proxy, ordinal = types.MappingProxyType(d), C()
def unpack():
    first, *rest = d
USES = {"join": lambda: "".join(d), "join keys": lambda: ",".join(d.keys()), "dict of proxy": lambda: dict(proxy), "list of proxy": lambda: list(proxy),
        "merge": lambda: {**proxy}, "dict of class": lambda: dict(C.__dict__), "dir": lambda: dir(C), "dir of instance": lambda: dir(ordinal),
        "unpack": unpack, "max": lambda: max(proxy), "set": lambda: set(proxy)}
def use():
    for name, function in USES.items():
        try: function()
        except Exception as e: failures.add((name, repr(e)))
def change():
    for i in range(40, 60):
        d[str(i)] = i; setattr(C, "a%d" % i, 1)
    for i in range(40, 60):
        d.pop(str(i), None)
        try: delattr(C, "a%d" % i)
        except AttributeError: pass
run(use, change)
print(sorted(failures))
"""

# The generator is in a tuple that its thread has, and the other thread gets it from there.
GENERATOR_LOOKED_AT = """
import _thread
def outer():
    one = (1,)
    while True:
        yield from iter(one)
def step(generators, end, done):
    while time.monotonic() < end[0]:
        for i in range(2000): next(generators[0])
    done.release()
def look():
    generators, done = (outer(),), _thread.allocate_lock()
    g, end = generators[0], (time.monotonic() + 1.5,)
    done.acquire()
    _thread.start_new_thread(step, (generators, end, done))
    while time.monotonic() < end[0]:
        for i in range(2000):
            type(g.gi_yieldfrom).__name__
            if g.gi_frame is not None: g.gi_frame.f_lineno
    done.acquire()
look()
print("done")
"""


class CoreRaces(ProgramCase):
    HEAD = THREADS

    def test_code_replaced_while_arguments_are_bound(self):
        self.check(CODE_REPLACED_WHILE_BINDING)

    def test_keywords_changed(self):
        self.check(KEYWORDS_CHANGED)

    def test_unpacked_list_changed(self):
        self.check(UNPACKED_LIST_CHANGED)

    def test_intersection_changed(self):
        self.check(INTERSECTION_CHANGED)

    def test_strange_split(self):
        self.check(STRANGE_SPLIT, "Group.split must return a 2-tuple of exceptions or None")

    def test_lock_reset(self):
        self.check(LOCK_RESET)

    def test_finalisers_of_ending_threads(self):
        self.check(FINALISERS_OF_ENDING_THREADS, "[True]")

    def test_generator_looked_at(self):
        self.check(GENERATOR_LOOKED_AT)

    def test_whole_containers(self):
        self.check(WHOLE_CONTAINERS, "[]")


if __name__ == "__main__":
    unittest.main()
