"""What one thread takes away while another uses it: finalisers, tracebacks, builtins, contexts, names of code; each in a process of its own."""
import subprocess
import sys
import textwrap
import unittest

THREADS = """
import threading, time, sys
def run(*functions, seconds=1.0):
    stop = time.monotonic() + seconds
    def repeat(function):
        while time.monotonic() < stop:
            for _ in range(20):
                try: function()
                except Exception: pass
    threads = [threading.Thread(target=repeat, args=(f,)) for f in functions]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
"""

FINALISER_TAKEN_AWAY = """
import gc
gc.disable()
class C:
    def __del__(self):
        if hasattr(C, "__del__"): del C.__del__
class D:
    def __del__(self):
        for other in self.others: other.__class__ = E
class E: pass
for _ in range(4):
    c = C(); c.me = c
del c
gc.collect()
objects = [D() for _ in range(4)]
for o in objects: o.others = objects
del o, objects
gc.collect()
print("done")
"""

FINALISER_COMES_AND_GOES = """
class C: pass
def toggle():
    C.__del__ = lambda self: None
    del C.__del__
run(toggle, C, C, C)
print("done")
"""

TRACEBACKS_TRIMMED = """
error = ImportError("shared")
class Finder:
    def find_spec(self, name, path=None, target=None):
        if name == "nothing": raise error
sys.meta_path.insert(0, Finder())
def load():
    try: import nothing
    except ImportError: pass
def forget(): error.__traceback__ = None
run(load, load, load, forget)
print("done")
"""

TRACEBACK_LOOP = """
def make():
    try: raise ValueError
    except ValueError as e: return e.__traceback__
a, b = make(), make()
def link(x, y):
    try: x.tb_next = y
    except ValueError: pass
    if a.tb_next is b and b.tb_next is a:
        print("loop", flush=True)
    x.tb_next = None
run(lambda: link(a, b), lambda: link(b, a))
print("done")
"""

BUILTINS_REPLACED = """
import builtins
names, base = {}, dict(builtins.__dict__)
code = compile("def f(): return len(())\\nf()\\n[x for x in range(3)]\\n", "c", "exec")
def replace(): names["__builtins__"] = dict(base)
def use(): exec(code, names)
run(replace, replace, use, use, seconds=2)
print("done")
"""

CODE_RENAMED = """
import _imp, itertools
code = compile("def f():\\n  def g(): return 1\\n  return g\\n", "start", "exec")
number = itertools.count()
def rename():
    _imp._fix_co_filename(code, "name%d" % next(number))
    code.co_filename, code.co_consts[0].co_filename
run(rename, rename, rename, rename)
print("done")
"""

CONTEXT_CHANGED = """
shared = KeyError("shared")
def chain():
    e = None
    for i in range(6):
        x = KeyError(i); x.__context__ = e; e = x
    return e
def change():
    shared.__context__ = chain()
    shared.__context__ = None
def use():
    try:
        try: raise shared
        except KeyError: int("x")
    except ValueError: pass
run(change, change, use, use)
print("done")
"""

FINALISERS_UNDER_LOCK = """
shared, items, garbage = MADE, [], []
class Key:
    def __hash__(self): return 1
    def __eq__(self, other):
        try: items.pop()
        except IndexError: pass
        return False
class Garbage:
    def __del__(self): shared.pop(5, None) if isinstance(shared, dict) else shared.discard(5)
def fill():
    shared.clear()
    keys = [Key() for _ in range(3)]
    items.extend(keys * 2)
    for key in keys: shared.setdefault(key) if isinstance(shared, dict) else shared.add(key)
    garbage.extend([Garbage() for _ in range(300)])
    del keys, key
    time.sleep(0.001)
def look(): Key() in shared; shared.pop(Key(), None) if isinstance(shared, dict) else shared.discard(Key())
def drop(): garbage.pop()
run(fill, look, look, drop, drop, seconds=2)
print("done")
"""

REGISTERING_FOR_EVER = """
import atexit
def register():
    while True: atexit.register(int)
for _ in range(3): threading.Thread(target=register, daemon=True).start()
time.sleep(0.1)
atexit.register(print, "done")
"""

DEFAULT_ACTION = """
import warnings
warnings.filters[:] = []
warnings._filters_mutated()
warnings.defaultaction = 5
try: warnings.warn("x")
except TypeError as e: print(e)
"""


class RuntimeRaces(unittest.TestCase):
    def check(self, program, printed="done"):
        source = THREADS + textwrap.dedent(program)
        done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", source], capture_output=True, text=True, timeout=60)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, printed + "\n", ""))

    def test_finaliser_taken_away_by_finaliser(self):
        self.check(FINALISER_TAKEN_AWAY)

    def test_finaliser_comes_and_goes(self):
        self.check(FINALISER_COMES_AND_GOES)

    def test_tracebacks_trimmed(self):
        self.check(TRACEBACKS_TRIMMED)

    def test_no_loop_of_tracebacks(self):
        self.check(TRACEBACK_LOOP)

    def test_builtins_replaced(self):
        self.check(BUILTINS_REPLACED)

    def test_code_renamed(self):
        self.check(CODE_RENAMED)

    def test_context_changed(self):
        self.check(CONTEXT_CHANGED)

    def test_finalisers_while_sets_and_dicts_compare(self):
        self.check(FINALISERS_UNDER_LOCK.replace("MADE", "set()"))
        self.check(FINALISERS_UNDER_LOCK.replace("MADE", "{}"))

    def test_functions_registered_at_exit(self):
        self.check(REGISTERING_FOR_EVER)

    def test_default_action_of_warnings(self):
        self.check(DEFAULT_ACTION, "_warnings.defaultaction must be a string, not 'int'")


if __name__ == "__main__":
    unittest.main()
