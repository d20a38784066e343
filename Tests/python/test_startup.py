"""What a start finds compiled: frozen library modules, noticing a changed library, and code from marshalled data."""
import importlib.machinery
import json
import os
import subprocess
import sys
import tempfile
import unittest

FROZEN_FILE = os.path.join(os.path.dirname(sys.executable), "dynload", "frozen_modules.bin")


def run(*arguments, **environment):
    done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, timeout=60, env={**os.environ, **environment})
    return done.stdout + done.stderr


@unittest.skipUnless(os.path.exists(FROZEN_FILE), "no file of frozen modules beside this interpreter")
class FrozenLibraryTest(unittest.TestCase):
    def test_frozen(self):
        self.assertIs(os.__spec__.loader, importlib.machinery.FrozenImporter)
        self.assertEqual(os.__file__, os.path.join(sys._stdlib_dir, "os.py"))
        self.assertEqual(os.fspath.__module__, "posix")
        self.assertEqual(os.getenv.__code__.co_filename, "<frozen os>")

    def test_switched_off(self):
        code = "import os, encodings; print(os.__spec__.loader.__class__.__name__, encodings.__file__)"
        self.assertEqual(run("-X", "frozen_modules=off", "-c", code),
                         f"SourceFileLoader {sys._stdlib_dir}/encodings/__init__.py\n")

    def test_changed_library(self):
        """Another library: nothing frozen is taken from the file that was made from this one."""
        with tempfile.TemporaryDirectory() as home:
            library = os.path.join(home, "lib", "python3.11")
            os.makedirs(library)
            for name in os.listdir(sys._stdlib_dir):
                if name not in ("stat.py", "__pycache__"):
                    os.symlink(os.path.join(sys._stdlib_dir, name), os.path.join(library, name))
            with open(os.path.join(library, "stat.py"), "w") as file, open(os.path.join(sys._stdlib_dir, "stat.py")) as original:
                file.write(original.read() + "\nADDED = 42\n")
            code = "import json, os, stat; print(json.dumps([stat.ADDED, os.__spec__.origin]))"
            self.assertEqual(json.loads(run("-c", code, PYTHONHOME=home)), [42, os.path.join(library, "os.py")])


class MarshalTest(unittest.TestCase):
    def test_code_keeps_its_tuples_interned(self):
        import marshal
        code = compile("def f(a, b=('x', 'y y')):\n    c = a\n    return lambda: c.attribute", "<test>", "exec")
        copy = marshal.loads(marshal.dumps(code))
        self.assertEqual(copy, code)
        function = next(constant for constant in copy.co_consts if isinstance(constant, type(code)))
        self.assertEqual(function.co_varnames[:2], ("a", "b"))
        self.assertIs(function.co_varnames[1], sys.intern("b"))
        self.assertIs(function.co_name, sys.intern("f"))

    def test_damaged_references(self):
        import marshal
        for data in (b"r\0\0\0\0", b"[\x01\0\0\0r\x05\0\0\0", b"\xa9\x01r\0\0\0\0"):
            with self.assertRaises(ValueError):
                marshal.loads(data)


if __name__ == "__main__":
    unittest.main()
