"""What gc.get_objects() shows of objects that are being made, and frame objects whose function returns."""
import subprocess
import sys
import threading
import time
import types
import unittest

FIND = """
import gc

def find(*types):
    return [o for o in gc.get_objects() if type(o) in types]
"""


class HalfBuilt(unittest.TestCase):
    def run_program(self, program):
        run = subprocess.run([sys.executable, "-c", FIND + program], timeout=60, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))
        return run.stdout.split()

    def test_os_error(self):
        self.assertEqual(self.run_program("""
class Number:
    def __index__(self):
        for error in find(BlockingIOError):
            repr(error), str(error), error.args, error.__reduce__()
        return 3
print(BlockingIOError(1, "x", Number()).characters_written)
"""), ["3"])

    def test_enumerate(self):
        self.assertEqual(self.run_program("""
class Start:
    def __index__(self):
        look()
        return 5
class Items:
    def __iter__(self):
        look()
        return iter("ab")
def look():
    for e in find(enumerate):
        next(e, None), e.__reduce__()
print(*dict(enumerate(Items(), Start())))
"""), ["5", "6"])

    def test_class(self):
        self.assertEqual(self.run_program("""
class Meta(type):
    pass
class Key(str):
    def __hash__(self):
        return hash("__module__")
    def __eq__(self, other):
        global busy
        if not busy:
            busy = True
            for t in find(Meta):
                names.add(t.__qualname__)
                repr(t)
            busy = False
        return False
names = set()
busy = False
print(Meta("X", (), {Key("key"): 1}).__qualname__, Meta("X", (), {"__qualname__": "Y.X"}).__qualname__, *names)
"""), ["X", "Y.X", "X"])

    def test_memoryview(self):
        self.assertEqual(self.run_program("""
class Bound:
    def __init__(self, view, value):
        self.view, self.value = view, value
    def __index__(self):
        seen.extend((v, len(v)) for v in find(memoryview) if v is not self.view)
        self.view.release()
        return self.value
seen = []
view = memoryview(b"abcdef")
part = view[Bound(view, 1):4]
print(bytes(part).decode(), len(seen), *[n for v, n in seen if len(v) != n])
try:
    view[1:]
except ValueError:
    print("released")
"""), ["bcd", "1", "released"])

    def test_frozenset(self):
        self.assertEqual(self.run_program("""
def numbers():
    for i in range(100):
        yield i
        if i == 50:
            for s in find(frozenset):
                hash(s)
whole = frozenset(range(100))
print(hash(frozenset(numbers())) == hash(whole), hash(frozenset() | frozenset(numbers())) == hash(whole))
"""), ["True", "True"])


class MadeOnDemand(unittest.TestCase):
    """What two threads make at the same time is one object."""

    def check(self, fresh, make, rounds=3000):
        found = [[], []]
        objects = [fresh() for i in range(rounds)]
        end = time.monotonic() + 1

        def run(mine, other):
            for i, o in enumerate(objects):
                while len(other) < i and time.monotonic() < end:        # side by side
                    pass
                mine.append(make(o))
        threads = [threading.Thread(target=run, args=pair) for pair in (found, found[::-1])]
        for t in threads:
            t.start()
        for t in threads:
            t.join()
        for a, b in zip(*found, strict=True):
            self.assertIs(a, b)

    def test_function_annotations(self):
        def fresh():
            def function():
                pass
            return function
        self.check(fresh, lambda f: f.__annotations__)

    def test_module_annotations(self):
        self.check(lambda: types.ModuleType("m"), lambda m: m.__annotations__)

    def test_notes(self):
        objects = []

        def fresh():
            objects.append(ValueError())
            return objects[-1]
        self.check(fresh, lambda e: e.add_note("note"))
        for e in objects:
            self.assertEqual(e.__notes__, ["note", "note"])

    def test_notes_of_kinds(self):
        class Own(Exception):
            @property
            def __notes__(self):
                return self.own
            own = []
        class Slot(Exception):
            __slots__ = ("__notes__",)
        class Set(Exception):
            def __setattr__(self, name, value):
                names.append(name)
                super().__setattr__(name, value)
        names = []
        for kind in (Own, Slot, Set, Exception):
            e = kind()
            e.add_note("a")
            e.add_note("b")
            self.assertEqual(e.__notes__, ["a", "b"])
        self.assertEqual(names, ["__notes__"])

    def test_exception_state(self):
        e = ValueError()
        e.__setstate__({"a": 1, "b": 2})
        self.assertEqual((e.a, e.b), (1, 2))
        self.assertRaises(TypeError, e.__setstate__, {1: 2})


class Frames(unittest.TestCase):
    def test_no_weak_references(self):
        import weakref
        self.assertRaisesRegex(TypeError, "cannot create weak reference to 'frame' object", weakref.ref, sys._getframe())

    def test_seen_by_others(self):
        """A frame object goes through a published place while its function returns."""
        program = """
import sys, threading, time
place = [None]
end = time.monotonic() + 1

def leave():
    place[0] = sys._getframe()
    place[0] = None

def call():
    while time.monotonic() < end:
        for i in range(100):
            leave()

def look():
    while time.monotonic() < end:
        for i in range(100):
            frame = place[0]
            if frame is not None:
                frame.f_code, frame.f_lineno, frame.f_back, frame.f_locals

threads = [threading.Thread(target=f) for f in (call, look, look)]
for t in threads:
    t.start()
for t in threads:
    t.join()
"""
        run = subprocess.run([sys.executable, "-c", program], timeout=60, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))


if __name__ == "__main__":
    unittest.main()
