"""What a module's C code has in hand, found and changed by other code: by gc.get_objects(), by a callback, by another thread."""
import asyncio
import asyncio.tasks
import sys
import types
import unittest

from program_cases import ProgramCase

ITEMS_OF_A_MAPPING = """
import gc, json, threading, time
class Value: pass
class Mapping(dict):
    def items(self):
        for i in range(100):
            yield "key%d" % i, [Value(), Value(), Value()]
        time.sleep(0.002)
def default(value):
    time.sleep(0.0002)
    return 1
end = time.monotonic() + 2
def change():
    while time.monotonic() < end:
        found = [o for o in gc.get_objects() if type(o) is list and len(o) > 3 and type(o[0]) is tuple and o[0][:1] == ("key0",)]
        time.sleep(0.003)
        for o in found: o.clear()
        found = o = None
def dump():
    mapping = Mapping(a=1)
    while time.monotonic() < end:
        json.dumps(mapping, default=default, check_circular=False)
threads = [threading.Thread(target=f) for f in (change, dump, dump)]
for t in threads: t.start()
for t in threads: t.join()
print("done")
"""

CALLBACKS_OF_A_FUTURE = """
import asyncio, gc
loop = asyncio.new_event_loop()
future = asyncio.Future(loop=loop)
for i in range(4): future.add_done_callback(print)
for referent in gc.get_referents(future):
    if type(referent) is list: referent[0] = 5
future.set_result(1)
loop.close()
print("done")
"""

# Two text streams over one buffer, whose raw stream reads the other text stream.
CIRCLE_OF_STREAMS = """
import io, threading, time
class Raw(io.RawIOBase):
    def readable(self): return True
    def readinto(self, space):
        time.sleep(0.01)
        try: streams[threading.current_thread().name != "0"].readline()
        except RuntimeError: pass
        space[:2] = b"a\\n"
        return 2
buffer = io.BufferedReader(Raw(), 8)
streams = io.TextIOWrapper(buffer), io.TextIOWrapper(buffer)
def read(stream):
    for i in range(10): stream.readline()
threads = [threading.Thread(target=read, args=(s,), name=str(i)) for i, s in enumerate(streams)]
for t in threads: t.start()
for t in threads: t.join()
print("done")
"""

SPACE_OF_A_RAW_STREAM = """
import io, threading, time
end, kept = time.monotonic() + 1.5, []
class Raw(io.RawIOBase):
    def readable(self): return True
    def readinto(self, space):
        assert not any(space[-100:])
        kept[:] = [space]
        return len(space)
def change():
    while time.monotonic() < end:
        for space in kept[:]:
            try: space.clear()
            except BufferError: pass
def read():
    while time.monotonic() < end:
        try: Raw().read(1000000)
        except ValueError: pass
threads = [threading.Thread(target=f) for f in (change, read)]
for t in threads: t.start()
for t in threads: t.join()
print("done")
"""

HALF_A_ZONE = """
import datetime, gc, zoneinfo
def find():
    return [repr(o) + str(o.utcoffset(datetime.datetime(2024, 1, 1))) for o in gc.get_objects() if type(o) is zoneinfo.ZoneInfo]
class File:
    def read(self, n=-1):
        find()
        return file.read(n)
    def seek(self, *args): return file.seek(*args)
    def __repr__(self):
        find()
        return "File"
import io, struct
header = struct.pack(">4s1s15x6L", b"TZif", b"2", 0, 0, 0, 0, 1, 4)
body = struct.pack(">lbb4s", 3600, 0, 0, b"CET\\0")
file = io.BytesIO(header + body + header + body + b"\\nCET-1\\n")
print(zoneinfo.ZoneInfo.from_file(File()).utcoffset(datetime.datetime(2024, 1, 1)))
"""

HALF_A_CONTEXT = """
import decimal, gc
def look(self):
    for o in gc.get_objects():
        if type(o) is decimal.Context: o.flags, o.traps, repr(o)
signals = type(decimal.getcontext().flags)
signals.__init__ = look
decimal.Context()
signals.__new__ = lambda cls: 5
try: decimal.Context()
except TypeError as error: print(error)
"""

COPIED_STRUCTURE = """
from ctypes import *
class Named(Structure): _fields_ = [("name", c_char_p), ("value", py_object)]
class Value:
    def __del__(self): print("del")
array, one = (Named * 2)(), Named(b"first" * 20, Value())
array[0] = one
one.name, one.value = b"second" * 20, [1]
junk = [b"junk%d" % i * 20 for i in range(2000)]
print(array[0].name[:5], type(array[0].value).__name__)
"""

CLASS_OF_A_VIEW = """
from ctypes import *
import gc, weakref
class First(Structure): _fields_ = [("a_long_name_of_a_field", c_int), ("b", c_int)]
class Second(Structure): _fields_ = [("a", c_int), ("b", c_int)]
x = First()
view, former = memoryview(x), weakref.ref(First)
x.__class__ = Second
del First
for i in range(5): gc.collect()
junk = [bytes(range(48, 48 + n)) for n in range(8, 100) for k in range(50)]
print(view.format)
del view, x
for i in range(5): gc.collect()
print(former())
pointer = c_char_p.from_buffer(bytearray(4096))
pointer.value = b"abc"
gc.collect()
junk = [bytearray(4096) for i in range(20)]
print(pointer.value)
"""

SOCKET_NUMBER_REUSED = """
import os, socket, threading, time
a, other = socket.socketpair()
a.settimeout(5)
number, said = a.fileno(), []
def read():
    try: said.append(a.recv(100))
    except OSError as error: said.append(type(error).__name__)
thread = threading.Thread(target=read)
thread.start()
time.sleep(0.3)
a.close()
c, d = socket.socketpair()
if c.fileno() != number: os.dup2(c.fileno(), number)
d.send(b"meant for c")
other.send(b"wakes the reader")
thread.join()
print(said, c.recv(100))
"""


class FoundHalfWay(ProgramCase):
    def test_items_of_a_mapping(self):
        self.check(ITEMS_OF_A_MAPPING)

    def test_callbacks_of_a_future(self):
        self.check(CALLBACKS_OF_A_FUTURE)

    def test_circle_of_streams(self):
        self.check(CIRCLE_OF_STREAMS)

    def test_space_of_a_raw_stream(self):
        self.check(SPACE_OF_A_RAW_STREAM)

    def test_half_a_zone(self):
        self.check(HALF_A_ZONE, "1:00:00")

    def test_half_a_context(self):
        self.check(HALF_A_CONTEXT, "SignalDict() did not return a SignalDict")

    def test_copied_structure(self):
        self.check(COPIED_STRUCTURE, "b'first' Value\ndel")

    def test_class_of_a_view(self):
        self.check(CLASS_OF_A_VIEW, "T{<i:a_long_name_of_a_field:<i:b:}\nNone\nb'abc'")

    def test_socket_number_reused(self):
        self.check(SOCKET_NUMBER_REUSED, "['OSError'] b'meant for c'")


class AsInCPython(unittest.TestCase):
    def depth(self, call):
        """How deep a call goes that counts in self.reached."""
        self.reached = 0
        limit = sys.getrecursionlimit()
        sys.setrecursionlimit(1000)
        try:
            self.assertRaises(RecursionError, call)
        finally:
            sys.setrecursionlimit(limit)
        return self.reached

    def test_depth_of_recursion(self):
        case = self

        class Deep:
            def __call__(self, n, **kwargs):
                case.reached = n
                return self(n + 1, **kwargs)

            def __getitem__(self, n):
                case.reached = n
                return self[n + 1]

        class Made:
            def __new__(cls, n):
                case.reached = n
                return Made(n + 1)

        self.assertGreater(self.depth(lambda: Deep()(0)), 400)
        self.assertGreater(self.depth(lambda: Deep()(0, key=1)), 400)
        self.assertGreater(self.depth(lambda: Made(0)), 400)
        self.assertGreater(self.depth(lambda: Deep()[0]), 800)

    def test_keys_behind_a_proxy(self):
        class Keys(dict):
            def keys(self):
                return ["b"]

        self.assertEqual(dict(types.MappingProxyType(Keys(a=1, b=2))), {"b": 2})

    def test_import_of_all(self):
        module = sys.modules["module_with_all"] = types.ModuleType("module_with_all")
        self.addCleanup(sys.modules.pop, "module_with_all")
        module.a = 1
        for names, error in (({"a"}, "'set' object does not support indexing"), ({0: "a"}, "dict is not a sequence")):
            module.__all__ = names
            with self.assertRaisesRegex(TypeError, error):
                exec("from module_with_all import *", {})
        module.__all__ = ("a",)
        space = {}
        exec("from module_with_all import *", space)
        self.assertEqual(space["a"], 1)

    def test_task_entered_twice(self):
        loop, task = object(), object()
        asyncio.tasks._enter_task(loop, task)
        with self.assertRaisesRegex(RuntimeError, "Cannot enter into task"):
            asyncio.tasks._enter_task(loop, task)
        asyncio.tasks._leave_task(loop, task)


if __name__ == "__main__":
    unittest.main()
