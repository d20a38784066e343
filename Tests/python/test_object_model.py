"""Classes: what they inherit, and what holds while a metaclass's mro() or an instance in a cycle is under way."""
import gc
import itertools
import types
import unittest


class InheritedComparison(unittest.TestCase):
    def test_hash_alone_keeps_the_comparison_of_the_base(self):
        for base, value in ((list, [1, 2]), (str, "ab"), (tuple, (1,)), (int, 5), (dict, {1: 2}), (bytes, b"x"), (set, {1})):
            kind = type("Hashed", (base,), {"__hash__": lambda self: 1})
            self.assertEqual(kind(value), kind(value))
            self.assertEqual(hash(kind(value)), 1)
            self.assertEqual({kind(value): 3}.get(kind(value)), 3)

    def test_eq_alone_is_not_hashable(self):
        kind = type("Compared", (str,), {"__eq__": lambda self, other: True})
        self.assertRaises(TypeError, hash, kind("a"))
        self.assertTrue(kind("a") == 1)
        self.assertTrue(kind("a") < "b")

    def test_mixin_with_hash(self):
        class Hashed:
            def __hash__(self):
                return 4

        class Both(Hashed, list):
            pass
        self.assertEqual(Both([1]), Both([1]))
        self.assertEqual(hash(Both([1])), 4)


class Bases(unittest.TestCase):
    def test_no_cycle_through_mro(self):
        ready = False

        class Meta(type):
            def mro(cls):
                if ready and cls.__name__ == "B1":
                    B2.__bases__ = (B1,)
                if ready and cls.__name__ == "B2":
                    B1.__bases__ = (B2,)
                return type.mro(cls)

        class A(metaclass=Meta):
            pass

        class B1(A):
            pass

        class B2(A):
            pass
        ready = True
        with self.assertRaises(TypeError):
            B1.__bases__ += ()
        ready = False
        self.assertIn(A, B1.__mro__)


class Lifetimes(unittest.TestCase):
    def test_class_named_only_by_slots_of_a_dead_class(self):
        for _ in range(3):
            class Text(str):
                pass

            class Slotted:
                __slots__ = (Text("a"), Text("b"))
            del Text, Slotted
            gc.collect()
            gc.collect()

    def test_iterator_may_lose_next(self):
        class Iterator:
            def __iter__(self):
                return self

            def __next__(self):
                del Iterator.__next__
                return 1
        with self.assertRaises(TypeError):
            for _ in Iterator():
                pass


class DeepNesting(unittest.TestCase):
    """What forwards to itself without a call in between raises RecursionError instead of overrunning the C stack."""

    def test_class_that_makes_itself(self):
        class New:
            pass

        class Init:
            pass
        New.__new__ = New
        Init.__init__ = Init
        self.assertRaises(RecursionError, New)
        self.assertRaises(RecursionError, Init)

    def test_class_with_another_layout_as_its_own_init(self):
        for base in (Exception, list, dict, int, str, bytearray, type("Plain", (), {"__new__": lambda cls, *args: object.__new__(cls)})):
            made = type("Made", (base,), {})
            made.__init__ = made
            self.assertRaises((RecursionError, TypeError, ValueError), made)
            called = type("Called", (base,), {})
            called.__call__ = instance = called()
            self.assertRaises((RecursionError, TypeError), instance)
            renewed = type("Renewed", (base,), {})
            renewed.__new__ = renewed
            self.assertRaises((RecursionError, TypeError, ValueError), renewed)

    def nested(self, make, innermost, depth=200_000):
        for _ in range(depth):
            innermost = make(innermost)
        return innermost

    def test_iterators(self):
        for make in (lambda it: map(int, it), zip, enumerate, itertools.chain, itertools.cycle, itertools.accumulate,
                     lambda it: filter(None, it), lambda it: itertools.islice(it, 3)):
            iterator = self.nested(make, iter([1]))
            self.assertRaises(RecursionError, next, iterator)

    def test_hash_of_tuples(self):
        self.assertRaises(RecursionError, hash, self.nested(lambda x: (x,), ()))

    def test_mapping_proxies(self):
        proxy = self.nested(types.MappingProxyType, {"a": 1})
        self.assertEqual(proxy["a"], 1)
        self.assertEqual(list(proxy), ["a"])
        self.assertEqual(len(proxy), 1)


class Keywords(unittest.TestCase):
    def test_later_parameters_by_name_alone(self):
        self.assertEqual("a b c".split(maxsplit=1), ["a", "b c"])
        self.assertEqual("a b c".rsplit(maxsplit=1), ["a b", "c"])
        self.assertEqual("\udc80".encode(errors="ignore"), b"")
        self.assertEqual(str(b"\xff", errors="ignore"), "")


class Lists(unittest.TestCase):
    def test_index_does_not_look_beyond_stop(self):
        self.assertRaises(ValueError, [1, 2, 3].index, 3, 0, 2)
        self.assertRaises(ValueError, ["a", "b"].index, "b", -9, -1)
        self.assertEqual([1, 2, 3].index(3, 0, 3), 2)


if __name__ == "__main__":
    unittest.main()
