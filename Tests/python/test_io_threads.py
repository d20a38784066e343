"""Streams shared by threads: nothing is lost, torn or read twice where the stream has a lock, and nothing crashes."""
import functools
import io
import os
import signal
import tempfile
import threading
import time
import unittest
import warnings

import thread_cases

THREADS = 6
together = functools.partial(thread_cases.together, count=THREADS)


class SharedStreams(unittest.TestCase):
    def setUp(self):
        handle, self.path = tempfile.mkstemp()
        os.close(handle)
        self.addCleanup(os.unlink, self.path)

    def test_buffered_writes_are_whole(self):
        with open(self.path, "wb", buffering=97) as f:
            together(lambda i: [f.write(b"%d:%05d\n" % (i, n)) for n in range(2000)])
        with open(self.path, "rb") as f:
            lines = f.read().split(b"\n")
        self.assertEqual(lines.pop(), b"")
        self.assertEqual(sorted(lines), sorted(b"%d:%05d" % (i, n) for i in range(THREADS) for n in range(2000)))

    def test_buffered_lines_are_read_once(self):
        expected = [b"%06d\n" % n for n in range(20000)]
        with open(self.path, "wb") as f:
            f.writelines(expected)
        got = [[] for _ in range(THREADS)]
        with open(self.path, "rb", buffering=113) as f:
            together(lambda i: got[i].extend(f))
        self.assertEqual(sorted(sum(got, [])), expected)

    def test_text_writes_are_whole(self):
        with open(self.path, "w", encoding="utf-8") as f:
            together(lambda i: [f.write("%d:é%05d\n" % (i, n)) for n in range(2000)])
        with open(self.path, encoding="utf-8") as f:
            lines = f.read().splitlines()
        self.assertEqual(sorted(lines), sorted("%d:é%05d" % (i, n) for i in range(THREADS) for n in range(2000)))

    def test_text_lines_are_read_once(self):
        expected = ["%06dé\n" % n for n in range(20000)]
        with open(self.path, "w", encoding="utf-8") as f:
            f.writelines(expected)
        for options in {}, {"newline": ""}, {"newline": "\n"}, {"encoding": "utf-8-sig"}:
            got = [[] for _ in range(THREADS)]
            with open(self.path, **{"encoding": "utf-8", **options}) as f:
                f._CHUNK_SIZE = 101
                together(lambda i: got[i].extend(f if i % 2 else iter(f.readline, "")))
            self.assertEqual(sorted(sum(got, [])), expected)

    def test_text_parts_are_read_once(self):
        with open(self.path, "w", encoding="utf-8") as f:
            f.write("".join("%05dé" % n for n in range(9000)))
        got = [[] for _ in range(THREADS)]
        with open(self.path, encoding="utf-8") as f:
            f._CHUNK_SIZE = 100
            together(lambda i: got[i].extend(iter(lambda: f.read(6), "")))
        self.assertEqual(sorted(sum(got, [])), ["%05dé" % n for n in range(9000)])

    def test_text_reader_that_waits_blocks_readers_only(self):
        reader, writer = os.pipe()
        got = []
        with open(reader, encoding="utf-8") as f, open(writer, "wb", buffering=0) as g:
            threads = [threading.Thread(target=lambda: got.append(f.readline())) for _ in range(2)]
            g.write(b"half")
            for thread in threads:
                thread.start()
            time.sleep(0.05)
            self.assertEqual((f.closed, f.encoding, f.newlines, f.fileno()), (False, "utf-8", None, reader))
            self.assertRaises(io.UnsupportedOperation, f.tell)
            self.assertRaises(io.UnsupportedOperation, f.seek, 0)
            self.assertEqual(got, [])
            g.write(b" a line\nand another\n")
            for thread in threads:
                thread.join()
        self.assertEqual(sorted(got), ["and another\n", "half a line\n"])

    def test_text_stream_over_python_code_that_comes_back(self):
        class Raw(io.RawIOBase):
            def __init__(self):
                self.parts, self.nested = [b"one\ntwo\nthr", b"ee\n"], None

            def readable(self):
                return True

            def readinto(self, space):
                if not self.parts:
                    return 0
                part = self.parts.pop(0)
                space[:len(part)] = part
                if self.nested is None:
                    self.nested = text.read(0)
                return len(part)
        text = io.TextIOWrapper(Raw(), encoding="utf-8")
        self.assertEqual(list(text), ["one\n", "two\n", "three\n"])
        self.assertEqual(text.buffer.nested, "")

    def test_memory_streams(self):
        for stream, text in ((io.BytesIO(), b"abcdefg\n"), (io.StringIO(), "abcdéfg\n")):
            together(lambda i: [stream.write(text) for _ in range(2000)])
            stream.seek(0)
            got = [[] for _ in range(THREADS)]
            together(lambda i: got[i].extend(stream))
            self.assertEqual(sum(got, []), [text] * (2000 * THREADS))

    def test_everything_at_once_does_not_crash(self):
        warnings.simplefilter("ignore", ResourceWarning)
        self.addCleanup(warnings.resetwarnings)
        with open(self.path, "wb") as f:
            f.write("zeile é\r\n".encode() * 3000)

        def abuse(make, operations):
            streams = [make()]

            def body(index):
                for n in range(300):
                    stream = streams[0]
                    try:
                        operations[(index * 7 + n) % len(operations)](stream)
                    except (ValueError, OSError, TypeError, RuntimeError, StopIteration, BufferError):
                        pass
                    if n % 50 == 49 and index == 0:
                        streams[0] = make()
            together(body)

        binary = [lambda f: f.read(10), lambda f: f.readline(), lambda f: f.seek(5), lambda f: f.tell(),
                  lambda f: f.write(b"xy"), lambda f: f.flush(), lambda f: f.peek(1), lambda f: f.read1(50),
                  lambda f: f.readinto(bytearray(30)), lambda f: next(f), lambda f: f.close(), lambda f: f.detach(),
                  lambda f: repr(f), lambda f: f.raw, lambda f: f.truncate(20000)]
        text = [lambda f: f.read(10), lambda f: f.readline(), lambda f: f.seek(0), lambda f: f.tell(),
                lambda f: f.write("xé\n"), lambda f: f.flush(), lambda f: next(f), lambda f: f.close(),
                lambda f: f.detach(), lambda f: repr(f), lambda f: f.reconfigure(encoding="latin-1"),
                lambda f: f.reconfigure(encoding="cp1252"), lambda f: f.newlines, lambda f: f.read(),
                lambda f: f.__init__(io.BytesIO(b"abc\n" * 100), encoding="utf-16"), lambda f: f.buffer]
        memory = [lambda f: f.read(10), lambda f: f.readline(), lambda f: f.seek(5), lambda f: f.tell(),
                  lambda f: f.truncate(30), lambda f: next(f), lambda f: f.getvalue(), lambda f: f.close(),
                  lambda f: f.__getstate__(), lambda f: f.__setstate__(f.__getstate__()), lambda f: f.__init__()]
        abuse(lambda: open(self.path, "r+b", buffering=50), binary)
        abuse(lambda: open(self.path, "rb"), binary)
        abuse(lambda: open(self.path, "r+", encoding="utf-8"), text)
        abuse(lambda: open(self.path, "r", encoding="utf-16", errors="replace"), text)
        abuse(io.BytesIO, memory + [lambda f: f.write(b"abc\n" * 5), lambda f: f.getbuffer().release(),
                                    lambda f: f.writelines([b"a", b"b"]), lambda f: f.readinto(bytearray(9))])
        abuse(io.StringIO, memory + [lambda f: f.write("abc\n" * 5), lambda f: f.write("é€\U0001f600")])

    def test_reentrant_raw_stream(self):
        class Raw(io.RawIOBase):
            def writable(self):
                return True

            def write(self, data):
                stream.write(b"x")
                return len(data)

        stream = io.BufferedWriter(Raw(), 4)
        with self.assertRaisesRegex(RuntimeError, "reentrant call inside"):
            stream.write(b"more than four")

    @unittest.skipUnless(hasattr(os, "fork"), "needs fork()")
    def test_lock_held_by_another_thread_at_fork(self):
        reader, writer = os.pipe()
        with open(reader, "rb") as f:
            thread = threading.Thread(target=f.read, args=(1,))     # holds the lock until there is data
            thread.start()
            time.sleep(0.1)
            pid = os.fork()
            if pid == 0:
                signal.alarm(20)
                try:
                    f.tell()                                        # takes the lock; a pipe has no position
                except OSError:
                    os._exit(0)
                finally:
                    os._exit(1)
            os.write(writer, b"p")
            os.close(writer)
            thread.join()
            self.assertEqual(os.waitpid(pid, 0)[1], 0)


if __name__ == "__main__":
    unittest.main()
