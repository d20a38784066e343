"""What fuzz_threads.py shares between threads beside the built-in types: the objects of modules written in C.

Each factory takes a random.Random and depends on nothing else. FORBIDDEN_OF names, by type, the methods that would wait, or take a
number for a file descriptor that is somebody else's."""
import _asyncio
import asyncio
import bz2
import codecs
import collections
import csv
import ctypes
import datetime
import decimal
import functools
import hashlib
import hmac
import io
import itertools
import json
import lzma
import mmap
import operator
import os
import pickle
import queue
import select
import socket
import sqlite3
import ssl
import struct
import tempfile
import types
import warnings
import weakref
import xml.etree.ElementTree as ElementTree
import xml.parsers.expat as expat
import zlib
import zoneinfo

from stress_common import RACES_ON_BYTES


def letters(rng, most=20):
    return "".join(rng.choice("abc,;\" \u00df\u20ac\n") for _ in range(rng.randrange(most)))


def numbers(rng, most=12):
    return [rng.randrange(50) for _ in range(rng.randrange(most))]


# ---- Streams ----

def make_file(rng, mode="w+b", buffering=-1):
    """An open file that has no name any more."""
    options = {} if "b" in mode else {"encoding": rng.choice(("utf-8", "latin-1")), "errors": "replace"}
    stream = tempfile.TemporaryFile(mode, buffering, **options)
    text = letters(rng, 100)
    stream.write(text.encode() if "b" in mode else text)
    stream.seek(0)
    return stream


def make_text_file(rng):
    return make_file(rng, "w+")


def make_pair(rng):
    return io.BufferedRWPair(io.BytesIO(letters(rng).encode()), io.BytesIO())


def make_mmap(rng):
    mapping = mmap.mmap(-1, 64 + rng.randrange(100))
    mapping.write(letters(rng).encode())
    return mapping


def make_socket(rng):
    a, b = socket.socketpair()
    b.close()
    a.setblocking(False)
    return a


def make_scandir(rng):
    return os.scandir("/proc/self")


# ---- Compressors, hashes, codecs ----

def make_decompressor(rng):
    kind = rng.choice((zlib, bz2, lzma))
    return zlib.decompressobj() if kind is zlib else bz2.BZ2Decompressor() if kind is bz2 else lzma.LZMADecompressor()


def make_compressor(rng):
    kind = rng.choice((zlib, bz2))
    return zlib.compressobj(1) if kind is zlib else bz2.BZ2Compressor(1)


def make_codec(rng):
    name = rng.choice(("utf-8", "utf-16", "gb18030", "shift_jis", "iso2022_jp", "big5"))
    try:
        return codecs.getincrementaldecoder(name)("replace") if rng.random() < 0.5 else codecs.getincrementalencoder(name)("replace")
    except AttributeError:      # a thread of an earlier round has deleted that of the one CodecInfo that there is
        return codecs.lookup(name)


def make_stream_codec(rng):
    name = rng.choice(("euc_jp", "gbk"))
    if rng.random() < 0.5:
        return codecs.getreader(name)(io.BytesIO(b"abc\ndef"), "replace")
    return codecs.getwriter(name)(io.BytesIO(), "replace")


# ---- Trees, tables ----

def make_element(rng, depth=2):
    element = ElementTree.Element(rng.choice("abc"), {"k": rng.choice("xyz")})
    element.text = letters(rng)
    for _ in range(rng.randrange(4) if depth else 0):
        element.append(make_element(rng, depth - 1))
    return element


def make_expat(rng):
    parser = expat.ParserCreate()
    parser.StartElementHandler = lambda *args: None
    parser.CharacterDataHandler = lambda *args: None
    return parser


def make_connection(rng):
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("create table t(a, b)")
    connection.executemany("insert into t values(?, ?)", [(n, letters(rng)) for n in numbers(rng)])
    return connection


def make_cursor(rng):
    connection = make_connection(rng)
    connection.row_factory = rng.choice((None, sqlite3.Row))
    return connection.execute("select * from t")


def make_row(rng):
    connection = make_connection(rng)
    connection.row_factory = sqlite3.Row
    return connection.execute("select 1 as a, 'x' as b").fetchone()


def make_blob(rng):
    connection = make_connection(rng)
    connection.execute("insert into t values(1, zeroblob(20))")
    return connection.blobopen("t", "b", connection.execute("select max(rowid) from t").fetchone()[0])


# ---- Code that runs ----

async def coroutine():
    return 1


@types.coroutine
def pause():
    yield 1


async def pausing():
    for _ in range(5):
        await pause()


async def asynchronous():
    for i in range(9):
        yield i


def quiet(make):
    """Coroutines that nobody awaits warn."""
    def factory(rng):
        warnings.simplefilter("ignore")
        return make()
    return factory


def make_future(rng):
    loop = asyncio.new_event_loop()
    future = _asyncio.Future(loop=loop)
    loop.close()
    return future


def make_unicode_error(rng):
    return rng.choice((lambda: UnicodeDecodeError("utf-8", b"abc", 1, 2, "why"), lambda: UnicodeEncodeError("ascii", "abc", 0, 2, "why"),
                       lambda: UnicodeTranslateError("abc", 1, 2, "why")))()


def make_error(rng):
    return rng.choice((lambda: ImportError("m", name="n", path="p"), lambda: SyntaxError("bad", ("f", 1, 2, "text", 1, 3)),
                       lambda: StopIteration(3), lambda: SystemExit(2), lambda: OSError(2, "two", "file"),
                       lambda: BlockingIOError(11, "again", 5), lambda: ExceptionGroup("g", [ValueError(1), TypeError(2)]),
                       lambda: AttributeError("a", name="n", obj=3), lambda: NameError("a", name="n"), lambda: KeyError("k")))()


class Numbers(ctypes.Structure):
    _fields_ = [("x", ctypes.c_int), ("y", ctypes.c_double), ("z", ctypes.c_char * 4)]


def make_ctypes(rng):
    return rng.choice((lambda: ctypes.c_int(5), lambda: Numbers(1, 2.0, b"a"), lambda: (ctypes.c_short * 5)(1, 2, 3),
                       lambda: ctypes.c_bool(True), lambda: ctypes.c_longlong(-3)))()


def make_hash(rng):
    return hashlib.new(rng.choice(("md5", "sha1", "sha256", "sha3_256", "blake2b", "blake2s", "shake_128")), letters(rng).encode())


def make_reader(rng):
    return csv.reader([letters(rng) for _ in range(9)], quoting=rng.choice((csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC, csv.QUOTE_MINIMAL)))


def make_pickler(rng):
    return pickle.Pickler(io.BytesIO(), rng.randrange(6))


def make_unpickler(rng):
    return pickle.Unpickler(io.BytesIO(pickle.dumps({"a": numbers(rng)}) * 3))


def make_decimal_context(rng):
    return decimal.Context(prec=rng.randrange(1, 30))


def make_queue(rng):
    made = queue.SimpleQueue()
    for n in numbers(rng):
        made.put(n)
    return made


def make_local_zone(rng):
    return datetime.timezone(datetime.timedelta(hours=rng.randrange(12)), "made")


FACTORIES = [
    make_file, lambda rng: make_file(rng, "w+b", 0), make_text_file, make_pair, make_mmap,
    make_socket, make_scandir, make_decompressor, make_compressor, make_codec, make_stream_codec, make_element, make_element,
    lambda rng: make_element(rng).iter(), lambda rng: ElementTree.TreeBuilder(), lambda rng: ElementTree.XMLParser(), make_expat,
    lambda rng: ElementTree.XMLPullParser(("start", "end")), make_connection, make_cursor, make_row, make_blob,
    quiet(coroutine), quiet(pausing), quiet(asynchronous), quiet(lambda: asynchronous().__anext__()),
    quiet(lambda: pausing().__await__()), make_future, make_unicode_error, make_error, make_ctypes, make_hash,
    lambda rng: hmac.new(b"k", letters(rng).encode(), "sha256"), make_reader, lambda rng: csv.writer(io.StringIO()),
    make_pickler, make_unpickler, make_decimal_context, make_queue, make_local_zone,
    lambda rng: decimal.Decimal(rng.randrange(99)) / 7, lambda rng: datetime.datetime(2020, 1, 2, 3, tzinfo=make_local_zone(rng)),
    lambda rng: datetime.timedelta(rng.randrange(99)), lambda rng: zoneinfo.ZoneInfo("UTC"),
    lambda rng: json.JSONEncoder(indent=rng.choice((None, 1))), lambda rng: json.JSONDecoder().scan_once,
    lambda rng: json.JSONEncoder().iterencode(numbers(rng)), lambda rng: ssl.MemoryBIO(), lambda rng: select.epoll(), lambda rng: select.poll(),
    lambda rng: functools.cmp_to_key(lambda a, b: 0)(rng.randrange(9)), lambda rng: functools.singledispatch(len),
    lambda rng: functools.partialmethod(max, 1), lambda rng: functools.cached_property(len),
    lambda rng: struct.iter_unpack("<h", bytes(12)), lambda rng: collections.namedtuple("Made", "a b")(1, 2),
    lambda rng: iter(collections.deque(numbers(rng))), lambda rng: iter(collections.OrderedDict.fromkeys(numbers(rng)).items()),
    lambda rng: collections.OrderedDict.fromkeys(numbers(rng)).keys(), lambda rng: reversed(dict.fromkeys(numbers(rng))),
    lambda rng: iter(bytes(numbers(rng))), lambda rng: iter(memoryview(bytes(numbers(rng)))), lambda rng: iter(lambda: 1, 2),
    lambda rng: reversed(collections.deque(numbers(rng))), lambda rng: itertools.filterfalse(None, numbers(rng)),
    lambda rng: itertools.dropwhile(bool, numbers(rng)), lambda rng: itertools.combinations_with_replacement("abc", 2),
    lambda rng: (lambda: 0).__code__, lambda rng: [].__len__, lambda rng: Plain.__dict__["x"], lambda rng: operator.length_hint,
    lambda rng: pickle.PickleBuffer(bytes(numbers(rng))), lambda rng: weakref.finalize(KEPT, list), lambda rng: types.GenericAlias(list, (int,)),
    lambda rng: iter(make_row(rng)), lambda rng: str.maketrans("ab", "cd"), lambda rng: codecs.lookup("utf-8"),
]


class Plain:
    __slots__ = ("x", "__weakref__")


KEPT = Plain()

# Shorter names than FORBIDDEN in fuzz_threads.py would forbid methods of other types, too.
FORBIDDEN_OF = {
    io.FileIO: {"__init__", "__class__", "__new__"}, mmap.mmap: {"__new__", "__class__"},
    socket.socket: {"__init__", "__class__", "__new__", "setblocking", "settimeout", "accept", "detach", "makefile", "sendfile", "bind"},
    queue.SimpleQueue: {"get"}, type(select.poll()): {"poll"}, select.epoll: {"poll", "fromfd", "__class__", "__new__", "register"},
    sqlite3.Connection: {"__init__", "__class__", "__new__", "load_extension", "__call__", "backup"}, pickle.Unpickler: {"__class__"},
    asyncio.Future: {"get_loop", "_loop", "__class__"}, type(os.scandir("/proc/self")): {"__class__"},
    range: {"count", "index", "__contains__"},      # of something else than an int, in a long one: a loop in C that takes days
}
if not RACES_ON_BYTES:
    # A file that one thread closes while another reads it is a race of the program's, on the descriptor: ThreadSanitizer watches those, too.
    for kind in (io.FileIO, io.BufferedRandom, socket.socket, select.epoll):
        FORBIDDEN_OF[kind] = FORBIDDEN_OF.get(kind, set()) | {"close", "__exit__", "shutdown"}
    FACTORIES.remove(make_text_file)


def forbidden_of(kind):
    return set().union(*(names for base, names in FORBIDDEN_OF.items() if issubclass(kind, base)))
