"""When things are evaluated and when they die: the traps of a register machine with moved references."""
import gc
import sys
import threading
import unittest
import weakref

log = []


class D:
    """Says when it dies."""

    def __init__(self, name):
        self.name = name

    def __del__(self):
        log.append(self.name)

    def __add__(self, other):
        return D(f"{self.name}+{other.name}")

    def __lt__(self, other):
        log.append(f"{self.name}<{other.name}")
        return True


class Case(unittest.TestCase):
    def setUp(self):
        log.clear()


class Evaluation(Case):
    def test_walrus_rebinds_after_a_read(self):
        x = 1
        self.assertEqual(x + (x := 10), 11)
        x = 1
        self.assertEqual((x, x := 3, x), (1, 3, 3))
        x = 1
        self.assertEqual(f"{x}{(x := 6)}{x}", "166")
        items = [0, 0]
        items[i] = (i := 1)             # the value comes before the target
        self.assertEqual(items, [0, 1])

    def test_chained_comparison(self):
        D("1") < D("2") < D("3")
        self.assertEqual(log, ["1<2", "1", "2<3", "2", "3"])

    def test_augmented_targets_are_evaluated_once(self):
        calls = []

        def f(x):
            calls.append(x)
            return x
        items = [1, 2]
        items[f(1)] += f(5)
        self.assertEqual((items, calls), ([1, 7], [1, 5]))

    def test_captures_are_bound_after_the_whole_pattern(self):
        a = "old"
        match [1, 2]:
            case [a, 3]:
                pass
            case _:
                pass
        self.assertIn(a, ("old", 1))
        match [1, 2]:
            case [a, b] if a == 1:
                pass
        self.assertEqual((a, b), (1, 2))

    def test_call_arguments_left_to_right(self):
        order = []

        def say(x):
            order.append(x)
            return x

        def f(*args, **kwargs):
            return args, kwargs
        f(*say([1]), say(2), k=say(3), **say({"d": 4}))
        self.assertEqual(order, [[1], 2, 3, {"d": 4}])
        with self.assertRaisesRegex(TypeError, r"f\(\) got multiple values for keyword argument 'k'"):
            f(k=1, **{"k": 2})


class Death(Case):
    def test_operands(self):
        D("a") + D("b")
        self.assertEqual(log, ["a", "b", "a+b"])

    def test_temporaries_of_an_exception(self):
        try:
            [D(1), D(2), 1 / 0]
        except ZeroDivisionError:
            log.append("handler")
        self.assertEqual(log, [2, 1, "handler"])

    def test_locals_die_in_order_when_a_function_returns(self):
        def f():
            a, b, c = D("a"), D("b"), D("c")
            return "result"
        self.assertEqual(f(), "result")
        self.assertEqual(log, ["a", "b", "c"])

    def test_argument_dies_in_the_callee(self):
        def g(x):
            del x
            log.append("in g")
        g(D("x"))
        self.assertEqual(log, ["x", "in g"])

    def test_overwriting_stores_first(self):
        seen = []

        class Look:
            def __del__(self):
                seen.append(sys._getframe(1).f_locals.get("v"))

        def f():
            v = Look()
            v = "new"
            return v
        f()
        self.assertEqual(seen, ["new"])

    def test_loop_drops_its_iterator_at_the_end(self):
        for x in iter([D(1), D(2)]):
            pass
        self.assertEqual(log, [1])
        del x
        self.assertEqual(log, [1, 2])

    def test_break_closes_a_generator(self):
        def g():
            try:
                yield 1
            finally:
                log.append("closed")
        for _ in g():
            break
        log.append("next")
        self.assertEqual(log, ["closed", "next"])

    def test_exception_name_is_unbound(self):
        try:
            raise ValueError
        except ValueError as e:
            pass
        self.assertNotIn("e", locals())

    def test_frame_outlives_its_call(self):
        def f():
            a = D("a")
            return sys._getframe()
        frame = f()
        self.assertEqual((frame.f_locals["a"].name, log), ("a", []))
        del frame
        self.assertEqual(log, ["a"])


class NamesAndCaches(Case):
    def test_class_body_names(self):
        source = "x = 'global'\nclass C:\n  x = 'class'\n  a = x\n  del x\n  b = x\n  def f(self): return x\n"
        space = {}
        exec(source, space)
        C = space["C"]
        self.assertEqual((C.a, C.b, C().f()), ("class", "global", "global"))

    def test_builtin_is_shadowed_and_uncovered(self):
        space = {}
        exec("def f(): return len('abc')", space)
        self.assertEqual([space["f"]() for _ in range(50)][-1], 3)
        space["len"] = lambda s: "mine"
        self.assertEqual(space["f"](), "mine")
        del space["len"]
        self.assertEqual(space["f"](), 3)

    def test_one_code_object_in_several_spaces(self):
        code = compile("v", "<v>", "eval")
        for i in range(100):
            self.assertEqual(eval(code, {"v": i}), i)

    def test_class_changes_behind_a_cached_attribute(self):
        class P:
            pass
        p = P()
        p.v = 1

        def read():
            return p.v
        for _ in range(50):
            self.assertEqual(read(), 1)
        P.v = property(lambda self: "property")
        self.assertEqual(read(), "property")
        del P.v
        self.assertEqual(read(), 1)
        P.__getattribute__ = lambda self, name: "hook"
        self.assertEqual(read(), "hook")
        del P.__getattribute__
        self.assertEqual(read(), 1)

        class Q:
            v = "class"
        q = Q()
        p.__class__, q.v = Q, 2
        self.assertEqual((read(), type(p)), (1, Q))

    def test_dict_of_an_instance_is_a_view(self):
        class P:
            pass
        p = P()
        p.a = 1
        d = p.__dict__
        d["b"] = 2
        p.c = 3
        del p.a
        d[5] = 6
        self.assertEqual((p.b, d, p.__dict__ is d), (2, {"b": 2, "c": 3, 5: 6}, True))

    def test_exception_state_of_generators(self):
        def g():
            try:
                raise KeyError
            except KeyError:
                yield sys.exc_info()[0]
                yield sys.exc_info()[0]
        it = g()
        self.assertIs(next(it), KeyError)
        self.assertIsNone(sys.exc_info()[0])
        try:
            raise ValueError
        except ValueError:
            self.assertIs(next(it), KeyError)
            self.assertIs(sys.exc_info()[0], ValueError)

    def test_values_below_a_yield(self):
        def g():
            x = 2
            return x + (yield "a") * (yield "b")
        it = g()
        self.assertEqual((next(it), it.send(3)), ("a", "b"))
        with self.assertRaises(StopIteration) as caught:
            it.send(4)
        self.assertEqual(caught.exception.value, 14)


class Leaving(unittest.TestCase):
    """Locals die when their function has been popped: what their finalisers call takes its place on the stack."""

    def setUp(self):
        self.alive = weakref.WeakSet()

    def thing(self, finaliser=None):
        class Thing:
            def __del__(self):
                if finaliser is not None:
                    finaliser(1, 2, 3)
        thing = Thing()
        self.alive.add(thing)
        return thing

    @staticmethod
    def deep(a, b, c, n=20):
        x, y, z = [a], [b], [c]
        return x + y + z if n == 0 else Leaving.deep(a, b, c, n - 1)

    def leave(self, raises):
        first, second, third = self.thing(self.deep), self.thing(), self.thing(self.deep)
        if raises:
            try:
                raise RuntimeError          # gives the activation a frame object
            except RuntimeError:
                pass
        return "result"

    def test_all_locals_die(self):
        for raises in (False, True):
            with self.subTest(raises=raises):
                results = [self.leave(raises) for _ in range(50)]
                self.assertEqual(set(results), {"result"})
                self.assertEqual(list(self.alive), [])

    def test_all_locals_of_a_thread_die(self):
        for raises in (False, True):
            threads = [threading.Thread(target=self.leave, args=(raises,)) for _ in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(list(self.alive), [])

    def test_binding_arguments_runs_code(self):
        class Name(str):
            def __eq__(self, other):
                Leaving.deep(1, 2, 3)
                return str.__eq__(self, other)
            __hash__ = str.__hash__

        def callee(a, b, *, c):
            return a, b, c
        for _ in range(50):
            self.assertEqual(callee(1, **{Name("c"): 3, Name("b"): 2}), (1, 2, 3))
            with self.assertRaises(TypeError):
                callee(1, **{Name("d"): 3})


class TupleOfZip(unittest.TestCase):
    def test_it_stays_for_who_finds_it(self):
        """zip makes one tuple serve for all steps, but not while somebody has it: a tuple is immutable."""
        marks, found = [[i] for i in range(3)], []

        def second():
            yield 0
            yield 1
            found.extend(o for o in gc.get_objects() if type(o) is tuple and len(o) == 2 and o[0] in marks and type(o[1]) is int)
            before.extend(map(list, found))
            yield 2

        before, steps = [], zip(marks, second())
        next(steps), next(steps)
        self.assertEqual(next(steps), ([2], 2))
        self.assertEqual(list(map(list, found)), before)


if __name__ == "__main__":
    unittest.main()
