"""Decimals in threads: contexts of their own, and one that is shared; limits that must not crash."""
import contextvars
import decimal
import unittest
from decimal import Context, Decimal, localcontext

import _decimal

from thread_cases import run_threads


class Threads(unittest.TestCase):
    def test_is_ours(self):
        self.assertIs(decimal.Decimal, _decimal.Decimal)

    def test_contexts_of_their_own(self):
        def work(i):
            decimal.getcontext().prec = 10 + i
            for _ in range(300):
                self.assertEqual(len((Decimal(1) / 3).as_tuple().digits), 10 + i)
                with localcontext(prec=3):
                    self.assertEqual(Decimal(1) / 3, Decimal("0.333"))

        self.assertEqual(run_threads(4, work), [])

    def test_shared_context(self):
        shared = Context(prec=5, traps=[])

        def work(i):
            for j in range(300):
                shared.prec = 5 + (i + j) % 3
                self.assertIn(len(shared.divide(1, 3).as_tuple().digits), (5, 6, 7))
                shared.flags[decimal.Inexact] = False
                shared.clear_flags()
                repr(shared), shared.copy(), shared.traps.copy()

        self.assertEqual(run_threads(4, work), [])

    def test_context_variables(self):
        with localcontext(prec=4):
            inner = contextvars.copy_context()
        self.assertEqual(inner.run(lambda: Decimal(1) / 3), Decimal("0.3333"))


class Values(unittest.TestCase):
    def test_long_coefficients(self):
        with localcontext(prec=500):
            x = Decimal(3) ** 900
            self.assertEqual(x, 3 ** 900)
            self.assertEqual(hash(x), hash(3 ** 900))
            self.assertEqual(int(-x), -3 ** 900)
            self.assertEqual(Decimal(str(x)), x)

    def test_correct_rounding(self):
        with localcontext(prec=60):
            digits = "2.71828182845904523536028747135266249775724709369995957496697"
            self.assertEqual(str(Decimal(1).exp()), digits)
            self.assertEqual(str(Decimal(2).ln()), "0.693147180559945309417232121458176568075500134360255254120680")
            self.assertEqual(str(Decimal(2).log10()), "0.301029995663981195213738894724493026768189881462108541310427")
            self.assertEqual(str(Decimal(2) ** Decimal("0.5")), str(Decimal(2).sqrt()))

    def test_limits(self):
        widest = Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
        with localcontext(widest):
            for work in (lambda: Decimal(1) / 3, lambda: Decimal(2).sqrt(), lambda: Decimal(2).exp(), lambda: Decimal(3).ln(),
                         lambda: Decimal(2) ** Decimal("0.3"), lambda: Decimal("1e100000000000") + 1, lambda: Decimal(0).next_plus,
                         lambda: Decimal(1).logical_invert(), lambda: Decimal(1).rotate(1), lambda: int(Decimal("1e100000000000")),
                         lambda: Decimal("1e100000000000").as_integer_ratio()):
                try:
                    work()
                except (MemoryError, decimal.DecimalException):
                    pass

    def test_subclass(self):
        class Money(Decimal):
            pass

        self.assertIs(type(Money("1.5")), Money)
        self.assertIs(type(Money("1.5") + 1), Decimal)
        self.assertEqual(Money.from_float(0.5), Money("0.5"))


if __name__ == "__main__":
    unittest.main()
