"""Decimals of up to 38 digits have arithmetic of their own: it agrees with the library's Python version, at the edges of it, too.  The same for
format f of floats, which exact fractions check."""
import _pydecimal
import decimal
import fractions
import operator
import random
import unittest

MODES = ["ROUND_UP", "ROUND_DOWN", "ROUND_CEILING", "ROUND_FLOOR", "ROUND_HALF_UP", "ROUND_HALF_DOWN", "ROUND_HALF_EVEN", "ROUND_05UP"]
OPERATIONS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
              lambda a, b: -a, lambda a, b: a.quantize(b), lambda a, b: round(a, 2), lambda a, b: a + 3]


def random_text(chance):
    n = chance.choice([1, 2, 5, 9, 18, 19, 20, 28, 37, 38, 39])
    digits = chance.choice(["9" * n, "5" + "0" * (n - 1), str(chance.randrange(10 ** (n - 1), 10 ** n))])
    return chance.choice(["", "-"]) + digits + "E" + str(chance.choice([0, -1, -2, -5, -20, 3, 15, 40]))


def results(module, text_a, text_b, settings):
    context = module.Context(traps=[], **settings)
    module.setcontext(context)
    a, b = module.Decimal(text_a), module.Decimal(text_b)
    for operation in OPERATIONS:
        context.clear_flags()
        result = operation(a, b)
        yield str(result), repr(result), sorted(signal.__name__ for signal, is_set in context.flags.items() if is_set)


class SmallDecimals(unittest.TestCase):
    def test_against_python(self):
        chance = random.Random(3)
        for _ in range(150):
            settings = {"prec": chance.choice([1, 2, 9, 19, 28, 37, 38, 40]), "rounding": chance.choice(MODES),
                        "Emax": chance.choice([999999, 60]), "Emin": chance.choice([-999999, -60]), "clamp": chance.choice([0, 1])}
            a, b = random_text(chance), random_text(chance)
            with self.subTest(a=a, b=b, **settings):
                self.assertEqual(list(results(decimal, a, b, settings)), list(results(_pydecimal, a, b, settings)))

    def tearDown(self):
        decimal.setcontext(decimal.Context())

    def test_plain_numerals(self):
        for text in ["0", "-0.000", "+12.50", ".5", "5.", "9" * 38, "9" * 39, "0." + "0" * 6 + "1", "1" + "0" * 37]:
            self.assertEqual(str(decimal.Decimal(text)), str(_pydecimal.Decimal(text)), text)
        for text in ["", ".", "+", "1.2.3", "1 2"]:
            self.assertRaises(decimal.InvalidOperation, decimal.Decimal, text)


class FixedFormat(unittest.TestCase):
    def test_exact(self):
        chance = random.Random(5)
        values = [0.0, -0.0, 0.5, 1.5, 2.5, 0.125, 0.375, 1e15, 2.0 ** 52, 2.0 ** 63, 1e-30, 5e-324, 1e22]
        values += [chance.uniform(-1000, 1000) for _ in range(200)] + [chance.randrange(10 ** 6) / 64 for _ in range(200)]
        for value in values:
            for precision in (0, 1, 3, 10, 15, 16):
                scaled = round(fractions.Fraction(abs(value)) * 10 ** precision)
                digits = str(scaled).rjust(precision + 1, "0")
                text = digits[:len(digits) - precision] + ("." + digits[-precision:] if precision else "")
                sign = "-" if str(value).startswith("-") else ""
                self.assertEqual(f"{value:.{precision}f}", sign + text)
        self.assertEqual(f"{-0.001:z.1f} {1.5:+.0f} {2.0:#.0f}", "0.0 +2 2.")


if __name__ == "__main__":
    unittest.main()
