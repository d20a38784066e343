"""Classes and frames that are gone when code which a look-up or an end has called comes back."""
import unittest

from program_cases import ProgramCase

FRAMES_OF_FINALISERS = """
import gc, sys
frames = []
class Local:
    def __del__(self): frames.append(sys._getframe(1))
def generator(n):
    kept = Local()
    yield n
def ended():
    for i in range(500):
        for j in generator(i): pass
def with_locals(n):
    row = [n] * 3
    locals()["more"] = Local()
    return n
def generator_with_locals(n):
    row = [n] * 3
    locals()["more"] = Local()
    yield n
ended()
for i in range(200):
    with_locals(i)
    list(generator_with_locals(i))
gc.collect()
def deep(n):
    a = b = c = {n: n}
    return deep(n - 1) if n else None
deep(50)
def other(a, b):
    row = [a]
    yield row
for i in range(3):
    junk = [bytearray(k % 600) for k in range(20000)], [other(1, 2) for k in range(2000)], [(k,) * (k % 60) for k in range(20000)]
    for g in junk[1]: next(g)
    names = {f.f_code.co_name for f in frames}
    lines = [f.f_lineno + len(f.f_locals) for f in frames]
print(len(frames) >= 500, sorted(names - {"<module>", "ended", "with_locals", "generator_with_locals"}))
"""

FRAME_OF_A_DISCARDED_GENERATOR = """
import gc
frames = []
class Argument:
    def __del__(self): frames.append(made.gi_frame)
def generator(argument):
    yield 1
for i in range(500):
    made = generator(Argument())
    made.close()
made = None
gc.collect()
def other(a, b):
    row = [a]
    yield row
for i in range(3):
    junk = [bytearray(k % 600) for k in range(20000)], [other(1, 2) for k in range(2000)], [(k,) * (k % 60) for k in range(20000)]
    for g in junk[1]: next(g)
    names = {f.f_code.co_name for f in frames if f is not None}
    lines = [(f.f_lineno, f.f_locals, f.f_back) for f in frames if f is not None]
print(len(frames), sorted(names - {"generator"}))
"""

# A key's __eq__ gives the object another class, and the one it had goes.
CLASS_OF_AN_OBJECT = """
import gc
class Name:
    def __get__(self, op, cls): return cls.__name__
class Second: pass
class Second_meta(type): pass
armed, holder, junk = None, [], []
class Key(str):
    def __hash__(self): return hash("attr")
    def __eq__(self, other):
        global armed
        if armed:
            change, armed = armed, None
            change()
            for i in range(4): gc.collect()
            junk.extend(type("Junk", (type,), {}) for i in range(100))
        return False
def instance():
    class First: attr = Name()
    op = First()
    op.__dict__[Key("other")] = 1
    def change(): op.__class__ = Second
    return op, change
def of_class():
    class Meta(type): attr = Name()
    class Base(metaclass=Meta): pass
    cls = Meta("Cls", (), {Key("other"): 1})
    def change(): cls.__class__ = Second_meta
    return cls, change
shown = set()
for i in range(10):
    for make in instance, of_class:
        op, change = make()
        gc.collect()
        armed = change
        change = None
        shown.add(op.attr)
print(sorted(shown))
"""

CLASS_GONE_DURING_A_STORE = """
import gc, threading, time
end = time.monotonic() + 3
class Other: pass
def toggle():
    class Slots: pass
    while time.monotonic() < end:
        Slots.__len__ = lambda self: 1
        del Slots.__len__
def collect():
    while time.monotonic() < end:
        for box in list(boxes):
            op = box[0]
            if op is not None: op.__class__ = Other
        op = None
        gc.collect()
boxes = []
def work():
    box = [None]
    boxes.append(box)
    while time.monotonic() < end:
        class First: pass
        def store(op, value): op.attr = value
        def load(op): return op.attr
        op = First()
        op.x = 1
        del First
        box[0] = op
        for i in range(3):
            store(op, i)
            load(op)
threads = [threading.Thread(target=f) for f in (toggle, collect, collect, work, work)]
for t in threads: t.start()
for t in threads: t.join()
print("done")
"""

BUILTINS_OF_ANOTHER_KIND = """
import types
class Empty:
    def __getitem__(self, key): raise KeyError(key)
shown = []
for other in 5, 1.5, "x", (), None, object(), Empty():
    space = {"__builtins__": {"len": len}}
    exec("def f(): return len", space)
    f = space["f"]
    for i in range(2000): f()
    space["__builtins__"] = other
    try: types.FunctionType(f.__code__, space)()
    except (NameError, TypeError) as error: shown.append(type(error).__name__)
    space = {"__builtins__": {"len": len}}
    code = compile("len", "", "eval")
    for i in range(2000): eval(code, space)
    space["__builtins__"] = other
    try: eval(code, space)
    except (NameError, TypeError) as error: shown.append(type(error).__name__)
print(len(shown))
"""

ITERATOR_OF_ANOTHER_CLASS = """
import itertools
class Other: pass
class Iterator:
    item = 1
    def __iter__(self): return self
    def __next__(self):
        item, self.__class__ = self.item, Other
        return item
class Pairs(Iterator): item = 1, 2
def loop(it):
    for x in it: pass
def second(make):
    def use(it):
        made = make(it)
        next(made)
        next(made)
    return use
def unpack(it): a, b = it
uses = [loop, list, unpack, sum, [].extend, max, lambda it: 7 in it, second(lambda it: map(int, it)), second(enumerate),
        second(lambda it: zip(it)), second(itertools.chain), second(lambda it: itertools.islice(it, 5)), lambda it: dict(Pairs())]
for use in uses:
    try: use(Iterator())
    except (TypeError, AttributeError): pass
    else: raise AssertionError("not noticed")
class Plain: pass
class Inherits(Plain, map): pass
print(list(Inherits(int, "12")))
"""

MODULE_GONE = """
import gc, types
class Other(types.ModuleType):
    attr = property(lambda self: "property")
module = types.ModuleType("module")
module.attr = 1
def load(op): return op.attr
for i in range(5): load(module)
module.__class__ = Other
print(load(module))
for size in 5, 6, 7, 8:
    cls = type("Slots", (), {"__slots__": ["attr", *("s%d" % i for i in range(size - 1))]})
    loads = {}
    for i in range(2000):
        module = types.ModuleType("module")
        module.attr = 1
        space = {}
        exec("def load(op): return op.attr", space)
        for i in range(3): space["load"](module)
        loads[id(module)] = space["load"]
        del module
    gc.collect()
    objects = []
    for i in range(30000):
        op = cls()
        for name in cls.__slots__: setattr(op, name, 12345)
        objects.append(op)
        if id(op) in loads: assert loads[id(op)](op) == 12345
print("done")
"""

# What only the window of a generator holds lives until the window lets it go.
WINDOW_OF_AN_ENDING_GENERATOR = """
import gc, weakref
alive, references = [], []
class Collects:
    def __del__(self):
        for i in range(4): gc.collect()
        alive.append(all(r() is not None for r in references))
def make(name):
    cls = type(name, (), {})
    references.append(weakref.ref(cls))
    return cls
def generator():
    a, b, c = Collects(), make("B"), make("C")
    yield 1
def with_arguments(a, b, c): yield 1
for x in generator(): pass
references.clear()
with_arguments(Collects(), make("B"), make("C")).close()
references.clear()
with_arguments(Collects(), make("B"), make("C"))
references.clear()
class Delegate(Collects):
    def __iter__(self): return self
    def __next__(self): return 1
    def throw(self, *args): raise StopIteration(5)
def delegates():
    cls = make("Cls")
    x = yield from Delegate()
    yield cls.__name__, x
g = delegates()
next(g)
print(g.throw(ValueError), alive)
"""

COMPARED_CLASSES = """
import gc
class Other: pass
class First:
    def __eq__(self, other):
        other.__class__ = Other
        for i in range(4): gc.collect()
        junk.extend([(7,) * n for i in range(20)] for n in range(60, 260))
        return NotImplemented
    __lt__ = __eq__
for i in range(10):
    class Second:
        def __eq__(self, other): return NotImplemented
        __gt__ = __eq__
    op, junk = Second(), []
    del Second
    gc.collect()
    if i % 2: assert not First() == op
    else:
        try: First() < op
        except TypeError as error: message = str(error)
print(message)
"""

PARTS_OF_A_GROUP = """
import gc
def handle():
    before = {id(o) for o in gc.get_objects() if type(o) is list}
    try:
        raise ExceptionGroup("a", [ValueError(1), TypeError(2)])
    except* ValueError:
        raise KeyError
    except* TypeError:
        for o in gc.get_objects():
            if type(o) is list and id(o) not in before and len(o) == 1 and isinstance(o[0], BaseException): o.extend((5, "x"))
try: handle()
except (TypeError, ValueError, ExceptionGroup): print("done")
"""

DEAD_REFERENCES = """
import threading, time, weakref
class Key:
    def __init__(self, i): self.i = i
    def __hash__(self): return hash(self.i)
    def __eq__(self, other):
        time.sleep(0)
        return self.i == other.i
class Value: pass
values, box, lost, end = weakref.WeakValueDictionary(), [], 0, time.monotonic() + 2
def drop():
    while time.monotonic() < end:
        try: box.pop()
        except IndexError: pass
thread = threading.Thread(target=drop)
thread.start()
while time.monotonic() < end:
    old = values[Key(1)] = Value()
    box.append(old)
    del old
    new = values[Key(1)] = Value()
    lost += any(values.get(Key(1)) is not new for i in range(3))
thread.join()
print(lost)
"""

SIGNALS_OF_THE_PARENT = """
import ctypes, functools, os, signal
parent, hits = os.getpid(), []
signal.signal(signal.SIGUSR1, lambda *args: hits.append(os.getpid() == parent))
os.register_at_fork(before=functools.partial(ctypes.PyDLL(None)["raise"], int(signal.SIGUSR1)))
child = os.fork()
for i in range(1000): pass
if child == 0:
    os._exit(len(hits))
print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), hits)
"""

NAMES_OF_SLOTS = """
import copy, threading, time
class Slots: __slots__ = "a", "b", "c", "d"
op = Slots()
op.a = op.b = 1
copy.copy(op)
names, end = Slots.__dict__["__slotnames__"], time.monotonic() + 1
def change():
    while time.monotonic() < end:
        names.clear()
        names.extend(["a%d" % i for i in range(20)])
        names[:] = ["a", "b"]
def use():
    while time.monotonic() < end:
        try: op.__reduce_ex__(2), op.__getstate__()
        except (RuntimeError, TypeError): pass      # the list has changed, an attribute would be lost
threads = [threading.Thread(target=f) for f in (change, change, use, use)]
for t in threads: t.start()
for t in threads: t.join()
print("done")
"""

BECOMES_A_DESCRIPTOR = """
class Plain: pass
class Getter:
    def __get__(self, op, cls): return 5
class Data(Getter):
    def __set__(self, op, value): stored.append(value)
stored = []
class C: first, second, third = Plain(), Getter(), Plain()
op = C()
op.third = 1
def load(op): return type(op.first).__name__, type(op.second).__name__, op.third
def load_of_class(cls): return type(cls.first).__name__, type(cls.second).__name__
def store(op, value): op.third = value
for i in range(5): load(op), load_of_class(C), store(op, i)
C.__dict__["first"].__class__, C.__dict__["second"].__class__, C.__dict__["third"].__class__ = Getter, Plain, Data
store(op, 9)
print(load(op), load_of_class(C), stored, vars(op))
"""


DICTS_OF_CLASSES = """
class Keeps:
    def __eq__(self, other): kept.append(other); return True
    __lt__ = __gt__ = __ror__ = __or__ = __eq__
kept = []
proxy = vars(list)
proxy == Keeps(), proxy < Keeps(), proxy | Keeps(), Keeps() | proxy, Keeps() == proxy
for state in object.__getstate__(list), *kept:
    try: state.clear()
    except AttributeError: pass     # the proxy itself
print(proxy == dict(proxy), proxy == vars(list), len(proxy) > 30, [].__len__() + len(proxy | {}) == len({} | proxy), len(kept))
"""


class GoneMeanwhile(ProgramCase):
    def test_dicts_of_classes(self):
        """Nobody gets a class's own dict."""
        self.check(DICTS_OF_CLASSES, "True True True True 5")

    def test_iterator_of_another_class(self):
        self.check(ITERATOR_OF_ANOTHER_CLASS, "[1, 2]")

    def test_module_gone(self):
        self.check(MODULE_GONE, "property\ndone")

    def test_window_of_an_ending_generator(self):
        self.check(WINDOW_OF_AN_ENDING_GENERATOR, "('Cls', 5) [True, True, True, True]")

    def test_compared_classes(self):
        self.check(COMPARED_CLASSES, "'<' not supported between instances of 'First' and 'Other'")

    def test_parts_of_a_group(self):
        self.check(PARTS_OF_A_GROUP)

    def test_dead_references(self):
        self.check(DEAD_REFERENCES, "0")

    def test_signals_of_the_parent(self):
        self.check(SIGNALS_OF_THE_PARENT, "0 [True]")

    def test_names_of_slots(self):
        self.check(NAMES_OF_SLOTS)

    def test_becomes_a_descriptor(self):
        self.check(BECOMES_A_DESCRIPTOR, "('int', 'Plain', 5) ('int', 'Plain') [9] {'third': 4}")

    def test_builtins_of_another_kind(self):
        self.check(BUILTINS_OF_ANOTHER_KIND, "14")

    def test_frames_of_finalisers(self):
        self.check(FRAMES_OF_FINALISERS, "True []")

    def test_frame_of_a_discarded_generator(self):
        self.check(FRAME_OF_A_DISCARDED_GENERATOR, "500 []")

    def test_class_of_an_object(self):
        self.check(CLASS_OF_AN_OBJECT, "['Second', 'Second_meta']")

    def test_class_gone_during_a_store(self):
        self.check(CLASS_GONE_DURING_A_STORE)


if __name__ == "__main__":
    unittest.main()
