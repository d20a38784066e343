"""Sources and trees that nest too deep end in an exception, those that nest moderately compile; nothing crashes."""
import ast
import unittest
import warnings

MANY = 20_000
TOO_DEEP = (SyntaxError, MemoryError, RecursionError)


class Sources(unittest.TestCase):
    def setUp(self):
        catch = warnings.catch_warnings()
        catch.__enter__()
        self.addCleanup(catch.__exit__, None, None, None)
        warnings.simplefilter("ignore")

    def too_deep(self, source):
        with self.assertRaises(TOO_DEEP):
            compile(source, "deep", "exec")

    def fine(self, source):
        return compile(source, "deep", "exec")

    def test_brackets(self):
        for left, right in ("()", "[]", "{}"):
            self.too_deep(left * MANY + "1" + right * MANY)
            self.too_deep(left * MANY)
        self.too_deep("f(" * MANY + ")" * MANY)
        self.too_deep("match x:\n case " + "[" * MANY + "]" * MANY + ": pass")

    def test_operators(self):
        for operator in "-~+":
            self.too_deep(operator * MANY + "x")
        self.too_deep("not " * MANY + "x")
        self.too_deep("lambda: " * MANY + "x")
        self.too_deep("x" + "**x" * MANY)
        self.too_deep("x if y else " * MANY + "z")
        self.too_deep("async def f():\n " + "await " * MANY + "x")

    def test_strings(self):
        self.too_deep("f'{" + "(" * MANY + ")" * MANY + "}'")
        self.too_deep("f'{" + "-" * MANY + "x}'")
        self.too_deep("f'" + "{a:" * 1000 + "}" * 1000 + "'")
        self.fine("f'" + "{a}" * 1000 + "'")

    def test_statements(self):
        self.too_deep("if x: pass\n" + "elif x: pass\n" * MANY)
        self.too_deep("".join(" " * i + "if x:\n" for i in range(101)) + " " * 101 + "pass")
        for head in ("for x in y", "while x", "with x"):
            self.too_deep("".join(" " * i + head + ":\n" for i in range(21)) + " " * 21 + "pass")
            self.fine("".join(" " * i + head + ":\n" for i in range(20)) + " " * 20 + "pass")
        self.too_deep("with " + ", ".join(["x"] * 21) + ": pass")
        nested = "".join(" " * i + "try: x\n" + " " * i + "except E as e:\n" for i in range(12)) + " " * 12 + "pass"
        with self.assertRaisesRegex(SyntaxError, "too many statically nested blocks"):
            compile(nested, "deep", "exec")

    def test_moderate_nesting(self):
        self.fine("-" * 900 + "x")
        self.fine("x" + ".y" * 900)
        self.fine("x" + "[0]" * 900)
        self.fine("x if y else " * 400 + "z")
        self.fine("if x: pass\n" + "elif x: pass\n" * 900)

    def test_long_but_flat(self):
        n = 3000
        self.assertEqual(eval("f(" + ", ".join(map(str, range(n))) + ")", {"f": lambda *a: len(a)}), n)
        self.assertEqual(eval("f(" + ", ".join(f"a{i}={i}" for i in range(n)) + ")", {"f": lambda **k: len(k)}), n)
        space = {}
        exec("def f(" + ", ".join(f"a{i}" for i in range(n)) + f"): return a{n - 1}", space)
        self.assertEqual(space["f"](*range(n)), n - 1)
        exec("; ".join(f"x{i} = {i}" for i in range(n)), space)
        self.assertEqual(space[f"x{n - 1}"], n - 1)
        self.assertEqual(eval("+".join(["x"] * 900), {"x": 1}), 900)
        self.assertEqual(eval(" < ".join(map(str, range(n)))), True)
        self.assertEqual(eval(" and ".join(["x"] * n), {"x": 1}), 1)


class Trees(unittest.TestCase):
    def too_deep(self, expression):
        ast.copy_location(expression, ast.Constant(1, lineno=1, col_offset=0, end_lineno=1, end_col_offset=1))
        with self.assertRaises(TOO_DEEP):
            compile(ast.Expression(expression), "deep", "eval")

    def nest(self, wrap, depth=MANY):
        place = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 1}
        node = ast.Constant(1, **place)
        for _ in range(depth):
            node = wrap(node, place)
        return node

    def test_expressions(self):
        self.too_deep(self.nest(lambda e, at: ast.UnaryOp(ast.Not(), e, **at)))
        self.too_deep(self.nest(lambda e, at: ast.BinOp(e, ast.Add(), e, **at)))
        self.too_deep(self.nest(lambda e, at: ast.Tuple([e], ast.Load(), **at)))
        self.too_deep(self.nest(lambda e, at: ast.Attribute(e, "a", ast.Load(), **at)))

    def test_loop(self):
        node = self.nest(lambda e, at: ast.UnaryOp(ast.Not(), e, **at), 1)
        node.operand = node
        self.too_deep(node)
        node.operand = None


if __name__ == "__main__":
    unittest.main()
