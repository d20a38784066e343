"""Objects that threads contend for stop being counted by frames: they must live as long as they are used, and die afterwards."""
import gc
import threading
import time
import unittest
import weakref


class Node:
    def __init__(self, value):
        self.value = value
        self.next = None

    def get(self):
        return self.value


def hammer(work, threads=3, seconds=0.4):
    """Runs work(n) in threads until the time is over; returns what they raised."""
    errors = []
    end = time.monotonic() + seconds

    def run():
        try:
            while time.monotonic() < end:
                work(300)
        except BaseException as e:
            errors.append(e)
    workers = [threading.Thread(target=run) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return errors


def dies(ref):
    for _ in range(6):
        if ref() is None:
            return True
        gc.collect()
    return ref() is None


class Promotion(unittest.TestCase):
    def check_lives_and_dies(self, make, use):
        """make() gives an object that can be weakly referenced; use(object, n) reads it."""
        kept = [make()]
        ref = weakref.ref(kept[0])
        self.assertEqual(hammer(lambda n: use(kept[0], n)), [])
        gc.collect()
        self.assertIsNotNone(ref())
        use(kept[0], 10)
        kept.clear()
        self.assertTrue(dies(ref))

    def test_instance(self):
        def use(node, n):
            for _ in range(n):
                assert node.get() == [1, 2]
                assert node.value[0] == 1
        self.check_lives_and_dies(lambda: Node([1, 2]), use)

    def test_set_in_locals_and_arguments(self):
        def inner(s, key):
            local = s
            return key in local

        def use(s, n):
            for _ in range(n):
                assert inner(s, "a")
                assert len(s) == 2
        self.check_lives_and_dies(lambda: set_type("ab"), use)

        def nested(s, n):
            use(s, n)
            [x for x in s]
            sorted(s)
        self.check_lives_and_dies(lambda: set_type("ab"), nested)

    def test_closure(self):
        def make():
            cell = [0]

            def function():
                return cell
            return function

        def use(function, n):
            for _ in range(n):
                assert function() == [0]
        self.check_lives_and_dies(make, use)

    def test_bound_method(self):
        def use(method, n):
            for _ in range(n):
                assert method()[0] == 1
        kept = [Node([1])]
        ref = weakref.ref(kept[0])
        method = kept[0].get
        self.assertEqual(hammer(lambda n: use(method, n)), [])
        gc.collect()
        self.assertEqual(method(), [1])
        kept.clear()
        del method
        self.assertTrue(dies(ref))

    def test_suspended_generators_keep_their_objects(self):
        node = Node([5])
        ref = weakref.ref(node)

        def generator(held):
            while True:
                yield held.value[0]
        own = [generator(node) for _ in range(50)]

        def use(n):
            g = generator(node)
            for _ in range(n):
                assert next(g) == 5
                assert node.value is not None
        self.assertEqual(hammer(use), [])
        del node
        use = None
        gc.collect()
        self.assertIsNotNone(ref())
        for g in own:
            self.assertEqual(next(g), 5)
        g = None
        own.clear()
        self.assertTrue(dies(ref))

    def test_callee_of_c_function_while_promoted(self):
        """A C function may call a bound method, which wants the word before the arguments for itself."""
        class Callable:
            def __call__(self, x):
                return x

        class Key:
            def __init__(self):
                self.items = [3, 1, 2]

            def key(self, x):
                return x
        k, c = Key(), Callable()

        def use(n):
            for _ in range(n // 10):
                assert sorted(k.items, key=k.key) == [1, 2, 3]
                assert list(map(c, k.items)) == [3, 1, 2]
                k.key(c)
        self.assertEqual(hammer(use), [])
        refs = weakref.ref(k), weakref.ref(c)
        gc.collect()
        use(20)
        del k, c, use
        for ref in refs:
            self.assertTrue(dies(ref))

    def test_values_that_change_hands(self):
        """Attributes overwritten all the time: what is displaced must die."""
        shared = Node(None)
        alive = []

        class Value:
            pass

        def use(n):
            for i in range(n):
                value = Value()
                if i % 50 == 0:
                    alive.append(weakref.ref(value))
                shared.value = value
                shared.value
                shared.get()
        self.assertEqual(hammer(use), [])
        shared.value = None
        gc.collect()
        gc.collect()
        self.assertLess(sum(ref() is not None for ref in alive), 20)

    def test_many_strings(self):
        texts = ["".join(["text ", str(i)]) for i in range(20)]

        def use(n):
            for i in range(n):
                for t in texts:
                    assert t[0] == "t"
        self.assertEqual(hammer(use, seconds=0.2), [])
        self.assertEqual(texts[3], "text 3")


class set_type(set):
    pass


if __name__ == "__main__":
    unittest.main()
