"""Deadlocks: what is reported, what is raised, and that waits which somebody could end are left alone."""
import subprocess
import sys
import textwrap
import unittest

SETUP = """
import os, queue, signal, sys, threading, time, _thread
def start(function, *args, **kwargs):
    thread = threading.Thread(target=function, args=args, **kwargs)
    thread.start()
    return thread
def leave_soon(seconds, status=0):
    "Ends the process with an alarm: no thread, no handler."
    signal.setitimer(signal.ITIMER_REAL, seconds)
def opposite(a, b, **kwargs):
    "Two threads that take a and b in opposite orders."
    gate = threading.Barrier(2)
    def work(first, second):
        with first:
            gate.wait()
            with second:
                pass
    return start(work, a, b, **kwargs), start(work, b, a, **kwargs)
def opposite_caught(a, b):
    "The same; the list gets what they raise."
    gate, raised = threading.Barrier(2), []
    def work(first, second):
        try:
            with first:
                gate.wait()
                with second:
                    pass
        except RuntimeError as error:
            raised.append(str(error))
    return (start(work, a, b), start(work, b, a)), raised
"""


def run(body, *options, timeout=30):
    """Exit status and standard error of a program; the status is None for one that was still running after `timeout`."""
    program = [sys.executable, "-S", *options, "-c", SETUP + textwrap.dedent(body)]
    result = subprocess.run(program, capture_output=True, text=True, timeout=timeout)
    return result.returncode, result.stderr, result.stdout


class Reported(unittest.TestCase):
    """The process hangs, says so, and is ended by a timer."""

    def check(self, body, *options, members=2):
        status, errors, _ = run("leave_soon(3.5)\n" + textwrap.dedent(body), *options)
        self.assertEqual(status, -14, errors)
        self.assertIn(f"Deadlock: {members} threads wait for each other.", errors)
        self.assertEqual(errors.count("Deadlock:"), 1, errors)
        return errors

    def test_locks_in_opposite_orders(self):
        errors = self.check("opposite(threading.Lock(), threading.Lock())")
        self.assertRegex(errors, r"Thread-1 \(work\) waits for <_thread.lock object at 0x[0-9a-f]+>, taken by Thread-2 \(work\)")
        self.assertRegex(errors, r"Thread-2 \(work\) waits for <_thread.lock object at 0x[0-9a-f]+>, taken by Thread-1 \(work\)")
        self.assertRegex(errors, r"MainThread waits for Thread-[12] \(work\) to end")
        self.assertGreaterEqual(errors.count(", line "), 6)
        self.assertIn(" in work\n", errors)

    def test_rlocks_while_others_run(self):
        errors = self.check("""
            start(time.sleep, 10, daemon=True)
            opposite(threading.RLock(), threading.RLock(), daemon=True)
            while True:
                time.sleep(0.1)
            """)
        self.assertNotIn("MainThread", errors)

    def test_lock_and_rlock(self):
        self.check("opposite(threading.RLock(), threading.Lock())")

    def test_ring_of_three(self):
        self.check("""
            locks, gate = [threading.Lock() for i in range(3)], threading.Barrier(3)
            def work(i):
                with locks[i]:
                    gate.wait()
                    with locks[(i + 1) % 3]:
                        pass
            for i in range(3):
                start(work, i)
            """, members=3)

    def test_join(self):
        errors = self.check("""
            lock = threading.Lock()
            def work():
                with lock:
                    pass
            with lock:
                start(work).join()
            """)
        self.assertIn("MainThread waits for Thread-1 (work) to end", errors)

    def test_two_threads_that_join_each_other(self):
        self.check("""
            threads = []
            def work(i):
                time.sleep(0.2)
                threads[1 - i].join()
            threads += [start(work, 0), start(work, 1)]
            """)

    def test_idle_threads_do_not_hide_it(self):
        self.check("""
            start(queue.SimpleQueue().get, daemon=True)
            start(queue.Queue().get, daemon=True)
            start(threading.Event().wait, daemon=True)
            opposite(threading.Lock(), threading.Lock())
            """)

    def test_condition_takes_its_lock_back(self):
        self.check("""
            condition, other = threading.Condition(), threading.RLock()
            def waiter():
                with other, condition:
                    condition.wait()
            def notifier():
                time.sleep(0.2)
                with condition:
                    condition.notify()
                    with other:
                        pass
            start(waiter), start(notifier)
            """)

    def test_import(self):
        self.check("""
            import tempfile
            from pathlib import Path
            directory = Path(tempfile.mkdtemp())
            (directory / "slow.py").write_text("import __main__\\n__main__.in_import.set()\\n"
                                               "with __main__.lock:\\n    pass\\n")
            sys.path.insert(0, str(directory))
            lock, in_import = threading.Lock(), threading.Event()
            def importer():
                import slow
            def holder():
                with lock:
                    in_import.wait()
                    import slow
            start(holder), start(importer)
            """)

    def test_with_the_global_lock(self):
        self.check("opposite(threading.Lock(), threading.Lock())", "-Xgil=1")


class Raised(unittest.TestCase):
    def check(self, body, *options):
        status, errors, output = run(body, "-Xdeadlock=raise", *options)
        self.assertEqual(status, 0, errors)
        return errors, output

    def test_in_one_of_two(self):
        for kind in "Lock", "RLock":
            errors, output = self.check(f"""
                threads, raised = opposite_caught(threading.{kind}(), threading.{kind}())
                for thread in threads:
                    thread.join()
                print(*raised, sep="\\n")
                """)
            self.assertEqual(output.count("deadlock: "), 1, output)
            self.assertIn("Thread-1 (work) waits for <_thread.", output)
            self.assertIn("Deadlock: 2 threads", errors)

    def test_in_the_main_thread(self):
        errors, output = self.check("""
            lock = threading.Lock()
            def work():
                with lock:
                    pass
            try:
                with lock:
                    thread = start(work)
                    thread.join()
            except RuntimeError as error:
                print(error)
            thread.join()
            """)
        self.assertIn("MainThread waits for Thread-1 (work) to end", output)

    def test_two_deadlocks(self):
        errors, output = self.check("""
            first = opposite_caught(threading.Lock(), threading.Lock())
            second = opposite_caught(threading.RLock(), threading.Lock())
            for threads, raised in first, second:
                for thread in threads:
                    thread.join()
                print(len(raised))
            """)
        self.assertEqual(output.split(), ["1", "1"])
        self.assertEqual(errors.count("Deadlock: "), 2)


class LeftAlone(unittest.TestCase):
    """Programs that wait for more than two looks, and end by what only they know of."""

    def check(self, body, *options, status=0, **kwargs):
        got, errors, output = run(body, "-Xdeadlock=raise", *options, **kwargs)
        self.assertEqual(errors, "")
        self.assertEqual(got, status)
        return output

    def test_waiting_to_be_told(self):
        self.check("""
            leave_soon(3.5)
            start(queue.SimpleQueue().get, daemon=True)
            start(queue.Queue().get)
            threading.Event().wait()
            """, status=-14)

    def test_somebody_else_runs(self):
        self.check("""
            a, b = threading.Lock(), threading.Lock()
            a.acquire(), b.acquire()
            done = []
            def first():
                with threading.Lock():
                    a.acquire()
                done.append(1)
            def helper():
                time.sleep(2.5)
                a.release()
            start(helper)
            start(first).join()
            assert done
            """)

    def test_cycle_that_a_third_thread_ends(self):
        self.check("""
            a, b = threading.Lock(), threading.Lock()
            gate = threading.Barrier(2)
            def work(first, second):
                first.acquire()
                gate.wait()
                second.acquire()
            def helper():
                time.sleep(2.5)
                a.release(), b.release()
            threads = start(work, a, b), start(work, b, a), start(helper)
            for thread in threads:
                thread.join()
            """)

    def test_timed_wait(self):
        self.check("""
            a, b = threading.RLock(), threading.RLock()
            gate = threading.Barrier(2)
            def patient():
                with a:
                    gate.wait()
                    with b:
                        pass
            def hasty():
                with b:
                    gate.wait()
                    assert not a.acquire(timeout=2.5)
            threads = start(patient), start(hasty)
            for thread in threads:
                thread.join()
            """)

    def test_signal_handler_that_releases(self):
        self.check("""
            a, b = threading.Lock(), threading.Lock()
            signal.signal(signal.SIGALRM, lambda *args: (a.release(), b.release()))
            signal.setitimer(signal.ITIMER_REAL, 2.5)
            gate = threading.Barrier(2)
            def work(first, second):
                first.acquire()
                gate.wait()
                second.acquire()
            threads = start(work, a, b), start(work, b, a)
            for thread in threads:
                thread.join()
            """)

    def test_thread_that_the_interpreter_does_not_know(self):
        # faulthandler's watchdog stands for a thread of a C library.
        self.check("""
            import faulthandler
            faulthandler.dump_traceback_later(60)
            leave_soon(3.5)
            opposite(threading.Lock(), threading.Lock())
            """, status=-14)

    def test_hand_over_from_thread_to_thread(self):
        self.check("""
            a, b = threading.Lock(), threading.Lock()
            b.acquire()
            def ping():
                for i in range(3000):
                    a.acquire()
                    b.release()
            def pong():
                for i in range(3000):
                    b.acquire()
                    a.release()
            threads = [start(ping), start(pong)]
            for thread in threads:
                thread.join()
            """)

    def test_off(self):
        status, errors, _ = run("leave_soon(2.5)\nopposite(threading.Lock(), threading.Lock())", "-Xdeadlock=off")
        self.assertEqual((status, errors), (-14, ""))


class Options(unittest.TestCase):
    def test_values(self):
        status, errors, _ = run("", "-Xdeadlock=maybe")
        self.assertEqual(status, 1)
        self.assertIn('-X deadlock must be "off", "report" or "raise"', errors)
        for value in "off", "report", "raise":
            self.assertEqual(run("", f"-Xdeadlock={value}")[:2], (0, ""))
        self.assertEqual(run("", "-Xdeadlock")[:2], (0, ""))


if __name__ == "__main__":
    unittest.main()
