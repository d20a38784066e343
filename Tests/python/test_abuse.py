"""What once ended the process, or could: each of these raises an exception or just works."""
import sys
import threading
import unittest

try:
    import _testcapi
except ImportError:
    _testcapi = None


class SmallStackTest(unittest.TestCase):
    def run_in_thread(self, size, function):
        outcomes = []

        def work():
            try:
                outcomes.append(function())
            except Exception as error:
                outcomes.append(type(error))

        before = threading.stack_size(size)
        try:
            thread = threading.Thread(target=work)
            thread.start()
        finally:
            threading.stack_size(before)
        thread.join()
        return outcomes[0]

    def test_parser(self):
        for size in 32768, 1 << 18:
            nested = self.run_in_thread(size, lambda: compile("(" * 150 + ")" * 150, "x", "exec").co_name)
            self.assertIn(nested, ("<module>", MemoryError))
            self.assertIn(self.run_in_thread(size, lambda: compile("-" * 50000 + "1", "x", "exec")), (MemoryError, RecursionError))

    def test_numbers(self):
        self.assertEqual(self.run_in_thread(32768, lambda: pow(7 ** 20000, 3, 10 ** 5000 + 9) == pow(7, 60000, 10 ** 5000 + 9)), True)


@unittest.skipIf(_testcapi is None, "needs _testcapi")
class NoMemoryTest(unittest.TestCase):
    def test_tokens(self):
        sources = ["try:\n with a as b: pass\nexcept* E: raise\n" + "x = [1, f'{a!r:>{b}}']\n" * 20, "f(a b)"]
        for source in sources:
            failures = 0
            for n in range(1, 60):
                _testcapi.set_nomemory(n, 0)
                try:
                    compile(source, "x", "exec")
                except MemoryError:
                    failures += 1
                except SyntaxError:
                    pass
                finally:
                    _testcapi.remove_mem_hooks()
            self.assertGreater(failures, 0, source)


if __name__ == "__main__":
    unittest.main()
