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
            """, timeout=200)       # ThreadSanitizer's share
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
            """, timeout=200)       # ThreadSanitizer's share
        self.assertEqual(out, "RecursionError\n")


class HalfMade(unittest.TestCase):
    """Objects that gc.get_objects() finds before they are complete, and lists that are somebody's own."""

    def test_csv(self):
        run("""
            import _csv, gc
            class File:
                @property
                def write(self):
                    for op in gc.get_objects():
                        if type(op) is _csv.Writer:
                            op.writerow([1])
                    return print
            class Lines:
                def __iter__(self):
                    for op in gc.get_objects():
                        if type(op) is _csv.Reader:
                            next(op)
                    return iter([])
            _csv.writer(File())
            _csv.reader(Lines())
            """)

    def test_json_scanner(self):
        run("""
            import _json, gc
            class Context:
                strict = True
                object_pairs_hook = parse_float = parse_int = parse_constant = None
                @property
                def object_hook(self):
                    for op in gc.get_objects():
                        if type(op) is _json.make_scanner:
                            op("12.5", 0)
            _json.make_scanner(Context())
            """)

    def test_multibyte_stream(self):
        run("""
            import _codecs_jp, _multibytecodec, gc, io
            class Meta(type):
                @property
                def codec(cls):
                    for op in gc.get_objects():
                        if type(op) is Reader:
                            op.read()
                    return _codecs_jp.getcodec("euc_jp")
            class Reader(_multibytecodec.MultibyteStreamReader, metaclass=Meta): pass
            Reader(io.BytesIO(b"abc"))
            """)

    def test_tuple(self):
        out = run("""
            import gc, itertools
            class Pool:
                def __iter__(self):
                    for found in gc.get_objects(), gc.get_referrers(first):
                        for op in found:
                            if type(op) is tuple and len(op) == 7:
                                repr(op), list(op)
                    return iter([1])
            class First:
                def __iter__(self):
                    return iter([first])
            first = object()
            print(len(list(itertools.product(First(), Pool(), *["ab"] * 5))))
            """)
        self.assertEqual(out, "32\n")

    def test_select(self):
        out = run("""
            import gc, os, select, threading, time
            r, w = os.pipe()
            class File:
                def fileno(self): return r
            files = [File()]
            def grow():
                time.sleep(.2)
                for op in gc.get_objects():
                    if type(op) is list and op is not files and op[:1] == files and len(op) == 1:
                        op.extend([None] * 10000000)
                os.write(w, b"x")
            threading.Thread(target=grow).start()
            print(len(select.select(files, [], [])[0]))
            """)
        self.assertEqual(out, "1\n")

    def test_items_of_json(self):
        out = run("""
            import gc, json
            def default(value):
                for op in gc.get_objects():
                    if type(op) is list and len(op) == 2 and op[1] == ("left", "right"):
                        op.clear()
                return 1
            print(json.dumps({"one": object(), "left": "right"}, default=default))
            """)
        self.assertEqual(out, '{"one": 1, "left": "right"}\n')


class Others(unittest.TestCase):
    def test_text_streams_that_read_each_other(self):
        out = run(THREADS + """
import io
barrier = threading.Barrier(2)
class Buffer(io.BufferedIOBase):
    count = 0
    def readable(self): return True
    def read1(self, n=-1):
        self.count += 1
        if self.count > 1:
            return b""
        try:
            barrier.wait(1)
        except threading.BrokenBarrierError:
            pass
        return self.other.readline().encode() or b"end\\n"
    read = read1
a, b = Buffer(), Buffer()
text_a, text_b = io.TextIOWrapper(a, "utf-8"), io.TextIOWrapper(b, "utf-8")
a.other, b.other = text_b, text_a
run(text_a.readline, text_b.readline)
""", timeout=20)
        self.assertEqual(out, "raised []\n")

    def test_file_initialised_by_threads(self):
        out = run(THREADS + """
import io, os
file = io.FileIO("/dev/null")
def work():
    for i in range(1000):
        try:
            file.__init__("/dev/null")
        except RuntimeError:
            pass
before = len(os.listdir("/proc/self/fd"))
run(work, work, work, work)
file.__init__("/dev/null")
print(len(os.listdir("/proc/self/fd")) - before)
""")
        self.assertEqual(out.splitlines()[-1], "0")

    def test_foreign_object_in_lru_cache(self):
        import functools
        import gc

        @functools.lru_cache(maxsize=3)
        def function(x):
            return -x
        function(1)
        for cache in gc.get_referents(function):
            if type(cache) is dict and len(cache) == 1:
                for key in cache:
                    cache[key] = "no link"
        self.assertEqual(function(1), -1)

    def test_future_initialised_again(self):
        import asyncio
        import _asyncio
        loop = asyncio.new_event_loop()
        try:
            future = _asyncio.Future(loop=loop)
            future.set_result(1)
            future.__init__(loop=loop)
            self.assertFalse(future.done())
            future.set_result(2)
            self.assertEqual(future.result(), 2)
        finally:
            loop.close()


if __name__ == "__main__":
    unittest.main()
