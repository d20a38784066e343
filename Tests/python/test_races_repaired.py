"""Races that ThreadSanitizer and audits found, once repaired: each threw the interpreter off, or could have."""
import _string
import csv
import io
import pickle
import sys
import threading
import unittest
import zlib


def race(*functions, times=300):
    """Runs the functions at once, over and over."""
    start = threading.Barrier(len(functions))
    failures = []

    def run(function):
        start.wait()
        try:
            for i in range(times):
                function(i)
        except BaseException as error:
            failures.append(error)
    threads = [threading.Thread(target=run, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return failures


class ExceptionFields(unittest.TestCase):
    """__str__ and __reduce__ read fields that other threads replace."""

    def check(self, error, *names, reduce=True):
        def set_fields(i):
            for name in names:
                setattr(error, name, "value %d" % i)

        def set_dict(i):
            error.__dict__ = {"x": i}

        def show(i):
            self.assertIsInstance(str(error), str)
            self.assertIsInstance(repr(error), str)

        def reduce_(i):
            error.__reduce__()
        self.assertEqual(race(set_fields, set_dict, show, *([reduce_] if reduce else [])), [])

    def test_import_error(self):
        self.check(ImportError("m", name="n", path="p"), "msg", "name", "path")

    def test_os_error(self):
        self.check(OSError(2, "two", "file"), "errno", "strerror", "filename", "filename2")

    def test_syntax_error(self):
        self.check(SyntaxError("m", ("f", 1, 2, "t", 1, 3)), "msg", "filename", "lineno")

    def test_unicode_errors(self):
        self.check(UnicodeDecodeError("utf-8", b"abc", 1, 2, "why"), "encoding", "object", "reason")
        self.check(UnicodeEncodeError("ascii", "abc", 1, 2, "why"), "encoding", "object", "reason")
        self.check(UnicodeTranslateError("abc", 1, 2, "why"), "object", "reason")

    def test_key_error(self):
        error = KeyError("k")

        def set_args(i):
            error.args = (str(i),) * (i % 3)
        self.assertEqual(race(set_args, lambda i: str(error), lambda i: repr(error)), [])

    def test_object_of_another_type(self):
        error = UnicodeDecodeError("utf-8", b"abc", 1, 2, "why")
        self.assertEqual(str(error), "'utf-8' codec can't decode byte 0x62 in position 1: why")
        error.object = 5
        self.assertEqual(str(error), "'utf-8' codec can't decode bytes in position 1-1: why")
        error = UnicodeEncodeError("ascii", "abc", 1, 2, "why")
        error.object = b"abc"
        self.assertEqual(str(error), "'ascii' codec can't encode characters in position 1-1: why")

    def test_deleted_fields(self):
        error = UnicodeDecodeError("utf-8", b"abc", 1, 2, "why")
        del error.encoding, error.reason
        self.assertEqual(str(error), "'<NULL>' codec can't decode byte 0x62 in position 1: <NULL>")

    def test_pickle(self):
        error = pickle.loads(pickle.dumps(ImportError("m", name="n", path="p")))
        self.assertEqual((error.msg, error.name, error.path), ("m", "n", "p"))


class Members(unittest.TestCase):
    """Attributes that are fields of C structs, and what C or other threads put there in the meantime."""

    def test_field_that_c_replaces(self):
        decompressor = zlib.decompressobj()
        data = zlib.compress(b"abc")

        def feed(i):
            nonlocal decompressor
            decompressor = zlib.decompressobj()
            decompressor.decompress(data + b"rest %d" % i, 1)
            decompressor.decompress(decompressor.unconsumed_tail)

        def look(i):
            for _ in range(10):
                self.assertIsInstance(decompressor.unused_data, bytes)
                self.assertIsInstance(decompressor.unconsumed_tail, bytes)
        self.assertEqual(race(feed, look, look), [])

    def test_slots(self):
        class Slotted:
            __slots__ = ("x",)
        shared = Slotted()
        shared.x = [0]
        member = Slotted.x

        def replace(i):
            shared.x = [i]

        def look(i):
            for _ in range(10):
                self.assertEqual(len(member.__get__(shared)), 1)
        self.assertEqual(race(replace, look, look), [])

    def test_names_of_generators(self):
        def make():
            yield 1
        generator = make()

        def rename(i):
            generator.__qualname__ = "qualified %d" % i
            make.__name__ = make.__qualname__ = "name %d" % i

        def look(i):
            for _ in range(10):
                self.assertIn("qualified" if i else "", repr(generator))
                self.assertIn("m", make().__name__)
                with self.assertRaisesRegex(ValueError, "free vars"):
                    make.__code__ = look.__code__
        rename(0)
        self.assertEqual(race(rename, look, look), [])

    def test_async_generator(self):
        async def count():
            for i in range(100):
                yield i
        shared = count()
        seen = []

        def step(i):
            nonlocal shared
            try:
                shared.__anext__().send(None)
            except StopIteration as stop:
                seen.append(stop.value)
            except (RuntimeError, ValueError):      # another thread is in it
                pass
            except StopAsyncIteration:
                shared = count()
        self.assertEqual(race(step, step, step), [])
        self.assertTrue(seen)


class Readers(unittest.TestCase):
    def test_csv_reader_that_its_lines_use(self):
        class Lines:
            left = 6

            def __iter__(self):
                return self

            def __next__(self):
                self.left -= 1
                if self.left == 2:
                    inner.append(next(reader))
                if self.left < 0:
                    raise StopIteration
                return "%d,x" % self.left
        inner, reader = [], None
        reader = csv.reader(Lines())
        self.assertEqual([row[-1] for row in reader], ["x"] * 5)
        self.assertEqual(inner, [["1", "x"]])

    def test_csv_reader_shared(self):
        reader = csv.reader(iter(["a,\"b", "c\",d"] * 1000))

        def read(i):
            try:
                next(reader)
            except (StopIteration, ValueError, RuntimeError, csv.Error):
                pass
        self.assertEqual(race(read, read, read, lambda i: reader.line_num), [])


class StandardStreams(unittest.TestCase):
    def test_stdout_replaced_while_others_print(self):
        saved = sys.stdout

        def replace(i):
            sys.stdout = io.StringIO()

        def write(i):
            for _ in range(5):
                print("text", i)
        try:
            replace(0)
            self.assertEqual(race(replace, write, write), [])
        finally:
            sys.stdout = saved

    def test_stdout_none_or_gone(self):
        saved = sys.stdout
        try:
            sys.stdout = None
            print("nothing")
            del sys.stdout
            with self.assertRaisesRegex(RuntimeError, "lost sys.stdout"):
                print("nothing")
        finally:
            sys.stdout = saved


class Types(unittest.TestCase):
    """Static types are ready before a thread can see them: making them so later races with who looks at them."""

    def test_types_of_iterators(self):
        made = [iter(memoryview(b"ab")), _string.formatter_parser("a{}"), _string.formatter_field_name_split("a.b")[1]]
        known = set(map(id, object.__subclasses__()))
        self.assertEqual([id(type(op)) in known for op in made], [True] * len(made))


if __name__ == "__main__":
    unittest.main()
