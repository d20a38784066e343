"""Objects of modules in C that code in between, or another thread, changes under the hands of a method."""
import subprocess
import sys
import textwrap
import threading
import unittest


def run(code, *args, timeout=60):
    """What the program writes; a crash, a hang and a traceback of a thread are failures."""
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code), *args], capture_output=True, text=True,
                          timeout=timeout)
    if done.returncode != 0:
        raise AssertionError(f"status {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


# Calls its arguments in threads of their own, and says what they raised.
THREADS = """
import threading, time
end = time.monotonic() + 1
raised = []
def run(*functions):
    def guarded(function):
        try:
            function()
        except BaseException as error:
            raised.append(error)
    threads = [threading.Thread(target=guarded, args=(f,)) for f in functions]
    for t in threads: t.start()
    for t in threads: t.join()
    print("raised", raised)
"""


class Initialised(unittest.TestCase):
    """__init__ of an object that another thread is using, which began before that."""

    def run_init(self, initialise, use):
        """Runs initialise(wait), which calls wait() when it is in the middle; then use(wait), and goes on with the first when
        that one is in the middle. The exception of each."""
        in_init, go_init, in_use, go_use = (threading.Event() for _ in range(4))
        raised = {}

        def guarded(name, function, reached, go):
            def wait():
                reached.set()
                go.wait(10)
            try:
                function(wait)
            except Exception as error:
                raised[name] = error
            reached.set()

        first = threading.Thread(target=guarded, args=("init", initialise, in_init, go_init))
        second = threading.Thread(target=guarded, args=("use", use, in_use, go_use))
        first.start()
        in_init.wait(10)
        second.start()
        in_use.wait(10)
        go_init.set()
        first.join()
        go_use.set()
        second.join()
        return raised

    def test_unpickler(self):
        import _pickle
        unpickler = _pickle.Unpickler.__new__(_pickle.Unpickler)

        class File:
            readline = None

            def __init__(self, wait):
                self.wait = wait

        class Slow(File):
            @property
            def peek(self):
                self.wait()
                raise AttributeError
            read = readline = None

        class Good(File):
            def read(self, n):
                self.wait()
                return _pickle.dumps(7, 0)

        def use(wait):
            unpickler.__init__(Good(wait))
            unpickler.load()
        raised = self.run_init(lambda wait: unpickler.__init__(Slow(wait)), use)
        self.assertIsInstance(raised.pop("init"), RuntimeError)

    def test_pickler(self):
        import _pickle
        pickler = _pickle.Pickler.__new__(_pickle.Pickler)
        kept = []

        class Slow:
            def __init__(self, wait):
                self.wait = wait

            @property
            def write(self):
                self.wait()
                return kept.append

        class Good:
            def __init__(self, wait):
                self.wait = wait

            def write(self, data):
                self.wait()

        def use(wait):
            pickler.__init__(Good(wait))
            pickler.dump(1)
        raised = self.run_init(lambda wait: pickler.__init__(Slow(wait)), use)
        self.assertIsInstance(raised.pop("init"), RuntimeError)
        self.assertEqual(raised, {})
        self.assertEqual(kept, [])

    def test_xml_parser(self):
        import _elementtree

        class Slow:
            def __init__(self, wait):
                self.wait = wait

            def __getattr__(self, name):
                if name == "start":
                    self.wait()
                raise AttributeError(name)

        class Good:
            wait = None

            def start(self, tag, attrib):
                if tag == "b":
                    self.wait()

        good = Good()
        parser = _elementtree.XMLParser(target=good)

        def use(wait):
            good.wait = wait
            parser.feed("<a><b/>" + "<c x='1'>text</c>" * 1000 + "</a>")
        raised = self.run_init(lambda wait: parser.__init__(target=Slow(wait)), use)
        self.assertIsInstance(raised.pop("init"), RuntimeError)
        self.assertEqual(raised, {})

    def test_sqlite_cursor(self):
        out = run(THREADS + """
import sqlite3
cursor = sqlite3.connect(":memory:").cursor()
def work():
    connection = sqlite3.connect(":memory:")
    while time.monotonic() < end:
        try:
            cursor.__init__(connection)
            cursor.execute("select 1 union select 2 union select 3")
            for row in cursor: pass
        except sqlite3.Error:
            pass
run(work, work, work, work)
""")
        self.assertEqual(out, "raised []\n")


class Borrowed(unittest.TestCase):
    """What a method has in hand may go away meanwhile."""

    def test_asyncio_tasks(self):
        out = run(THREADS + """
import _asyncio
class Task:
    def __repr__(self):
        time.sleep(.0005)
        return f"task {id(self)}"
def work():
    while time.monotonic() < end:
        task = Task()
        for function in _asyncio._enter_task, _asyncio._leave_task:
            try:
                function("loop", task)
            except (RuntimeError, KeyError):
                pass
run(work, work, work, work)
""")
        self.assertEqual(out, "raised []\n")

    def test_tree_builder(self):
        import _elementtree
        died = []

        class Element:
            def __init__(self, tag, attrib):
                self.tag, self.text, self.tail = tag, None, None

            def append(self, child):
                if self.tag == "b" and child.tag == "c":
                    builder.end("b")
                    builder.start("x", {})

            def __del__(self):
                died.append(self)       # lives on, so that nothing is read after it is freed

        builder = _elementtree.TreeBuilder(element_factory=Element)
        for tag in "abc":
            builder.start(tag, {})
        builder.end("c")
        element = builder.end("q")
        self.assertEqual(element.tag, "b")
        self.assertNotIn(element, died)

    def test_profiled_method(self):
        out = run(THREADS + """
import _lsprof
class L(list): pass
def swap():
    while time.monotonic() < end:
        L.append = lambda self, x: None
        try:
            del L.append
        except AttributeError:
            pass
def profile():
    profiler, items = _lsprof.Profiler(), L()
    append = list.append.__get__(items)
    while time.monotonic() < end:
        profiler.enable()
        for i in range(10):
            append(i)
        profiler.disable()
        profiler.clear()
        items.clear()
run(swap, swap, profile, profile)
""")
        self.assertEqual(out, "raised []\n")

    def test_view_kept_by_readinto(self):
        out = run("""
            import io, pickle
            kept = []
            class File:
                def __init__(self, data):
                    self.file = io.BytesIO(data)
                    self.read, self.readline = self.file.read, self.file.readline
                def readinto(self, view):
                    kept.append(memoryview(view))
                    return self.file.readinto(view)
            payload = b"x" * 200000
            data = pickle.PROTO + b"\\x05" + pickle.BINBYTES8 + len(payload).to_bytes(8, "little") + payload + b"."
            try:
                pickle.Unpickler(File(data)).load()
            except BufferError:
                pass
            # The memory behind what was kept is nobody else's.
            others = [bytes(len(payload)) for i in range(50)]
            kept[0][:] = b"y" * len(kept[0])
            print(len(kept), any(map(any, others)), bytes(kept[0][:3]))
            """)
        self.assertEqual(out, "1 False b'yyy'\n")


class Nested(unittest.TestCase):
    def test_lru_cache(self):
        out = run("""
            import functools
            f = int
            for i in range(100000):
                f = functools.lru_cache(maxsize=None)(f)
            try:
                f()
            except RecursionError:
                print("RecursionError")
            """)
        self.assertEqual(out, "RecursionError\n")

    def test_partial(self):
        out = run("""
            import functools
            f = dict
            for i in range(50000):
                f = functools.partial(f, key=1)
                f.attribute = 1         # not joined with the next one
            try:
                f()
            except RecursionError:
                print("RecursionError")
            """)
        self.assertEqual(out, "RecursionError\n")


if __name__ == "__main__":
    unittest.main()
