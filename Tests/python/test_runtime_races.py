"""What one thread takes away while another uses it: finalisers, tracebacks, builtins, contexts, names of code; each in a process of its own."""
import unittest

from program_cases import ProgramCase

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


LOCALS_THAT_USE_LOCALS = """
import queue
class Plain(threading.local): pass
class Local(threading.local):
    def __del__(self):
        for _ in range(3): Plain().x = 1
shared = queue.SimpleQueue()
def make():         # more than the 64 that make a thread thin out its list
    if shared.qsize() > 200: return
    locals = [Local() for _ in range(70)]
    for local in locals: local.x = 1
    for local in locals: shared.put(local)
def use():
    try: shared.get(timeout=0.1).x = 2
    except queue.Empty: pass
run(make, use, use, seconds=2)
print("done")
"""

WARNINGS_EXECUTED_AGAIN = """
import importlib.util, warnings, _warnings
def execute():
    spec = importlib.util.find_spec("_warnings")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    module.filters
def replace():
    warnings.filters = list(warnings.filters)
    warnings.warn("x", PendingDeprecationWarning)
warnings.simplefilter("ignore")
run(execute, execute, replace, replace, seconds=2)
print("done")
"""

LINE_OF_A_CALLER = """
def trace(frame, event, arg):
    if frame.f_code.co_name == "inner" and event == "line":
        try: frame.f_back.f_lineno = frame.f_back.f_code.co_firstlineno + 3
        except ValueError as e: print(e, flush=True); sys.settrace(None)
    return trace
def inner():
    x = 1
def outer():
    for i in range(3):
        inner()
    y = 2
sys.settrace(trace)
outer()
"""

GENERATOR_LOOKED_AT = """
def inner():
    while True: yield 1
def make(): yield from inner()
generator, failures = make(), []
def step():
    try: next(generator)
    except ValueError as e: failures.append(e)
def look(): generator.gi_yieldfrom, generator.gi_frame
run(step, look, look)
print(len(failures), "failures")
"""

UNREGISTERED_AT_ONCE = """
import atexit
def round():
    functions = [lambda: None for _ in range(40)]
    for function in functions: atexit.register(function)
    for function in functions: atexit.unregister(function)
run(round, round, round)
print(atexit._ncallbacks(), "left")
"""

HALF_A_LIST = """
import ast, gc
def setattr(self, name, value):
    object.__setattr__(self, name, value)
    for o in gc.get_objects() if name == "id" else ():
        if type(o) is list and len(o) == 777: o.clear()
ast.Name.__setattr__ = setattr
print(len(ast.parse("[" + ",".join("x%d" % i for i in range(777)) + "]").body[0].value.elts))
"""


class RuntimeRaces(ProgramCase):
    HEAD = THREADS

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

    def test_locals_whose_finalisers_use_locals(self):
        self.check(LOCALS_THAT_USE_LOCALS)

    def test_warnings_executed_again(self):
        self.check(WARNINGS_EXECUTED_AGAIN)

    def test_line_of_a_caller(self):
        self.check(LINE_OF_A_CALLER, "can only jump from a 'line' trace event")

    def test_generator_looked_at(self):
        self.check(GENERATOR_LOOKED_AT, "0 failures")

    def test_unregistered_at_once(self):
        self.check(UNREGISTERED_AT_ONCE, "0 left")

    def test_half_a_list(self):
        self.check(HALF_A_LIST, "777")

    def test_default_action_of_warnings(self):
        self.check(DEFAULT_ACTION, "_warnings.defaultaction must be a string, not 'int'")


if __name__ == "__main__":
    unittest.main()
