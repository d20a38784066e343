"""Places in the code that meet objects of several kinds, and what the caches of attributes do then."""
import threading
import unittest


def make(number, names):
    """A class with a method; its instances get their attributes in the given order."""
    def __init__(self):
        for name in names:
            setattr(self, name, (number, name))
    return type(f"Kind{number}", (), {"__init__": __init__, "method": lambda self: number, "common": number})


KINDS = [make(i, "xyz"[i % 3:] + "abcxyz"[:i % 4]) for i in range(9)]


class SeveralKinds(unittest.TestCase):
    def check_loads(self, kinds):
        objects = [kind() for kind in kinds]
        for obj in objects:
            obj.x = obj.common
        for _ in range(300):
            for number, obj in enumerate(objects):
                self.assertEqual(obj.x, number)
                self.assertEqual(obj.common, number)
                self.assertEqual(obj.method(), number)

    def test_two(self):
        self.check_loads(KINDS[:2])

    def test_as_many_as_are_kept(self):
        self.check_loads(KINDS[:4])

    def test_too_many(self):
        self.check_loads(KINDS)

    def test_stores(self):
        objects = [kind() for kind in KINDS[:3]]
        for n in range(300):
            for obj in objects:
                obj.x = n
                obj.added = n
                self.assertEqual((obj.x, obj.added), (n, n))

    def test_adding_in_turn(self):
        class A:
            pass

        class B:
            pass
        for n in range(200):
            for obj in (A(), B(), A()):
                obj.first = n
                obj.second = obj
                self.assertEqual((obj.first, obj.second), (n, obj))
                obj.second = None

    def test_class_changes_under_way(self):
        class A:
            value = 1

        class B:
            value = 2

        def read(obj):
            return obj.value
        a, b = A(), B()
        for n in range(400):
            self.assertEqual((read(a), read(b)), (A.value, B.value))
            if n % 50 == 20:
                B.value = n + 3
            if n % 50 == 30:
                a.value = -n
                self.assertEqual(read(a), -n)
                del a.value

    def test_method_hidden_by_an_attribute(self):
        class A:
            def method(self):
                return "A"

        class B:
            def method(self):
                return "B"
        objects = [A(), B(), A()]
        objects[2].method = lambda: "own"
        for _ in range(200):
            self.assertEqual([obj.method() for obj in objects], ["A", "B", "own"])

    def test_properties_among_others(self):
        class A:
            def __init__(self):
                self.value = 1

        class B:
            @property
            def value(self):
                return 2

        class C:
            __slots__ = ("value",)
        c = C()
        c.value = 3
        for _ in range(300):
            self.assertEqual([obj.value for obj in (A(), B(), c)], [1, 2, 3])

    def test_slots_and_dicts_are_stored_to(self):
        class C:
            __slots__ = ("value",)

        class D:
            pass
        d = D()
        d.__dict__["value"] = 0
        c, plain = C(), D()
        for n in range(300):
            for obj in (c, d, plain):
                obj.value = n
                self.assertEqual(obj.value, n)

    def test_missing_attributes(self):
        for _ in range(300):
            for kind in KINDS[:3]:
                with self.assertRaises(AttributeError):
                    kind.nothing
                self.assertFalse(hasattr(kind, "nothing"))
                self.assertEqual(getattr(kind, "nothing", 5), 5)
                self.assertFalse(hasattr(kind(), "nothing"))

    def test_threads_at_one_place(self):
        objects = [kind() for kind in KINDS[:6]]
        failures = []

        def run(mine):
            for n in range(2000):
                for obj in mine:
                    if obj.method() != obj.common:
                        failures.append(obj)
        threads = [threading.Thread(target=run, args=(objects[i:] + objects[:i],)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])


class Comparisons(unittest.TestCase):
    def test_chain_over_locals(self):
        def between(a, b, c):
            found = []
            if a < b < c:
                found.append("<<")
            if not a <= b <= c:
                found.append("not <=<=")
            if a < b > c or a is b is c:
                found.append("<> or is")
            while a < b <= c:
                found.append("loop")
                break
            return found
        self.assertEqual(between(1, 2, 3), ["<<", "loop"])
        self.assertEqual(between(1, 5, 3), ["not <=<=", "<> or is"])
        self.assertEqual(between(2, 2, 2), ["<> or is"])

    def test_middle_operand_is_evaluated_once(self):
        seen = []

        class Middle:
            def __gt__(self, other):
                seen.append(("gt", other))
                return True

            def __lt__(self, other):
                seen.append(("lt", other))
                return []
        m = Middle()
        self.assertFalse(True if 1 < m < 2 else False)
        self.assertEqual(seen, [("gt", 1), ("lt", 2)])

    def test_unbound_middle(self):
        def f():
            if 1 < m < 2:
                pass
            m = 1
        self.assertRaises(UnboundLocalError, f)

    def test_walrus(self):
        m = 1
        self.assertTrue(1 if 0 < m < (m := 3) else 0)
        self.assertEqual(m, 3)


class Patterns(unittest.TestCase):
    def test_classes(self):
        class Point:
            __match_args__ = ("x", "y")

            def __init__(self, x, y):
                self.x, self.y = x, y

        def name(subject):
            match subject:
                case Point(0, y=0):
                    return "origin"
                case Point(x, y=2):
                    return x
                case Point(x, y):
                    return x, y
                case int(n) | float(n):
                    return n
                case {"a": a, "b": b, **rest}:
                    return a, b, rest
                case {"a": a}:
                    return a
                case _:
                    return None
        self.assertEqual(name(Point(0, 0)), "origin")
        self.assertEqual(name(Point(5, 2)), 5)
        self.assertEqual(name(Point(5, 6)), (5, 6))
        self.assertEqual(name(3), 3)
        self.assertEqual(name(3.5), 3.5)
        self.assertEqual(name({"a": 1, "b": 2, "c": 3}), (1, 2, {"c": 3}))
        self.assertEqual(name({"a": 1}), 1)
        self.assertIsNone(name("text"))

    def test_errors(self):
        class Twice:
            __match_args__ = ("x", "x")
            x = 1

        class Many:
            __match_args__ = ("x",)

        with self.assertRaisesRegex(TypeError, "multiple sub-patterns for attribute 'x'"):
            match Twice():
                case Twice(1, 1):
                    pass
        with self.assertRaisesRegex(TypeError, r"Many\(\) accepts 1 positional sub-pattern \(2 given\)"):
            match Many():
                case Many(1, 2):
                    pass
        with self.assertRaisesRegex(TypeError, r"Comparisons\(\) accepts 0 positional sub-patterns \(1 given\)"):
            match Comparisons():
                case Comparisons(1):
                    pass

    def test_mappings_with_get(self):
        import collections
        d = collections.defaultdict(int, a=1)
        match d:
            case {"b": _}:
                self.fail("made an entry")
            case {"a": x}:
                self.assertEqual(x, 1)
        self.assertEqual(len(d), 1)


class Activations(unittest.TestCase):
    def test_instances_die_after_init(self):
        log = []

        class Noisy:
            def __init__(self, n):
                other = [n]
                self.n = other

            def __del__(self):
                log.append(self.n[0])
        for n in range(5):
            Noisy(n)
        self.assertEqual(log, [0, 1, 2, 3, 4])

    def test_init_must_return_none(self):
        class Bad:
            def __init__(self):
                return 3
        with self.assertRaisesRegex(TypeError, "should return None"):
            Bad()

    def test_functions_called_from_c(self):
        class Local:
            pass

        def key(x):
            y = Local()
            return Local if x % 2 else y.__class__
        self.assertEqual(list(map(key, range(4))), [Local] * 4)
        self.assertEqual(sorted([3, 1, 2], key=lambda x: -x), [3, 2, 1])

    def test_result_nobody_wants(self):
        log = []

        class Noisy:
            def __del__(self):
                log.append(1)
        make = map(lambda _: Noisy(), range(3)).__next__
        make()
        make()
        self.assertEqual(log, [1, 1])


if __name__ == "__main__":
    unittest.main()
