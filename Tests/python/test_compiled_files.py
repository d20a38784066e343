"""Files of compiled code: run, checked, and damaged in every way."""
import importlib
import marshal
import os
import py_compile
import random
import subprocess
import sys
import tempfile
import unittest

SOURCE = """
import sys

class Example:
    def method(self, *args, key=None, **rest):
        match args:
            case [first, *_, last]:
                return f'{first}{last:>{len(rest)}}'
            case Example(name=1):
                raise ValueError(key) from None

def generator(limit):
    for i in range(limit):
        try:
            got = yield {**{'i': i}, 'square': i * i}
        finally:
            print(got, sep='-', end='')
"""


def run(*args):
    return subprocess.run([sys.executable, *args], capture_output=True, text=True, timeout=60)


class Damaged(unittest.TestCase):
    def test_mutations_raise_or_load(self):
        chance = random.Random(20221024)
        whole = marshal.dumps(compile(SOURCE, "example", "exec"))
        for _ in range(400):
            data = bytearray(whole)
            for _ in range(chance.choice((1, 1, 2, 8))):
                at = chance.randrange(len(data))
                kind = chance.random()
                if kind < 0.7:
                    data[at] = chance.randrange(256)
                elif kind < 0.85:
                    del data[at:at + chance.randrange(1, 9)]
                else:
                    data[at:at] = chance.randbytes(chance.randrange(1, 9))
            try:
                code = marshal.loads(bytes(data))
            except (ValueError, TypeError, EOFError, MemoryError):
                continue
            hash(code)
            if hasattr(code, "co_code"):
                list(code.co_positions())

    def test_what_looks_like_caches_is_left_out(self):
        code = compile("print(len(x.y))", "example", "exec")
        words = bytearray(code.co_code)
        again = code.replace(co_code=bytes(words))
        self.assertEqual(again.co_code, code.co_code)
        # every word that co_code has as 0 is a cache, and stays 0
        for at in range(0, len(words), 8):
            if words[at:at + 8] == bytes(8):
                words[at:at + 8] = b"\x10\x32\x54\x76\x98\xba\xdc\x0e"
        self.assertEqual(code.replace(co_code=bytes(words)).co_code, code.co_code)


class Programs(unittest.TestCase):
    def setUp(self):
        place = tempfile.TemporaryDirectory()
        self.addCleanup(place.cleanup)
        self.source = os.path.join(place.name, "program.py")
        self.compiled = os.path.join(place.name, "program.pyc")
        with open(self.source, "w") as file:
            file.write("print(__name__, type(__loader__).__name__, __cached__, __file__.rpartition('.')[2])\n")
        py_compile.compile(self.source, self.compiled, doraise=True)

    def change(self, at, data):
        with open(self.compiled, "r+b") as file:
            file.seek(at)
            file.write(data)
            file.truncate()

    def test_script(self):
        self.assertEqual(run(self.source).stdout, "__main__ SourceFileLoader None py\n")

    def test_compiled_script(self):
        self.assertEqual(run(self.compiled).stdout, "__main__ SourcelessFileLoader None pyc\n")

    def test_foreign_mark(self):
        self.change(0, b"\xa7\x0d\r\n" + bytes(20))
        self.assertIn("RuntimeError: Bad magic number in .pyc file", run(self.compiled).stderr)

    def test_cut_off(self):
        for size in (4, 12, 16, 30):
            with open(self.compiled, "r+b") as file:
                file.truncate(size)
            result = run(self.compiled)
            self.assertEqual(result.returncode, 1)
            self.assertRegex(result.stderr, r"^(Traceback[^$]*)?(EOFError|ValueError)")
            py_compile.compile(self.source, self.compiled, doraise=True)

    def test_no_code(self):
        self.change(16, marshal.dumps(5))
        self.assertIn("RuntimeError: Bad code object in .pyc file", run(self.compiled).stderr)

    def test_changed_source_is_compiled_again(self):
        package = os.path.dirname(self.source)
        sys.path.insert(0, package)
        self.addCleanup(sys.path.remove, package)
        for mode in (py_compile.PycInvalidationMode.TIMESTAMP, py_compile.PycInvalidationMode.CHECKED_HASH):
            name = "changing_" + mode.name.lower()
            path = os.path.join(package, name + ".py")
            for value in (1, 22, 333):
                with open(path, "w") as file:
                    file.write(f"value = {value}\n")
                importlib.invalidate_caches()
                sys.modules.pop(name, None)
                self.assertEqual(importlib.import_module(name).value, value)
                py_compile.compile(path, invalidation_mode=mode, doraise=True)


if __name__ == "__main__":
    unittest.main()
