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


if __name__ == "__main__":
    unittest.main()
