"""Modules: imported by several threads at once, in cycles, and edited while in use; contexts, warnings and codecs."""
import codecs
import contextvars
import importlib
import os
import random
import re
import struct
import sys
import tempfile
import threading
import types
import warnings
from stress_common import race

FOLDER = tempfile.TemporaryDirectory()
sys.path.insert(0, FOLDER.name)
sys.dont_write_bytecode = True
fresh = iter(range(10 ** 9))


def write(name, text):
    with open(os.path.join(FOLDER.name, name + ".py"), "w") as f:
        f.write(text)


def imports(rng, n):
    """Every thread gets the whole module, executed once, in cycles too."""
    k = next(fresh)
    a, b, c = f"cycle_a{k}", f"cycle_b{k}", f"plain_{k}"
    write(a, f"import {b}\nvalue = 1\ndef other(): return {b}.value\n")
    write(b, f"import {a}\nvalue = 2\ndef other(): return {a}.value\n")
    write(c, "import threading\nruns = globals().get('runs', 0) + 1\nvalue = [i for i in range(2000)][-1]\n")
    importlib.invalidate_caches()

    def body(i, own):
        def run():
            for name in own.sample([a, b, c], 3):
                try:
                    module = importlib.import_module(name)
                except RuntimeError as error:           # so does importlib of 3.11 end a cycle of waiting threads, too
                    assert "deadlock detected" in str(error) and name != c, error
                    continue
                if name == c:
                    assert module.value == 1999 and module.runs == 1
                else:
                    try:
                        assert module.other() in (1, 2)
                    except AttributeError as error:     # importlib breaks a deadlock of two threads that way
                        assert "has no attribute 'value'" in str(error), error
        return run

    def check():
        for name in (a, b, c):
            sys.modules.pop(name, None)
            os.unlink(os.path.join(FOLDER.name, name + ".py"))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def attributes(rng, n):
    shared = types.ModuleType("shared")
    shared.__getattr__ = lambda name: name

    def body(i, own):
        def run():
            for step in range(400):
                name, what = f"x{own.randrange(20)}", own.randrange(5)
                if what == 0:
                    setattr(shared, name, name)
                elif what == 1:
                    vars(shared).pop(name, None)
                elif what == 2:
                    assert getattr(shared, name) == name
                elif what == 3:
                    sys.modules[f"made{i}"] = shared
                    assert importlib.import_module(f"made{i}") is shared
                    del sys.modules[f"made{i}"]
                else:
                    list(vars(shared))
        return run

    def check():
        assert shared.whatever == "whatever"
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def namespaces(rng, n):
    """Globals and builtins of running functions change."""
    space = {"__builtins__": {"len": len, "range": range}, "x": 1}
    exec("def read():\n    return x + len('ab')\ndef loop():\n    t = 0\n    for i in range(20):\n        t += x\n    return t", space)

    def body(i, own):
        def run():
            for step in range(300):
                space["x"] = own.randrange(5)
                if own.random() < 0.1:
                    space["len"] = lambda s: 2
                if own.random() < 0.1:
                    space.pop("len", None)
                assert 2 <= space["read"]() <= 6
                assert 0 <= space["loop"]() <= 80
        return run

    def check():
        pass
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def services(rng, n):
    """What the library keeps for all: contexts, warning filters, codecs, patterns, interned strings, thread-locals."""
    variable, shared, local = contextvars.ContextVar("v", default=-1), contextvars.copy_context(), threading.local()
    pattern, layout, source = re.compile(r"(\w+) (\d+)"), struct.Struct("<iq"), random.Random(1)

    def body(i, own):
        def run():
            local.value = i
            for step in range(150):
                what = own.randrange(9)
                if what == 0:
                    token = variable.set(i)
                    assert variable.get() == i
                    variable.reset(token)
                elif what == 1:
                    try:
                        shared.run(variable.set, i)
                    except RuntimeError:        # another thread is in it
                        pass
                elif what == 2:
                    warnings.filterwarnings(own.choice(("ignore", "always")), message=f"m{own.randrange(3)}")
                elif what == 3:
                    warnings.warn("m1", stacklevel=2)
                elif what == 4:
                    assert codecs.lookup(own.choice(("latin-1", "cp1252", "utf-16", "koi8-r"))).name
                elif what == 5:
                    assert pattern.match(f"abc {step}").group(2) == str(step)
                    re.compile(f"x{own.randrange(600)}")
                elif what == 6:
                    assert layout.unpack(layout.pack(step, -step)) == (step, -step)
                elif what == 7:
                    word = f"word{own.randrange(99)}"
                    assert sys.intern(word) is sys.intern(f"{word[:2]}{word[2:]}")
                else:
                    assert 0 <= source.random() < 1 and len(source.choices(range(9), k=3)) == 3
                assert local.value == i
        return run

    def check():
        warnings.resetwarnings()
        warnings.simplefilter("ignore")
    return [body(i, random.Random(rng.random())) for i in range(n)], check


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    warnings.showwarning = lambda *args, **kwargs: None
    race(imports, attributes, namespaces, services)
