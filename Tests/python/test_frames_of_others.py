"""Frames that other threads run, resume, end and free meanwhile may be looked at and cleared."""
import sys
import threading
import time
import unittest


def look(frame):
    """What a profiler or a debugger reads."""
    for _ in range(20):
        if frame is None:
            break
        repr(frame), frame.f_lineno, frame.f_lasti, frame.f_code.co_name, list(frame.f_locals.items()), frame.f_globals, frame.f_builtins
        frame = frame.f_back


def at_once(seconds, *bodies):
    """Runs each body in a thread of its own again and again."""
    end, errors = time.monotonic() + seconds, []

    def run(body):
        try:
            while time.monotonic() < end:
                body()
        except BaseException as error:
            errors.append(error)
            raise
    threads = [threading.Thread(target=run, args=(body,)) for body in bodies]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return errors


class FramesOfOtherThreads(unittest.TestCase):
    def test_running(self):
        def deep(n, *rest):
            text, values = str(n), [n] * 3
            return deep(n - 1, text, values) if n else len(rest)

        def watch():
            for ident, frame in sys._current_frames().items():
                look(frame)
        self.assertEqual(at_once(1.0, lambda: deep(30), lambda: deep(10), watch), [])

    def test_generators(self):
        def generate(n):
            with_text = str(n)
            for i in range(n):
                yield [with_text, i]
        shared = [generate(5)]

        def replace():
            shared[0] = generate(5)

        def resume():
            try:
                for _ in range(3):
                    next(shared[0], None)
            except ValueError:          # already executing
                pass

        def watch():
            frame = shared[0].gi_frame
            if frame is not None:
                look(frame)

        def clear():
            frame = shared[0].gi_frame
            try:
                if frame is not None:
                    frame.clear()
            except RuntimeError:        # executing
                pass
        self.assertEqual(at_once(1.5, replace, resume, watch, clear, clear), [])

    def test_ended(self):
        """Frames of tracebacks: cleared while others read their variables."""
        def fail(n):
            text = str(n)
            raise ValueError(text)

        def caught():
            try:
                fail(3)
            except ValueError as error:
                return error.__traceback__.tb_next.tb_frame
        shared = [caught()]

        def replace():
            shared[0] = caught()
        self.assertEqual(at_once(1.0, replace, lambda: look(shared[0]), lambda: shared[0].clear(), lambda: shared[0].clear()), [])

    def test_what_is_seen(self):
        """Of a thread that waits: its variables, line and callers."""
        ready, go = threading.Event(), threading.Event()

        def inner(secret):
            ready.set()
            go.wait()

        def outer():
            inner("seen")
        thread = threading.Thread(target=outer)
        thread.start()
        ready.wait()
        frame = sys._current_frames()[thread.ident]
        while frame.f_code.co_name != "inner":
            frame = frame.f_back
        self.assertEqual(frame.f_locals["secret"], "seen")
        self.assertEqual(frame.f_back.f_code.co_name, "outer")
        with self.assertRaisesRegex(RuntimeError, "cannot clear an executing frame"):
            frame.clear()
        go.set()
        thread.join()
        self.assertEqual(frame.f_locals["secret"], "seen")
        frame.clear()
        self.assertNotIn("secret", frame.f_locals)


if __name__ == "__main__":
    unittest.main()
