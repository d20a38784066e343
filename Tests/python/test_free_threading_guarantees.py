"""One test for each row of the tables in Doc/free-threading.md."""
import array
import collections
import contextvars
import functools
import gc
import importlib
import io
import itertools
import os
import queue
import random
import sys
import tempfile
import threading
import time
import unittest
import weakref

N = 400


def together(*functions):
    """Runs the functions at once, each in a thread; raises what one of them raised."""
    gate, errors = threading.Barrier(len(functions)), []

    def body(function):
        try:
            gate.wait(60)
            function()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=body, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    if errors:
        raise errors[0]


def against(check, change, times=N):
    """Calls check over and over while another thread calls change."""
    ended = threading.Event()

    def changing():
        i = 0
        while not ended.is_set():
            change(i)
            i += 1

    def checking():
        try:
            for _ in range(times):
                check()
        finally:
            ended.set()
    together(changing, checking)


def repeat(function, times=N):
    return lambda: [function(i) for i in range(times)]


shared_global = 0


class OneStep(unittest.TestCase):
    def test_variables(self):
        class Box:
            value = 0
        box, cell = Box(), 0

        def check():
            self.assertIsInstance((shared_global, cell, Box.value, box.value), tuple)
            self.assertTrue(all(type(x) is int for x in (shared_global, cell, Box.value, box.value, getattr(box, "own", 0))))

        def change(i):
            global shared_global
            nonlocal cell
            shared_global = cell = Box.value = box.value = box.own = i
            del box.own
        against(check, change)

    def test_list_methods(self):
        shared = []
        together(*[repeat(lambda i: (shared.append(1), shared.extend((2, 3)), shared.insert(0, 4), shared.pop()))] * 4)
        self.assertEqual(len(shared), 4 * N * 3)
        shared[:] = range(4 * N)
        together(*[lambda: [shared.pop() for _ in range(N)]] * 4)
        self.assertEqual(shared, [])
        shared[:] = range(4 * N)
        together(*[lambda k=k: [shared.remove(x) for x in range(k, 4 * N, 4)] for k in range(4)])
        self.assertEqual(shared, [])
        pair = [1, 2]
        against(lambda: self.assertIn(pair[:], ([1, 2], [2, 1])), lambda i: pair.reverse())
        against(lambda: self.assertIn(pair.copy() + pair * 2, [a + b for a in ([1, 2], [2, 1]) for b in ([1, 2] * 2, [2, 1] * 2)]),
                lambda i: pair.reverse())

    def test_list_sort(self):
        shared = list(range(300))

        def sort(i):
            try:
                shared.sort(key=lambda x: -x)
            except ValueError as error:
                self.assertIn("modified during sort", str(error))
        against(lambda: self.assertIn(len(shared), (0, 300)), sort, 50)
        self.assertEqual(sorted(shared), list(range(300)))

    def test_list_search(self):
        shared = ["first"] + [str(i) for i in range(50)] + ["sought"]
        against(lambda: (self.assertIn("sought", shared), self.assertEqual(shared.count("sought"), 1), shared.index("sought")),
                lambda i: shared.append(shared.pop(1)) if shared[1] != "sought" else shared.insert(1, "other"), 100)

    def test_dict_methods(self):
        shared, defaults = {}, [[] for _ in range(4)]
        together(*[lambda k=k: defaults[k].extend(shared.setdefault(i, object()) for i in range(N)) for k in range(4)])
        self.assertTrue(all(d == defaults[0] for d in defaults))
        got = [[] for _ in range(4)]

        def take(k):
            while True:
                try:
                    got[k].append(shared.popitem()[0])
                except KeyError:
                    return
        together(*[lambda k=k: take(k) for k in range(4)])
        self.assertEqual(sorted(sum(got, [])), list(range(N)))
        together(*[repeat(lambda i: (shared.__setitem__(i, i), shared.get(i), shared.pop(i, None), len(shared), i in shared))] * 4)
        self.assertEqual(shared, {})

    def test_set_methods(self):
        shared, got = set(), [[] for _ in range(4)]
        together(*[lambda k=k: [shared.add(4 * i + k) for i in range(N)] for k in range(4)])
        self.assertEqual(shared, set(range(4 * N)))

        def take(k):
            while True:
                try:
                    got[k].append(shared.pop())
                except KeyError:
                    return
        together(*[lambda k=k: take(k) for k in range(4)])
        self.assertEqual(sorted(sum(got, [])), list(range(4 * N)))

    def test_deque(self):
        shared, got = collections.deque(), [0] * 4

        def work(k):
            for i in range(N):
                shared.append(i)
                shared.appendleft(i)
                shared.rotate(1)
                shared.pop() if i % 2 else shared.popleft()
                got[k] += 1
        together(*[lambda k=k: work(k) for k in range(4)])
        self.assertEqual(len(shared), 4 * N)
        shared = collections.deque(range(100))

        def check():
            self.assertIn(len(list(shared.copy())), (100, 101))
            try:
                list(shared)
            except RuntimeError as error:
                self.assertIn("mutated during iteration", str(error))
        against(check, lambda i: (shared.append(i), shared.pop()))

    def test_ordered_dict(self):
        shared = collections.OrderedDict.fromkeys(range(20))
        together(*[repeat(lambda i: (shared.move_to_end(i % 20), shared.move_to_end(i % 7, last=False)))] * 4)
        self.assertEqual(sorted(shared), list(range(20)))
        self.assertEqual(list(shared), list(reversed(list(reversed(shared)))))

    def test_defaultdict(self):
        shared = collections.defaultdict(object)
        got = [[] for _ in range(4)]
        together(*[lambda k=k: got[k].extend(shared[i] for i in range(N)) for k in range(4)])
        self.assertTrue(all(g == got[0] for g in got))

    def test_bytearray(self):
        data, numbers = bytearray(), array.array("i")
        together(*[repeat(lambda i: (data.append(65), data.extend(b"BC"), numbers.append(i), data.count(b"A")))] * 4)
        self.assertEqual((len(data), len(numbers)), (12 * N, 4 * N))
        self.assertEqual((data.count(b"A"), data.count(b"BC")), (4 * N, 4 * N))

    def test_buffers(self):
        data = bytearray(b"a" * 100)

        def grow(i):
            try:
                data.extend(b"b" * 100)
                del data[100:]
            except BufferError:
                pass

        def check():
            with memoryview(data) as view:
                before = len(view)
                self.assertEqual((len(view.tobytes()), len(data)), (before, before))
        against(check, grow)

    def test_lru_cache(self):
        square = functools.lru_cache(8)(lambda x: x * x)
        together(*[repeat(lambda i: self.assertEqual(square(i % 20), (i % 20) ** 2))] * 4)
        self.assertLessEqual(square.cache_info().currsize, 8)

    def test_cached_property(self):
        calls = []

        class C:
            @functools.cached_property
            def value(self):
                calls.append(1)
                return object()
        for _ in range(20):
            op, got = C(), []
            together(*[lambda: got.append(op.value)] * 4)
            self.assertEqual(len(set(got)), 1)
        self.assertEqual(len(calls), 20)

    def test_streams(self):
        handle, path = tempfile.mkstemp()
        os.close(handle)
        self.addCleanup(os.unlink, path)
        with open(path, "w+") as text, open(path + "b", "w+b") as binary:
            self.addCleanup(os.unlink, path + "b")
            for stream, line in ((text, "a line\n"), (binary, b"a line\n"), (io.StringIO(), "a line\n"), (io.BytesIO(), b"a line\n")):
                together(*[repeat(lambda i: stream.write(line))] * 4)
                stream.seek(0)
                got = []
                together(*[lambda: got.extend(iter(stream.readline, line[:0]))] * 4)
                self.assertEqual(got, [line] * (4 * N))

    def test_random(self):
        one, two, got = random.Random(5), random.Random(5), []
        together(*[repeat(lambda i: got.append(one.random()))] * 4)
        self.assertEqual(sorted(got), sorted(two.random() for _ in range(4 * N)))

    def test_queues(self):
        for make in (queue.SimpleQueue, queue.Queue, lambda: queue.Queue(3)):
            shared, got = make(), [[], []]
            together(*[lambda k=k: [shared.put((k, i)) for i in range(N)] for k in range(2)],
                     *[lambda g=g: g.extend(shared.get() for _ in range(N)) for g in got])
            self.assertEqual(sorted(sum(got, [])), [(k, i) for k in range(2) for i in range(N)])
            for g in got:
                for k in range(2):
                    mine = [i for kk, i in g if kk == k]
                    self.assertEqual(mine, sorted(mine))

    def test_own_state(self):
        local, variable = threading.local(), contextvars.ContextVar("variable", default=None)

        def work():
            me = threading.get_ident()
            self.assertFalse(hasattr(local, "value"))
            for _ in range(N):
                local.value = me
                variable.set(me)
                self.assertEqual((local.value, variable.get()), (me, me))
        together(*[work] * 4)
        self.assertIsNone(variable.get())

    def test_import(self):
        with tempfile.TemporaryDirectory() as folder:
            sys.path.insert(0, folder)
            try:
                for k in range(5):
                    with open(os.path.join(folder, f"made_by_test_{k}.py"), "w") as f:
                        f.write("import time\nruns = globals().get('runs', 0) + 1\ntime.sleep(0.01)\nwhole = True\n")
                    importlib.invalidate_caches()
                    got = []
                    together(*[lambda: got.append(importlib.import_module(f"made_by_test_{k}").whole)] * 4)
                    module = sys.modules.pop(f"made_by_test_{k}")
                    self.assertEqual((got, module.runs), ([True] * 4, 1))
            finally:
                sys.path.remove(folder)

    def test_classes(self):
        class One:
            def name(self):
                return "one"

        class Two:
            def name(self):
                return "two"

        class C(One):
            pass
        op = C()

        def change(i):
            C.__bases__ = (Two,) if i % 2 else (One,)
            C.extra = lambda self: "extra"
            del C.extra
        against(lambda: self.assertIn(op.name(), ("one", "two")), change)

        class D(Two):
            pass
        against(lambda: self.assertIn(op.name(), ("one", "two")), lambda i: setattr(op, "__class__", C if i % 2 else D))

    def test_functions(self):
        def f(a=1):
            return a

        def g(a=2):
            return a * 10

        codes = f.__code__, g.__code__

        def change(i):
            f.__code__ = codes[i % 2]
            f.__defaults__ = (i % 2 + 1,)
        against(lambda: self.assertIn(f(), (1, 2, 10, 20)), change)

    def test_weak_references(self):
        class Thing:
            pass
        slots, called, made = [Thing()], [], []

        def change(i):
            made.append(weakref.ref(slots[0], called.append))
            slots[0] = Thing()
        against(lambda: self.assertIsInstance(weakref.ref(slots[0])(), (Thing, type(None))), change)
        slots.clear()
        gc.collect()
        self.assertEqual(len(called), len(made))

    def test_finalizers(self):
        died, made, slots = [], [0] * 4, [None] * 3

        class Mortal:
            def __del__(self):
                died.append(1)

        def work(k):
            for i in range(N):
                slots[i % 3] = Mortal()
                made[k] += 1
        together(*[lambda k=k: work(k) for k in range(4)])
        slots[:] = [None] * 3
        end = time.monotonic() + 20
        while len(died) < sum(made) and time.monotonic() < end:
            gc.collect()
        self.assertEqual(len(died), sum(made))


class Whole(unittest.TestCase):
    def check(self, make, put, take, views=()):
        shared = make(range(100))
        sizes = (100, 101)
        functions = [list, tuple, sorted, set, frozenset, sum, min, max, any, all, dict.fromkeys, repr, lambda x: [*x],
                     lambda x: (lambda *args: len(args))(*x)] + list(views)

        def check():
            for function in functions:
                result = function(shared)
                if hasattr(result, "__len__") and not isinstance(result, str):
                    self.assertIn(len(result), sizes)
        against(check, lambda i: (put(shared, 1000), take(shared)), 100)

    def test_whole_containers(self):
        self.check(list, list.append, list.pop, [list.copy, lambda x: x + []])
        self.check(set, set.add, lambda x: x.discard(1000), [set.copy, lambda x: x | {1}, lambda x: x == {1}])
        views = [dict, lambda d: d.copy(), lambda d: {**d}, lambda d: d == {1: 2}, lambda d: list(d.items()), lambda d: sum(d.values()),
                 lambda d: sorted(d.keys()), lambda d: set(d.keys()), lambda d: max(d.values()), lambda d: d | {1: 2}]
        for make in (dict.fromkeys, collections.OrderedDict.fromkeys,
                     lambda keys, value: collections.defaultdict(int, dict.fromkeys(keys, value))):
            self.check(lambda keys: make(keys, 1), lambda d, k: d.__setitem__(k, 1), lambda d: d.pop(1000, None), views)


class Iterators(unittest.TestCase):
    def test_list_iterator(self):
        shared = list(range(50))
        against(lambda: self.assertLessEqual(set(shared), set(range(51))) or [x for x in shared],
                lambda i: (shared.append(50), shared.pop()))

    def test_dict_iterator(self):
        for shared, change in ((dict.fromkeys(range(50)), lambda i: (mapping.__setitem__(99, 1), mapping.pop(99))),
                               (set(range(50)), lambda i: (members.add(99), members.discard(99)))):
            mapping = members = shared

            def check():
                try:
                    for x in shared:
                        self.assertIn(x, range(100))
                except RuntimeError as error:
                    self.assertIn("during iteration", str(error))
            against(check, change)

    def test_shared_iterator(self):
        for make in (list, tuple, range, dict.fromkeys, set):
            source = range(4 * N) if make is range else make(range(4 * N))
            iterator, got = iter(source), [[] for _ in range(4)]
            together(*[lambda g=g: g.extend(iterator) for g in got])
            self.assertEqual(set(sum(got, [])), set(range(4 * N)))
        count, got = itertools.count(), []
        together(*[repeat(lambda i: got.append(next(count)))] * 4)
        self.assertEqual(sorted(got), list(range(4 * N)))

    def test_shared_pipeline(self):
        for pipeline in (enumerate(range(N)), zip(range(N), range(N)), map(str, range(N)), filter(None, range(N)),
                         itertools.chain(range(N), range(N)), itertools.islice(range(N), 10, 200), itertools.accumulate(range(N))):
            got = []
            together(*[lambda: got.extend(pipeline)] * 4)
            self.assertLessEqual(len(got), 4 * N)

    def test_shared_generator(self):
        def generator():
            for i in range(N):
                yield i
        shared, got = generator(), []

        def work():
            while True:
                try:
                    got.append(next(shared))
                except StopIteration:
                    return
                except ValueError as error:
                    self.assertEqual(str(error), "generator already executing")
        together(*[work] * 4)
        self.assertEqual(sorted(got), list(range(N)))


if __name__ == "__main__":
    unittest.main()
