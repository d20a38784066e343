"""fork() while other threads are busy: the child finds every lock of the interpreter free."""
import os
import pwd
import signal
import threading
import time
import unittest


def in_child(function):
    """Runs function in a forked child; returns whether it succeeded within 20 seconds."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(20)
        code = 1
        try:
            function()
            code = 0
        finally:
            os._exit(code)
    return os.waitpid(pid, 0)[1] == 0


class Busy:
    """Threads that call functions over and over."""

    def __init__(self, *functions):
        self.stop = False
        self.threads = [threading.Thread(target=self.body, args=(f,)) for f in functions]

    def body(self, function):
        while not self.stop:
            function()

    def __enter__(self):
        for t in self.threads:
            t.start()

    def __exit__(self, *exc):
        self.stop = True
        for t in self.threads:
            t.join()


@unittest.skipUnless(hasattr(os, "fork"), "needs fork()")
class Forks(unittest.TestCase):
    def check(self, *functions, times=15):
        with Busy(*functions):
            for _ in range(times):
                self.assertTrue(in_child(lambda: [f() for f in functions]))

    def test_environment(self):
        self.check(lambda: os.putenv("BRAID_TEST", "x" * 50), lambda: os.unsetenv("BRAID_TEST"))

    def test_signal_handlers(self):
        self.check(lambda: signal.getsignal(signal.SIGUSR1), lambda: signal.getsignal(signal.SIGUSR1))

    def test_users(self):
        self.check(pwd.getpwall, pwd.getpwall)

    def test_interned_strings_and_objects(self):
        numbers = iter(range(10 ** 9))
        self.check(lambda: setattr(Busy, "name_%d" % (next(numbers) % 1000), 1), lambda: compile("a+b", "f", "eval"),
                   lambda: type("C", (), {})())

    def test_import(self):
        import importlib
        import sys

        def load(name):
            sys.modules.pop(name, None)
            importlib.import_module(name)
        # What a thread of the parent was loading stays locked in the child, as in CPython; everything else is free.
        with Busy(lambda: load("colorsys"), lambda: load("sched")):
            for _ in range(10):
                self.assertTrue(in_child(lambda: load("bisect")))

    def test_hooks(self):
        seen = []
        os.register_at_fork(before=lambda: seen.append("before 1"), after_in_parent=lambda: seen.append("parent 1"),
                            after_in_child=lambda: seen.append("child 1"))
        os.register_at_fork(before=lambda: seen.append("before 2"), after_in_parent=lambda: seen.append("parent 2"),
                            after_in_child=lambda: seen.append("child 2"))

        def child():
            assert seen == ["before 2", "before 1", "child 1", "child 2"], seen
        self.assertTrue(in_child(child))
        self.assertEqual(seen, ["before 2", "before 1", "parent 1", "parent 2"])

    def test_threads_in_the_child(self):
        def child():
            assert threading.active_count() == 1
            results = []
            threads = [threading.Thread(target=lambda: results.append(sum(range(1000)))) for _ in range(5)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()
            assert len(results) == 5
        self.check(lambda: time.sleep(0.001), lambda: [str(i) for i in range(100)])
        with Busy(lambda: time.sleep(0.001), lambda: [str(i) for i in range(100)]):
            for _ in range(5):
                self.assertTrue(in_child(child))

    def test_fork_from_a_thread(self):
        results = []
        with Busy(lambda: {i: str(i) for i in range(100)}):
            t = threading.Thread(target=lambda: results.append(in_child(lambda: threading.Thread(target=int).start())))
            t.start()
            t.join()
        self.assertEqual(results, [True])


if __name__ == "__main__":
    unittest.main()
