"""What happens to objects that only the end of the interpreter finds."""
import subprocess
import sys
import unittest


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr


class Finalisers(unittest.TestCase):
    def test_python_code_still_finds_its_files_open(self):
        """CPython promises no order; here Python code comes before the finalisers that close."""
        out, err = run("""if 1:
            import io
            class Keeps:
                def __init__(self):
                    self.buffers = [io.BytesIO() for _ in range(50)]
                    self.me = self
                def __del__(self):
                    print([buffer.closed for buffer in self.buffers].count(True))
            for _ in range(20):
                Keeps()
            import gc
            gc.collect()
            kept = Keeps()
            """)
        self.assertEqual((set(out.split()), err), ({"0"}, ""))

    def test_generators_finish_with_their_files_open(self):
        out, err = run("""if 1:
            import io
            def reads():
                buffer = io.BytesIO()
                me = yield
                try:
                    yield
                finally:
                    print(buffer.closed)
            generators = [reads() for _ in range(20)]
            for generator in generators:
                next(generator)
                generator.send(generator)
            del generator, generators
            import gc
            gc.collect()
            """)
        self.assertEqual((set(out.split()), err), ({"False"}, ""))

    def test_emptied_modules_are_nobody_s_mistake(self):
        """A finaliser that runs behind the clearing of the modules is not reported when it misses them."""
        out, err = run("""if 1:
            import os, selectors
            class Late:
                def __init__(self):
                    self.me = self
                def __del__(self):
                    selectors._fileobj_to_fd(0)
            os.register_at_fork(before=selectors.DefaultSelector)   # lives on
            os.register_at_fork(before=Late)
            os.register_at_fork(before=Late().__del__)
            """)
        self.assertEqual((out, err), ("", ""))


class Daemons(unittest.TestCase):
    def test_writers_that_wait_for_locks(self):
        """A daemon thread that the end finds waiting for a lock lets the others who wait for it go on."""
        program = """if 1:
            import sys, threading, time
            text, binary = open("/dev/null", "w"), open("/dev/null", "wb")
            def write():
                while True:
                    sys.stdout.write("x" * 50 + "\\n"); sys.stdout.flush(); sys.stderr.write("e\\n")
                    text.write("abc"); text.flush(); binary.write(b"xx" * 3000); binary.flush()
            for i in range(4): threading.Thread(target=write, daemon=True).start()
            time.sleep(0.03)
            """
        self.check(program, 15)

    def test_changers_of_classes(self):
        """Nor does the end find one in the middle of a change to a class."""
        self.check("""if 1:
            import sys, threading, time
            class Called: pass
            def change():
                while True:
                    Called.__call__ = lambda self: 0
                    del Called.__call__
            def look():
                while True: sys._current_frames()
            for f in (change, change, look, look, look): threading.Thread(target=f, daemon=True).start()
            time.sleep(0.05)
            """, 8)

    def check(self, program, times):
        for i in range(times):
            done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    unittest.main()
