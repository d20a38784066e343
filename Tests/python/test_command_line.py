"""The command line: the same output, messages and exit status as /usr/bin/python3.11."""
import os
import subprocess
import sys
import tempfile
import unittest

ORACLE = "/usr/bin/python3.11"


def run(program, arguments, text, folder):
    environment = {"PATH": os.environ.get("PATH", ""), "HOME": folder, "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([program, *arguments], input=text, env=environment, cwd=folder, capture_output=True, text=True,
                          timeout=60)
    return done.returncode, done.stdout, done.stderr.replace(program, "PYTHON")


@unittest.skipUnless(os.path.exists(ORACLE), "nothing to compare with")
class CommandLine(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def write(self, name, text):
        with open(os.path.join(self.folder, name), "w") as file:
            file.write(text)

    def same(self, *arguments, text=""):
        self.assertEqual(run(sys.executable, arguments, text, self.folder), run(ORACLE, arguments, text, self.folder))

    def test_command(self):
        self.same("-c", "import sys; print(sys.argv, __name__)", "a", "-b")

    def test_file(self):
        self.write("a.py", "import sys\nprint(sys.argv, __name__, __file__)\n")
        self.same("a.py", "x", "--y")

    def test_module_and_package(self):
        self.write("m.py", "import sys\nprint(sys.argv[1:], __name__, __spec__.name)\n")
        self.same("-m", "m", "1", "2")
        os.mkdir(os.path.join(self.folder, "p"))
        self.write("p/__main__.py", "print('main of', __package__)\n")
        self.same("p")
        self.same("-m", "p")

    def test_missing(self):
        self.same("nothing.py")
        self.same("-m", "no_such_module")

    def test_standard_input(self):
        self.same(text="print(1 + 1)\nimport sys; print(sys.argv)\n")
        self.same("-", "x", text="import sys; print(sys.argv)\n")

    def test_exit(self):
        for value in ("0", "3", "None", "True", "'a message'", "(1, 2)", "256", "-1"):
            with self.subTest(value):
                self.same("-c", f"raise SystemExit({value})")
        self.same("-c", "import sys\ntry:\n sys.exit(4)\nfinally:\n print('clean')")

    def test_uncaught(self):
        self.write("a.py", "def f(x):\n    return x + 'a'\n\ndef g():\n    return [f(n) for n in (1, 2)]\n\ng()\n")
        self.same("a.py")
        self.write("b.py", "try:\n    {}['k']\nexcept KeyError as e:\n    raise ValueError('v') from e\n")
        self.same("b.py")
        self.write("c.py", "try:\n    1/0\nexcept ZeroDivisionError:\n    undefined\n")
        self.same("c.py")
        self.write("d.py", "raise ExceptionGroup('g', [ValueError(1), TypeError(2)])\n")
        self.same("d.py")
        self.write("e.py", "class E(Exception):\n    def __str__(self): raise RuntimeError\nraise E\n")
        self.same("e.py")
        self.write("f.py", "def f(): f()\ntry:\n    f()\nexcept RecursionError as e:\n    print(e)\n")
        self.same("f.py")

    def test_syntax_errors(self):
        for source in ("x = = 1", "def f(:\n  pass", "  x", "(1, 2", "'abc", "return 1", "f(a=1, 2)", "x = 08",
                       "break", "1 = x", "print 1", "nonlocal x", "import a.b as", "a b"):
            with self.subTest(source):
                self.write("s.py", source + "\n")
                self.same("s.py")

    # Known defect: errors of the tokenizer and of missing blocks are displayed by the library's
    # traceback module, which marks the whole token and keeps the line's indentation.
    def test_syntax_error_missing_block(self):
        self.write("s.py", "if x:\npass\n")
        self.same("s.py")

    def test_syntax_error_inconsistent_tabs(self):
        self.write("s.py", "\tif x:\n        y\n")
        self.same("s.py")

    def test_options(self):
        self.same("-W", "error", "-c", "import warnings; warnings.warn('w')")
        self.same("-O", "-c", "assert False; print(__debug__)")
        self.same("-OO", "-c", "def f(): 'doc'\nprint(f.__doc__)")
        self.same("-B", "-S", "-E", "-s", "-c", "import sys; print(sys.flags[:8])")
        self.same("-u", "-c", "print('x', end='')")
        self.same("-c")
        self.same("-I", "-c", "import sys; print(sys.flags.isolated)")

    def test_version(self):
        for option in ("-V", "--version"):
            done = subprocess.run([sys.executable, option], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0)
            self.assertIn("3.11", done.stdout)

    def test_exit_handlers(self):
        self.same("-c", "import atexit\natexit.register(print, 'first')\natexit.register(print, 'second')")
        self.same("-c", "import threading, time\nthreading.Thread(target=lambda: (time.sleep(.1), print('late'))).start()")

    def test_thread_exception(self):
        self.write("t.py", "import threading\nt = threading.Thread(target=lambda: 1/0, name='T')\nt.start(); t.join()\nprint('on')\n")
        self.same("t.py")


if __name__ == "__main__":
    unittest.main()
