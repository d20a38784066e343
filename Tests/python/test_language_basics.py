"""The language: binding of arguments, closures, generators, exceptions, with, match, classes, coroutines."""
import unittest


class Arguments(unittest.TestCase):
    def message(self, function, *args, **kwargs):
        with self.assertRaises(TypeError) as caught:
            function(*args, **kwargs)
        return str(caught.exception).split("<locals>.")[-1]

    def test_kinds(self):
        def f(a, /, b, c=3, *args, d, e=5, **kw):
            return a, b, c, args, d, e, kw
        self.assertEqual(f(1, 2, d=4), (1, 2, 3, (), 4, 5, {}))
        self.assertEqual(f(1, 2, 9, 8, 7, d=4, a=0), (1, 2, 9, (8, 7), 4, 5, {"a": 0}))
        self.assertEqual(f(1, b=2, d=4, e=6), (1, 2, 3, (), 4, 6, {}))

    def test_errors(self):
        def f(a, b, *, k=0): pass
        def g(a, /): pass
        def h(a, b, c): pass
        self.assertEqual(self.message(f), "f() missing 2 required positional arguments: 'a' and 'b'")
        self.assertEqual(self.message(h), "h() missing 3 required positional arguments: 'a', 'b', and 'c'")
        self.assertEqual(self.message(f, 1, 2, 3), "f() takes 2 positional arguments but 3 were given")
        self.assertEqual(self.message(f, 1, 2, z=1), "f() got an unexpected keyword argument 'z'")
        self.assertEqual(self.message(f, 1, a=2), "f() got multiple values for argument 'a'")
        self.assertEqual(self.message(g, a=1), "g() got some positional-only arguments passed as keyword arguments: 'a'")

    def test_defaults_are_made_once(self):
        def f(x, seen=[]):
            seen.append(x)
            return seen
        f(1)
        self.assertEqual(f(2), [1, 2])


class Scopes(unittest.TestCase):
    def test_closures_share_cells(self):
        def make():
            n = 0
            def up():
                nonlocal n
                n += 1
                return n
            return up, lambda: n
        up, read = make()
        up(), up()
        self.assertEqual(read(), 2)
        self.assertEqual([f() for f in [lambda: i for i in range(3)]], [2, 2, 2])

    def test_unbound(self):
        def f():
            x
            x = 1
        with self.assertRaisesRegex(UnboundLocalError, "cannot access local variable 'x' where it is not associated with a value"):
            f()
        with self.assertRaisesRegex(NameError, "name 'nowhere' is not defined"):
            nowhere

    def test_comprehensions(self):
        self.assertEqual([x * y for x in range(3) for y in range(x) if x], [0, 0, 2])
        self.assertEqual({k: v for k, v in zip("ab", (1, 2))}, {"a": 1, "b": 2})
        self.assertEqual([y := 1, y ** 2], [1, 1])
        self.assertEqual(sum(x for x in range(10)), 45)

    def test_unpacking(self):
        a, *b, (c, d) = 1, 2, 3, (4, 5)
        self.assertEqual((a, b, c, d), (1, [2, 3], 4, 5))
        with self.assertRaisesRegex(ValueError, r"too many values to unpack \(expected 2\)"):
            a, b = 1, 2, 3
        with self.assertRaisesRegex(ValueError, r"not enough values to unpack \(expected 2, got 1\)"):
            a, b = [1]


class Generators(unittest.TestCase):
    def test_send_throw_close(self):
        log = []
        def g():
            try:
                while True:
                    try:
                        log.append((yield len(log)))
                    except KeyError:
                        log.append("key")
            finally:
                log.append("end")
        it = g()
        next(it)
        self.assertEqual((it.send("x"), it.throw(KeyError)), (1, 2))
        it.close()
        self.assertEqual(log, ["x", "key", "end"])
        with self.assertRaises(TypeError):
            g().send(1)

    def test_yield_from(self):
        def inner():
            x = yield 1
            return x
        def outer():
            return (yield from inner())
        it = outer()
        next(it)
        with self.assertRaises(StopIteration) as caught:
            it.send("v")
        self.assertEqual(caught.exception.value, "v")

    def test_stop_iteration_inside(self):
        def g():
            yield next(iter(()))
        with self.assertRaisesRegex(RuntimeError, "generator raised StopIteration"):
            list(g())

    def test_coroutines(self):
        class Wait:
            def __await__(self):
                return (yield "waiting") + 1
        async def f():
            async with Manager() as m:
                return m + await Wait() + sum([x async for x in numbers()])
        class Manager:
            async def __aenter__(self): return 100
            async def __aexit__(self, *a): return False
        async def numbers():
            yield 1
            yield 2
        c = f()
        self.assertEqual(c.send(None), "waiting")
        with self.assertRaises(StopIteration) as caught:
            c.send(10)
        self.assertEqual(caught.exception.value, 114)


class Exceptions(unittest.TestCase):
    def test_finally_and_return(self):
        def f():
            try:
                return 1
            finally:
                return 2
        def g():
            for i in range(3):
                try:
                    continue
                finally:
                    if i == 1:
                        break
            return i
        self.assertEqual((f(), g()), (2, 1))

    def test_context_and_cause(self):
        try:
            try:
                1 / 0
            except ZeroDivisionError as first:
                raise KeyError("k") from first
        except KeyError as e:
            self.assertIs(e.__cause__, e.__context__)
            self.assertEqual(type(e.__cause__), ZeroDivisionError)

    def test_groups(self):
        seen = []
        try:
            try:
                raise ExceptionGroup("g", [ValueError(1), TypeError(2), ExceptionGroup("h", [ValueError(3), OSError(4)])])
            except* ValueError as e:
                seen.append(str(e.exceptions))
            except* TypeError as e:
                seen.append(str(e.exceptions))
        except ExceptionGroup as rest:
            seen.append(str(rest.exceptions))
        self.assertEqual(seen, ["(ValueError(1), ExceptionGroup('h', [ValueError(3)]))", "(TypeError(2),)",
                                "(ExceptionGroup('h', [OSError(4)]),)"])

    def test_with(self):
        log = []
        class M:
            def __init__(self, name, swallow=False): self.name, self.swallow = name, swallow
            def __enter__(self): log.append("in " + self.name); return self
            def __exit__(self, kind, *_): log.append((self.name, kind)); return self.swallow
        with M("a", True), M("b"):
            1 / 0
        self.assertEqual(log, ["in a", "in b", ("b", ZeroDivisionError), ("a", ZeroDivisionError)])

    def test_recursion(self):
        def f(): return f()
        self.assertRaises(RecursionError, f)
        deep = []
        for _ in range(100_000):
            deep = [deep]
        self.assertRaises(RecursionError, repr, deep)
        while deep:
            deep = deep[0]


class Matching(unittest.TestCase):
    def test_patterns(self):
        class P:
            __match_args__ = ("x", "y")
            def __init__(self, x, y): self.x, self.y = x, y
        def f(v):
            match v:
                case 0 | 1: return "small"
                case int(n) if n > 9: return f"big {n}"
                case [a, *rest, 9]: return a, rest
                case {"k": k, **more}: return k, more
                case P(x=0, y=y): return "axis", y
                case P(x, y): return x, y
                case "s" as s: return s
                case None: return "none"
                case _: return "other"
        self.assertEqual([f(v) for v in (1, 10, [1, 2, 3, 9], {"k": 1, "z": 2}, P(0, 5), P(1, 2), "s", None, 5)],
                         ["small", "big 10", (1, [2, 3]), (1, {"z": 2}), ("axis", 5), (1, 2), "s", "none", "other"])


class Classes(unittest.TestCase):
    def test_mro_and_super(self):
        class A:
            def f(self): return ["A"]
        class B(A):
            def f(self): return ["B"] + super().f()
        class C(A):
            def f(self): return ["C"] + super().f()
        class E(B, C):
            def f(self): return ["E"] + super().f()
        self.assertEqual(E().f(), ["E", "B", "C", "A"])
        with self.assertRaisesRegex(TypeError, "method resolution"):
            type("X", (A, B), {})

    def test_descriptors(self):
        class Data:
            def __get__(self, o, t=None): return "data"
            def __set__(self, o, v): o.log = v
            def __set_name__(self, t, name): self.name = name
        class C:
            d = Data()
            __slots__ = ("log", "s")
        c = C()
        c.d = 4
        self.assertEqual((c.d, c.log, C.__dict__["d"].name), ("data", 4, "d"))
        self.assertRaises(AttributeError, lambda: c.s)
        with self.assertRaisesRegex(AttributeError, "'C' object has no attribute 'z'"):
            c.z = 1

    def test_metaclass_and_hooks(self):
        made = []
        class Meta(type):
            def __prepare__(name, bases, **kw): return {"prepared": kw}
            def __new__(m, name, bases, space, **kw): return super().__new__(m, name, bases, space)
            def __init__(self, *a, **kw): super().__init__(*a)
        class Base:
            def __init_subclass__(cls, **kw): made.append(cls.__name__)
            def __class_getitem__(cls, item): return item
        class C(metaclass=Meta, tag=1): pass
        class S(Base): pass
        self.assertEqual((C.prepared, made, S[3]), ({"tag": 1}, ["S"], 3))


if __name__ == "__main__":
    unittest.main()
