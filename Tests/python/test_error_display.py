"""What an exception that nobody handles looks like: the same text as from /usr/bin/python3.11, save for group margins."""
import contextlib
import io
import os
import subprocess
import sys
import tempfile
import unittest

ORACLE = "/usr/bin/python3.11"


def report(exception):
    stream = io.StringIO()
    with contextlib.redirect_stderr(stream):
        sys.__excepthook__(type(exception), exception, exception.__traceback__)
    return stream.getvalue()


@unittest.skipUnless(os.path.exists(ORACLE), "nothing to compare with")
class LikeTheOracle(unittest.TestCase):
    def same(self, source):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "program.py")
            with open(path, "wb") as file:
                file.write(source.encode() if isinstance(source, str) else source)
            texts = [subprocess.run([program, path], capture_output=True, text=True, errors="replace", timeout=60).stderr
                     for program in (sys.executable, ORACLE)]
        self.assertEqual(*texts)
        self.assertNotEqual(texts[0], "")

    def test_suggestions(self):
        self.same("def f():\n    foo_bar = 1\n    return foo_baz\nf()\n")
        self.same("printt\n")
        self.same("class A:\n    blech = 1\nA().bluch\n")
        self.same("class A:\n    blech = 1\nA.bluch\n")
        self.same("class A:\n    blech = 1\n    def __getattr__(self, n): raise AttributeError\nA().bluch\n")
        self.same("import math\nmath.sinn\n")
        self.same("x.y\n")

    def test_marks(self):
        self.same("def f(d): return d['a' ]['b']\nf({'a': {}})\n")
        self.same("def f(x): return 'é' + x  //  (0)\nf(1)\n")
        self.same("def f(x):\n    return (1 +\n       x / 0)\nf(1)\n")
        self.same("1/0\n")
        self.same("x = (lambda: 1/0)()\n")

    def test_chains_and_repetitions(self):
        self.same("try: 1/0\nexcept Exception as e: raise ValueError('x') from e\n")
        self.same("try: 1/0\nexcept Exception: raise ValueError('x')\n")
        self.same("try: 1/0\nexcept Exception: raise ValueError('x') from None\n")
        self.same("def f(n):\n    return f(n - 1) if n else 1/0\nf(10)\n")
        self.same("e = ValueError(1); e.add_note('a\\nb'); raise e\n")
        self.same("raise ExceptionGroup('g', [ValueError(i) for i in range(20)])\n")
        self.same("import sys; sys.tracebacklimit = 1\ndef f(): g()\ndef g(): 1/0\nf()\n")

    def test_syntax_errors(self):
        for source in ("if x:\npass\n", "\tif x:\n        y\n", "x = (1,\n", "a b c = 1\n", "f'{x y}'\n", "return 1\n",
                       "x = 1\n    y\n", "def f(a, a): pass\n", b"x = '\xff'\n", "# coding: foo\n", "class C:\n  x = $\n"):
            self.same(source)

    def test_unraisable(self):
        self.same("class D:\n    def __repr__(self): return 'd'\n"
                  "import sys\n"
                  "def g():\n    try: yield\n    finally: 1/0\n"
                  "x = g(); next(x)\n"
                  "h = sys.unraisablehook\n"
                  "sys.unraisablehook = lambda a: h(type(a)((a.exc_type, a.exc_value, a.exc_traceback, a.err_msg, D())))\n"
                  "del x\n")


class ByItself(unittest.TestCase):
    def test_syntax_error_of_a_subclass_has_one_caret(self):
        place = ("f", 2, 1, "pass\n", 2, 5)
        self.assertIn("\n    ^^^^\n", report(SyntaxError("m", place)))
        self.assertIn("\n    ^\n", report(IndentationError("m", place)))

    @unittest.skipIf(sys.implementation.name == "cpython", "not in 3.11")
    def test_groups_keep_their_margin(self):
        text = report(ExceptionGroup("g", [ValueError("a\nb"), SyntaxError("m", ("f", 1, 1, "x y", 1, 2))]))
        self.assertTrue(all(line.startswith("  ") for line in text.splitlines()), text)

    @unittest.skipIf(sys.implementation.name == "cpython", "not in 3.11")
    def test_long_chain(self):
        e = None
        for i in range(20_000):
            previous, e = e, ValueError(i)
            e.__cause__ = previous
        self.assertEqual(report(e).count("direct cause"), 19_999)

    def test_loop(self):
        a, b = ValueError("a"), ValueError("b")
        a.__cause__, b.__cause__ = b, a
        self.assertEqual(report(a).count("ValueError"), 2)

    def test_recursion_error(self):
        def f():
            f()
        try:
            f()
        except RecursionError as e:
            self.assertIn("[Previous line repeated ", report(e))

    def test_except_star_handles_the_matching_part(self):
        def f():
            try:
                raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
            except* ValueError:
                self.assertEqual(len(sys.exception().exceptions), 1)
                raise
        with self.assertRaises(ExceptionGroup) as caught:
            f()
        self.assertEqual(len(caught.exception.exceptions), 2)


if __name__ == "__main__":
    unittest.main()
