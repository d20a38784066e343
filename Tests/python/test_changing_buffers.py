"""Buffers whose content other threads change while C code goes over it, and views that outlive what they showed."""
import codecs
import io
import marshal
import subprocess
import sys
import sysconfig
import threading
import time
import unittest

# Every operation on a buffer goes over it twice; a writer changes what is in it between the two, by way of a view, which takes no
# lock of the bytearray's.
CHANGES = """
import codecs, ctypes, io, marshal, pickle, sys, threading, time
N = 2000
array = bytearray(b"abcabcab" * (N // 8))
view = memoryview(array)
needle = bytearray(b"abc")
frame = b"\\xf5" + N.to_bytes(4, "little")
text = memoryview(bytearray(frame + bytes(N)))      # of marshal: an ASCII str

class Views(io.BufferedIOBase):
    def readable(self): return True
    def read1(self, n=-1): return view
    read = read1

def read(encoding):
    stream = io.TextIOWrapper(Views(), encoding, errors="replace")
    for _ in range(5): max(stream.read(1000))

def decode(encoding):
    max(str(array, encoding, "replace"))
    str(view.toreadonly(), encoding, "replace").encode()

def write_valid():
    view[:] = b"a" * N
    view[:] = b"\\xe2\\x82\\xac\\xc3\\xa9" * (N // 5)

def write_any():
    for byte in b"a\\0\\t\\xff":
        view[:] = bytes([byte]) * N

def write_text():
    text[5:] = b"a" * N
    text[5:] = b"\\xff" * N

pickled = bytearray(pickle.dumps("a" * N, 4))
pickled_text = memoryview(pickled)[bytes(pickled).index(b"a" * 9):][:N]
wide = (ctypes.c_wchar * N)()

def write_pickle():
    pickled_text[:] = b"a" * N
    pickled_text[:] = b"\\xe2\\x82\\xac\\xc3\\xa9" * (N // 5)

def write_wide():
    view = memoryview(wide).cast("B").cast("I")
    for number in 65, 0xe9, 0xdeadbeef:
        view[:] = memoryview(number.to_bytes(4, sys.byteorder) * N).cast("I")

def use_wide():
    text = wide.value
    if text.isascii() and max(text) > "\\x7f" or max(text) > "\\U0010ffff": raise SystemError(ascii(max(text)))
    text.upper().isalpha()

def write_needle():
    needle[0] = 97
    needle[0] = 98

writer, operations = {
    "str": (write_any, [lambda: decode("latin-1"), lambda: decode("utf-8"), lambda: array.decode("latin-1")]),
    "codecs": (write_valid, [lambda: max(codecs.utf_8_decode(array)[0]), lambda: max(codecs.latin_1_decode(array)[0]),
                             lambda: codecs.utf_16_decode(array, "replace"), lambda: codecs.escape_decode(array)]),
    "repr": (write_any, [lambda: repr(array), lambda: "%r" % array, lambda: b"%a" % array,
             lambda: array.__reduce_ex__(2)]),
    "methods": (write_any, [lambda: array.replace(b"a", b"12345678"), lambda: array.expandtabs(16),
                            lambda: array.translate(None, b"a\\t")]),
    "needle": (write_needle, [lambda: b"abcabcab".replace(needle, b"xx"), lambda: array.replace(needle, b"")]),
    "streams": (write_any, [lambda: read("latin-1"), lambda: read("utf-8")]),
    "pickle": (write_pickle, [lambda: (max(pickle.loads(pickled)), pickle.loads(pickled).upper())]),
    "ctypes": (write_wide, [use_wide]),
    "marshal": (write_text, [lambda: max(marshal.loads(text))]),
}[sys.argv[1]]
end = time.monotonic() + float(sys.argv[2])

def write():
    while time.monotonic() < end:
        for i in range(50):
            writer()

def use():
    while time.monotonic() < end:
        for operation in operations:
            for i in range(20):
                try:
                    operation()
                except (UnicodeError, ValueError, EOFError, pickle.UnpicklingError):
                    pass

threads = [threading.Thread(target=f) for f in (write, use, use)]
for t in threads:
    t.start()
for t in threads:
    t.join()
"""


# The races on the bytes behind a view are the programs' own: ThreadSanitizer is right to name them.
RACES_ON_BYTES = "sanitizer=thread" not in (sysconfig.get_config_var("CONFIG_ARGS") or "")


@unittest.skipUnless(RACES_ON_BYTES, "ThreadSanitizer")
class Content(unittest.TestCase):
    def check(self, what):
        run = subprocess.run([sys.executable, "-c", CHANGES, what, "0.7"], timeout=60, capture_output=True, text=True)
        self.assertEqual((run.returncode, run.stderr), (0, ""))

    def test_str(self):
        self.check("str")

    def test_codecs(self):
        self.check("codecs")

    def test_repr(self):
        self.check("repr")

    def test_methods(self):
        self.check("methods")

    def test_needle(self):
        self.check("needle")

    def test_streams(self):
        self.check("streams")

    def test_marshal(self):
        self.check("marshal")

    def test_pickle(self):
        self.check("pickle")

    def test_ctypes(self):
        self.check("ctypes")


class Results(unittest.TestCase):
    """What works on a copy gives what it gave without."""

    def test_kinds(self):
        for kind in (bytes, bytearray, memoryview, lambda b: memoryview(bytearray(b)), lambda b: memoryview(b"-" + b)[1:]):
            pattern, text = kind(b"a"), kind(b"abca")
            self.assertEqual(b"bab".replace(pattern, kind(b"xx")), b"bxxb")
            self.assertEqual(bytearray(b"bab").replace(pattern, b""), bytearray(b"bb"))
            self.assertEqual(b"bab".split(pattern), [b"b", b"b"])
            self.assertEqual(b"bab".partition(pattern), (b"b", b"a", b"b"))
            self.assertEqual(b",".join([text, pattern]), b"abca,a")
            self.assertEqual(bytearray(b",").join([text, pattern]), bytearray(b"abca,a"))
            self.assertEqual(str(text, "utf-8"), "abca")
            self.assertEqual(str(text, "utf-16-le"), "扡慣")
            self.assertEqual(codecs.utf_8_decode(text), ("abca", 4))
            self.assertEqual(b"-" + text, b"-abca")
            self.assertEqual(int(kind(b" 12 ")), 12)
            self.assertEqual(float(kind(b" 1.5")), 1.5)
            self.assertEqual(marshal.loads(kind(marshal.dumps([1, "a"]))), [1, "a"])
        self.assertEqual(bytearray(b"a\tb").expandtabs(4), bytearray(b"a   b"))
        self.assertEqual(bytearray(b"abc").translate(None, b"b"), bytearray(b"ac"))
        array = bytearray(b"aXa")
        self.assertEqual(array.replace(array, array), array)
        self.assertEqual(array.join([array, array]), bytearray(b"aXaaXaaXa"))
        array.extend(array)
        self.assertEqual(array, bytearray(b"aXaaXa"))
        array[1:2] = array
        self.assertEqual(array, bytearray(b"aaXaaXaaaXa"))
        self.assertTrue(array == array <= array)


class TwoArrays(unittest.TestCase):
    """Each has its lock: operations of both, in either order, neither wait for each other nor see half a change."""

    def test_both_ways(self):
        n = 20000
        arrays = [bytearray(b"a" * n), bytearray(b"a" * n)]
        end = time.monotonic() + 0.7
        failures = []

        def fill():
            while time.monotonic() < end:
                for array in arrays:
                    for byte in b"ab":
                        try:
                            array[:] = bytes([byte]) * n
                        except BufferError:     # another thread has a view of it
                            pass

        def use(a, b):
            while time.monotonic() < end:
                a == b, a < b, a.replace(b, b"x"), a.startswith(b), b in a
                for copy in (bytearray(a), b"" + a, bytearray().join([b]), b"".join([a, b""]), eval(repr(b))):
                    if copy.count(copy[0]) != n:
                        failures.append(copy[:100])
                copy = bytearray(b)
                try:
                    copy += a
                    copy[n:] = b
                except BufferError:
                    continue
                if len(copy) != 2 * n or copy.count(copy[0], 0, n) != n or copy.count(copy[n], n) != n:
                    failures.append(copy[:100])
        threads = [threading.Thread(target=f, args=args)
                   for f, args in ((fill, ()), (use, arrays), (use, arrays[::-1]))]
        for t in threads:
            t.start()
        for t in threads:
            t.join(30)
        self.assertFalse(any(t.is_alive() for t in threads))
        self.assertEqual(failures, [])


class Views(unittest.TestCase):
    """Who keeps the view that it was given finds the memory alive."""

    def test_codec(self):
        kept = []

        def decode(data, errors="strict"):
            kept.append(data)
            return "", len(data)

        def find(name):
            return codecs.CodecInfo(None, decode, name=name) if name == "keeps_its_argument" else None
        codecs.register(find)
        self.addCleanup(codecs.unregister, find)
        bytes(range(256)).decode("keeps_its_argument")
        bytearray(range(256)).decode("keeps_its_argument")
        for view in kept:
            self.assertEqual(bytes(view), bytes(range(256)))
            self.assertEqual(bytes(view.obj), bytes(range(256)))

    def test_marshal(self):
        class File(io.BytesIO):
            fails = False

            def readinto(self, view):
                kept.append(memoryview(view))
                if self.fails:
                    raise KeyError
                return super().readinto(view)
        for fails in (False, True):
            kept = []
            file = File(marshal.dumps(b"x" * 1000))
            file.fails = fails
            if fails:
                self.assertRaises(KeyError, marshal.load, file)
            else:
                self.assertEqual(marshal.load(file), b"x" * 1000)
            for view in kept:
                view[0] = 65
                self.assertEqual(view.obj[0], 65)

    def test_marshal_shrunk(self):
        class File(io.BytesIO):
            def readinto(self, view):
                array = view.obj
                view.release()
                array.clear()
                return 1
        self.assertRaises(EOFError, marshal.load, File())


if __name__ == "__main__":
    unittest.main()
