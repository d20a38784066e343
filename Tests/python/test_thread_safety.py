"""Objects of the interpreter that threads change while others use them: anything but a crash."""
import copy
import heapq
import io
import json
import pickle
import queue
import threading
import unittest


def together(*functions, times=300):
    """Runs the functions at once, each `times` times, with whatever they raise."""
    gate = threading.Barrier(len(functions))

    def body(function):
        gate.wait()
        for i in range(times):
            try:
                function(i)
            except Exception:
                pass

    threads = [threading.Thread(target=body, args=(f,)) for f in functions]
    for t in threads:
        t.start()
    for t in threads:
        t.join()


class Descriptors(unittest.TestCase):
    def test_that_wrap_themselves(self):
        for make in (property, lambda: classmethod(int), lambda: staticmethod(int)):
            wrapper = make()
            wrapper.__init__(wrapper)
            self.assertRaises(RecursionError, lambda: wrapper.__isabstractmethod__)

        class C:
            method = classmethod(int)
            method.__init__(method)
        self.assertRaises(RecursionError, lambda: C.method)
        self.assertRaises(RecursionError, lambda: repr(C.__dict__["method"]))

    def test_initialised_again_in_use(self):
        class C:
            p = property(lambda self: 1)
            c = classmethod(lambda cls: 1)
            s = staticmethod(lambda: 1)
        d, obj = C.__dict__, C()
        together(lambda i: d["p"].__init__(lambda self: i, doc=str(i)), lambda i: obj.p + len(C.p.__doc__),
                 lambda i: d["c"].__init__(lambda cls: i), lambda i: obj.c() + C.c(), lambda i: d["s"].__init__(lambda: i),
                 lambda i: obj.s() + d["s"](), lambda i: (C.p.fget, d["c"].__func__, d["s"].__wrapped__, C.p.setter(None)))
        self.assertEqual((obj.p, obj.c(), obj.s()), (299, 299, 299))


class Super(unittest.TestCase):
    def test_initialised_again_in_use(self):
        def make():
            class A:
                def name(self):
                    return type(self).__name__

            class B(A):
                pass
            return B

        cls = make()
        shared = super(cls, cls())
        def renew(i):
            other = make()
            super.__init__(shared, other, other())
        together(renew, renew, *[lambda i: (shared.name(), shared.name, repr(shared), shared.__self__, shared.__thisclass__)] * 2)
        self.assertEqual(shared.name(), "B")

    def test_initialised_again_by_what_it_calls(self):
        class Fickle:
            def __get__(self, obj, cls):
                super.__init__(shared, C, C())
                return repr(obj)

        class A:
            attribute = Fickle()

        class C(A):
            pass
        shared = super(C, C())
        for i in range(100):
            self.assertIn("C object", shared.attribute)


class Functions(unittest.TestCase):
    def test_code_and_defaults_replaced_in_use(self):
        def small(a=1, *, k=1):
            return a + k

        def large(a=1, b=2, *rest, k=1, **more):
            c = d = e = f = g = a + b + k
            return c + d + e + f + g + len(rest) + len(more)

        def shared(a=1, *, k=1):
            return a

        def change(i):
            shared.__code__ = (small if i % 2 else large).__code__
            shared.__defaults__ = tuple(object() for _ in range(i % 3))
            shared.__kwdefaults__ = {"k": i}
            shared.__qualname__ = "name%d" % i
        together(change, change, lambda i: shared(), lambda i: shared(1, k=2), lambda i: shared(1, 2, 3, other=4))
        self.assertEqual((shared.__qualname__, shared.__kwdefaults__), ("name299", {"k": 299}))


class Exceptions(unittest.TestCase):
    def test_raised_by_several_threads(self):
        shared = ValueError("shared")

        def use(i):
            try:
                try:
                    raise KeyError(i)
                except KeyError:
                    raise shared
            except ValueError as error:
                error.__context__, error.__traceback__, error.__cause__, str(error), repr(error), error.args
                error.args = (i,)
                error.__cause__ = None if i % 2 else KeyError(i)
                error.with_traceback(None)
        together(*[use] * 6)
        self.assertEqual(len(shared.args), 1)


class Lists(unittest.TestCase):
    """A list is read by the thread that made it without a lock; others come for it through a tuple."""

    def test_heap_used_by_another_thread(self):
        wrong = []

        def read(heap):
            for item in heap:
                if item[0] != "a":
                    wrong.append(item)

        def use(heap):
            for i in range(20):
                heapq.heappush(heap, f"a{i:05}")
                heapq.heapreplace(heap, f"a{i:05}")
                heapq.heappop(heap)
                keep = f"z{i:05}", f"y{i:05}", f"x{i:05}"

        def visit():
            while (got := visits.get()) is not None:
                use(*got)

        visits = queue.SimpleQueue()
        visitor = threading.Thread(target=visit)
        visitor.start()
        for i in range(300):
            heap = ["a", "ab"]
            visits.put((heap,))
            for k in range(20):
                read(heap)
        visits.put(None)
        visitor.join()
        self.assertEqual(wrong, [])

    def test_compared_while_another_thread_makes_it_longer(self):
        def visit():
            while (got := visits.get()) is not None:
                for k in range(10):
                    got[0].extend("abcdefgh")

        visits = queue.SimpleQueue()
        visitor = threading.Thread(target=visit)
        visitor.start()
        long = list("abcdefgh" * 20)
        for i in range(1000):
            grown = list("abcdefgh")
            visits.put((grown,))
            for k in range(20):
                self.assertFalse(grown > long)
        visits.put(None)
        visitor.join()


class Attributes(unittest.TestCase):
    def test_stored_by_several_threads(self):
        class Instance:
            pass

        for round in range(5):
            shared = Instance()
            shared.a = shared.b = (0, 0)
            seen = []

            def store(me):
                def body(i):
                    for _ in range(20):
                        shared.a = (me, i)
                        shared.b = [me, i]
                return body

            def read(i):
                seen.append((shared.a[1], shared.b[1]))
                if i == 200:
                    shared.__dict__     # the attributes move to a dict meanwhile

            together(store(0), store(1), store(2), read, times=300)
            self.assertEqual(len(seen), 300)
            self.assertIn(shared.a[1], range(300))
            self.assertEqual(sorted(vars(shared)), ["a", "b"])

    def test_copied_while_others_store(self):
        class Instance:
            pass

        for to_dict in False, True:
            shared = Instance()
            shared.a, shared.b, shared.c = (0,), [0], "0"
            seen = []

            def store(i):
                shared.a, shared.b = (i,), [i]
                del shared.c
                shared.c = str(i)

            def take(i):
                seen.append(copy.copy(shared))

            def change(i):
                if to_dict and i == 200:
                    shared.__dict__

            together(store, take, take, change, times=400)
            self.assertEqual(len(seen), 800)
            for taken in seen:
                self.assertIs(type(taken), Instance)
                self.assertLess(max(taken.a + tuple(taken.b)), 400)
                self.assertLessEqual({"a", "b"}, set(vars(taken)))
                self.assertLess(int(getattr(taken, "c", "0")), 400)


class Sets(unittest.TestCase):
    def test_add_what_others_add_and_remove(self):
        for make in int, str, (lambda i: (i, str(i))), (lambda i: i + .5), (lambda i: 2 ** 70 + i):
            shared, sizes = set(), []

            def add(i):
                for key in range(64):
                    shared.add(make(key))

            def remove(i):
                for key in range(64):
                    shared.discard(make(key))
                sizes.append(len(shared))

            together(add, add, remove, add, times=300)
            add(0)
            self.assertEqual(shared, set(map(make, range(64))))
            self.assertLessEqual(max(sizes), 64)


class Dicts(unittest.TestCase):
    """As lists: a dict is read by the thread that made it without a lock, and what it stores there is its own until others come."""

    def visited(self, use, make, own):
        """Dicts and objects from make() that this thread works on with own() while another does so with use()."""
        wrong = []

        def visit():
            while (got := visits.get()) is not None:
                try:
                    use(*got)
                except RuntimeError:        # changed size during iteration
                    pass
                except BaseException as error:
                    wrong.append(error)

        visits = queue.SimpleQueue()
        visitor = threading.Thread(target=visit)
        visitor.start()
        for i in range(200):
            made = make()
            visits.put((made,))
            for k in range(20):
                own(made, f"value {i} {k}")
        visits.put(None)
        visitor.join()
        self.assertEqual(wrong, [])

    def overwrite(self, mapping, value):
        mapping["a"] = value
        mapping["b"] = mapping["a"]
        mapping["c"] = mapping.pop("c") + "."
        self.assertEqual(mapping["a"][:6], "value ")

    def test_saved_and_copied_by_another_thread(self):
        def use(mapping):
            for k in range(20):
                copies = pickle.loads(pickle.dumps(mapping)), json.loads(json.dumps(mapping)), dict(mapping), {**mapping}
                for mapping_read in copies:
                    for key, value in mapping_read.items():
                        if value[:6] not in ("value ", "begin."):
                            raise AssertionError(value)
        self.visited(use, lambda: {"a": "begin.", "b": "begin.", "c": "begin."}, self.overwrite)

    def test_changed_by_another_thread(self):
        def use(mapping):
            for k in range(20):
                mapping["a"] = f"value of the visitor {k}"
                mapping.setdefault("c", f"value to come {k}")
                mapping.update(a=f"value again {k}")
        self.visited(use, lambda: {"a": "begin.", "b": "begin.", "c": "begin."}, self.overwrite)

    def test_attributes_in_a_dict(self):
        class Thing:
            pass

        def make():
            thing = Thing()
            vars(thing)["a"] = "begin."
            return thing

        def use(thing):
            for k in range(30):
                thing.a, getattr(thing, "b", None), copy.copy(thing).a
                thing.b = f"value of the visitor {k}"

        def own(thing, value):
            thing.a = value
            thing.b = value + "."
            self.assertEqual((thing.a[:6], thing.b[:6]), ("value ", "value "))
        self.visited(use, make, own)


class Streams(unittest.TestCase):
    def test_text_stream_initialised_again_in_use(self):
        stream = io.TextIOWrapper(io.BytesIO(b"abc\n" * 50), encoding="utf-8")

        def again(i):
            stream.__init__(io.BytesIO(b"abc\n" * 50), encoding="utf-16" if i % 2 else "latin-1")
        together(again, again, lambda i: stream.read(3), lambda i: stream.reconfigure(encoding="cp1252"), lambda i: repr(stream),
                 lambda i: stream.tell(), times=150)


if __name__ == "__main__":
    unittest.main()
