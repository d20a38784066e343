"""Computations with ints and decimals for which memory does not suffice end with MemoryError, never the process."""
import subprocess
import sys
import unittest

CHILD = """
import decimal, math, resource, sys
sys.set_int_max_str_digits(0)
context = decimal.Context(prec=decimal.MAX_PREC, Emax=decimal.MAX_EMAX, Emin=decimal.MIN_EMIN)
decimal.setcontext(context)
D = decimal.Decimal
n = (1 << 4_000_000) - 1
m = (1 << 2_000_000) - 1
d = D("9" * 1_000_000)
used = int(open("/proc/self/statm").read().split()[0]) * 4096
resource.setrlimit(resource.RLIMIT_AS, (used + (1 << 20), used + (1 << 20)))
hoard, size = [], 1 << 28
while size > 30000:
    try:
        hoard.append(bytearray(size))
    except MemoryError:
        size //= 2
cases = {
    "multiply": lambda: n * m, "square": lambda: n * n, "divmod": lambda: divmod(n, m), "power": lambda: n ** 3,
    "power modulo": lambda: pow(3, 5 ** 99, m), "square root": lambda: math.isqrt(n), "gcd": lambda: math.gcd(n, m - 2),
    "factorial": lambda: math.factorial(10 ** 6), "comb": lambda: math.comb(10 ** 7, 5 * 10 ** 6),
    "divide": lambda: n / (n - 2), "text": lambda: str(n), "shift": lambda: 1 << (1 << 62), "tower": lambda: 10 ** 10 ** 10,
    "decimal multiply": lambda: d * d, "decimal int": lambda: int(D("1e9000000")), "decimal text": lambda: str(d),
    "decimal plus": lambda: +d, "decimal exponents": lambda: D("1e9000000") + 1,
    "decimal ratio": lambda: D("1.5e-90000000").as_integer_ratio(), "decimal format": lambda: format(D("1e90000000"), "f"),
    "decimal compare": lambda: D("1e900000000") == D("1" + "0" * 99 + "e899999901"),
}
for name, case in cases.items():
    try:
        case()
        print(name, "succeeds")
    except MemoryError:
        pass
print("end")
"""


class NumberMemoryTest(unittest.TestCase):
    def test_memory_runs_out(self):
        done = subprocess.run([sys.executable, "-c", CHILD], capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout.splitlines()[-1], "end")
        for line in done.stdout.splitlines()[:-1]:
            with self.subTest(line):
                self.assertIn(line, ("decimal compare succeeds",))


if __name__ == "__main__":
    unittest.main()
