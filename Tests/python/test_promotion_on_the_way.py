"""An object that threads contend for is promoted: frames stop counting it. That may happen at any moment, so each case here has an
object promoted while references to it are on their way from one place to another; afterwards nothing may keep it alive."""
import functools
import gc
import operator
import sys
import threading
import time
import types
import unittest
import weakref


class Thing:
    pass


def identity(op):
    return op


def promote(op):
    """Two threads count op so often that it is promoted, as a rule."""
    def count():
        for _ in range(5):
            for _ in range(1500):
                identity(op)
            time.sleep(0.002)
    threads = [threading.Thread(target=count) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


class Promotes:
    """Promotes op when it dies."""

    def __init__(self, op):
        self.ref = weakref.ref(op)

    def __del__(self):
        promote(self.ref())


def things():
    """A function that makes a Thing, and the list of weak references to those it has made."""
    refs = []

    def make():
        op = Thing()
        refs.append(weakref.ref(op))
        return op
    return make, refs


class Case(unittest.TestCase):
    def setUp(self):
        gc.disable()
        self.addCleanup(gc.enable)

    def assertDies(self, refs):
        self.assertTrue(refs)
        gc.collect()
        self.assertEqual([ref() for ref in refs], [None] * len(refs))


class Windows(Case):
    def test_local(self):
        op = Thing()
        promote(op)
        refs = [weakref.ref(op)]
        del op
        self.assertDies(refs)

    def check_released(self, body):
        make, refs = things()
        body(make)
        self.assertDies(refs)

    def test_window_being_released(self):
        def f(make):
            helper = None
            op = make()
            helper = Promotes(op)
        self.check_released(f)

    def test_window_with_frame_object(self):
        def f(make):
            helper = None
            op = make()
            sys._getframe()
            helper = Promotes(op)
        self.check_released(f)

    def test_frame_object_outlives(self):
        def inner(make):
            op = make()
            helper = Promotes(op)
            return sys._getframe()

        def f(make):
            frame = inner(make)
            frame.clear()
        self.check_released(f)

    def test_returned(self):
        def inner(make):
            op = make()
            helper = Promotes(op)
            return op

        def f(make):
            op = inner(make)
            op = inner(make)
            list(map(inner, [make]))
        self.check_released(f)

    def test_closure_called_for_the_last_time(self):
        refs = []

        def make_function():
            def g():
                helper = Promotes(refs[0]())
            refs.append(weakref.ref(g))
            return g
        make_function()()
        self.assertDies(refs)

    def test_exception(self):
        def inner(make):
            helper = None
            op = make()
            helper = Promotes(op)
            1 / 0

        def f(make):
            with self.assertRaises(ZeroDivisionError):
                inner(make)
            try:
                identity(make(), 1, 2, 3)
            except TypeError:
                pass
        self.check_released(f)

    def test_unwinding(self):
        def f(make):
            try:
                op = make()
                identity(op, Promotes(op), 1 / 0)
            except ZeroDivisionError:
                pass
        self.check_released(f)

    def test_overwritten(self):
        def f(make):
            op = make()
            other = Promotes(op)
            other = op
        self.check_released(f)


class Operands(Case):
    def check_taken(self, make_container, take):
        """Something taken out of a container that dies by that."""
        make, refs = things()
        op = take(make_container(make()))
        del op
        self.assertDies(refs)

    def test_item(self):
        self.check_taken(lambda op: [op, Promotes(op)], lambda container: [container].pop()[0])
        self.check_taken(lambda op: (op, Promotes(op)), lambda container: container[0])
        make, refs = things()

        def lists():
            op = make()
            return [op, Promotes(op)]
        op = lists()[0]
        n = 0
        other = lists()[n]
        del op, other
        self.assertDies(refs)

    def test_attribute(self):
        make, refs = things()

        class Holder:
            def __del__(self):
                promote(self.op)

        def holder():
            holder = Holder()
            holder.op = make()
            return holder
        for _ in range(3):
            op = holder().op
        del op
        self.assertDies(refs)

    def test_type_of(self):
        refs = []

        def instance():
            class Local:
                def __del__(self):
                    gc.collect()
            refs.append(weakref.ref(Local))
            return Local()
        cls = type(instance())
        self.assertEqual(cls.__name__, "Local")
        del cls
        gc.collect()
        self.assertDies(refs)

    def test_operators(self):
        class Operand:
            def __add__(self, other):
                promote(self)
                return self
            __radd__ = __lt__ = __getitem__ = __add__

            def __setitem__(self, key, value):
                promote(value)

            def __iter__(self):
                promote(self)
                return iter([self, self])
        x = Operand()
        refs = [weakref.ref(x)]
        y = x + 1 + x
        z = x < y < x
        x[1] = x[1]
        a, b = x
        x += 1
        del x, y, z, a, b
        self.assertDies(refs)


class Calls(Case):
    def check_called(self, call):
        """call(op, f) calls f(op) in some way."""
        op = Thing()
        refs = [weakref.ref(op)]
        call(op, promote)
        del op
        self.assertDies(refs)

    def test_first_argument_of_native_function(self):
        self.check_called(lambda op, f: next(map(f, [op])))

        class Iterator:
            def __next__(self):
                promote(self)
                return 1
        op = Iterator()
        refs = [weakref.ref(op)]
        next(op)
        del op
        self.assertDies(refs)

    def test_self_of_native_method(self):
        class List(list):
            pass

        class Equal:
            def __eq__(self, other):
                promote(op)
                return True
        op = List([1])
        refs = [weakref.ref(op)]
        op.index(Equal())
        del op
        self.assertDies(refs)

    def test_callables(self):
        class Callable:
            def __call__(self, op):
                promote(op)

        class New:
            def __new__(cls, op):
                promote(op)
                return object.__new__(cls)

        class Init:
            def __init__(self, op, other=1, *, more=2):
                promote(op)
        self.check_called(lambda op, f: types.MethodType(Callable(), op)())
        self.check_called(lambda op, f: types.MethodType(f, op)())
        self.check_called(lambda op, f: functools.partial(f, op)())
        self.check_called(lambda op, f: functools.partial(Callable(), op)())
        self.check_called(lambda op, f: operator.call(f, op))
        self.check_called(lambda op, f: operator.call(types.MethodType(f, op)))
        self.check_called(lambda op, f: New(op))
        self.check_called(lambda op, f: Init(op))
        self.check_called(lambda op, f: Init(op, more=op))
        self.check_called(lambda op, f: f(*[op]))
        self.check_called(lambda op, f: f(**{"op": op}))

    def test_keywords_that_run_code(self):
        class Name(str):
            def __hash__(self):
                promote(op)
                return str.__hash__(self)
            __eq__ = str.__eq__

        def f(a, b=None, *rest, **more):
            return len(more)
        op = Thing()
        refs = [weakref.ref(op)]
        self.assertEqual(f(op, op, op, **{Name("x"): op}), 1)
        del op, Name
        self.assertDies(refs)

    def test_bound_method_of_the_last_reference(self):
        class C:
            def method(self):
                promote(self)
        op = C()
        refs = [weakref.ref(op)]
        bound = op.method
        del op
        bound()
        del bound
        self.assertDies(refs)


class Generators(Case):
    def check_generator(self, use):
        make, refs = things()

        def generator():
            helper = None
            op = make()
            helper = Promotes(op)
            yield
        use(generator())
        self.assertDies(refs)

    def test_ended(self):
        self.check_generator(list)

    def test_closed(self):
        def use(g):
            next(g)
            g.close()
        self.check_generator(use)

    def test_deallocated(self):
        self.check_generator(next)

    def test_never_started(self):
        make, refs = things()

        def generator(helper, op):
            yield
        op = make()
        generator(Promotes(op), op)
        del op
        self.assertDies(refs)

    def test_sent(self):
        def generator():
            while True:
                op = yield
                promote(op)
        g = generator()
        next(g)
        op = Thing()
        refs = [weakref.ref(op)]
        g.send(op)
        del op
        g.close()
        self.assertDies(refs)

    def test_origin_of_coroutine(self):
        async def coroutine(op):
            promote(op)
        sys.set_coroutine_origin_tracking_depth(2)
        try:
            op = Thing()
            refs = [weakref.ref(op)]
            with self.assertRaises(StopIteration):
                coroutine(op).send(None)
        finally:
            sys.set_coroutine_origin_tracking_depth(0)
        del op
        self.assertDies(refs)


if __name__ == "__main__":
    unittest.main()
