"""The disassembler, and the lines that trace functions and frames see."""

import dis
import sys
import types
import unittest


def listed(code):
    return [i.opname for i in dis.get_instructions(code)]


class Dis(unittest.TestCase):
    def test_instructions_are_braids(self):
        def f(n):
            for i in range(n):
                print(i)

        names = listed(f)
        self.assertIn("FOR_ITER", names)
        self.assertEqual(names[-1], "RETURN_CONST")
        jump = next(i for i in dis.get_instructions(f) if i.opname == "FOR_ITER")
        self.assertIn(jump.argval, {i.offset for i in dis.get_instructions(f) if i.is_jump_target})

    def test_offsets_match_positions(self):
        def f(a, b):
            return a.x + b[1]

        positions = list(f.__code__.co_positions())
        for i in dis.get_instructions(f, show_caches=True):
            self.assertEqual(i.positions, positions[i.offset // 2])

    def test_imports(self):
        code = compile("import os.path, sys\nfrom . import x as y", "<test>", "exec")
        self.assertEqual(list(dis._find_imports(code)), [("os.path", 0, None), ("sys", 0, None), ("", 1, ("x",))])

    def test_replaced_code_still_runs(self):
        def f(x):
            return x + 1

        g = types.FunctionType(f.__code__.replace(co_name="g"), {})
        self.assertEqual(g(1), 2)


class Lines(unittest.TestCase):
    def trace(self, function, *args):
        events = []

        def tracer(frame, event, arg):
            if frame.f_code is function.__code__:
                events.append((event, frame.f_lineno - function.__code__.co_firstlineno))
                return tracer

        sys.settrace(tracer)
        try:
            function(*args)
        except ZeroDivisionError:
            pass
        finally:
            sys.settrace(None)
        return events

    def test_line_of_implicit_return(self):
        def f(x):
            if x:
                y = 1
            else:
                y = 2

        self.assertEqual(self.trace(f, 0)[-1], ("return", 4))
        self.assertEqual(self.trace(f, 1)[-1], ("return", 2))

    def test_line_of_what_was_raised(self):
        def f():
            try:
                1 / 0
            finally:
                pass

        self.assertEqual(self.trace(f)[-1], ("return", 4))
        try:
            f()
        except ZeroDivisionError as error:
            frame = error.__traceback__.tb_next.tb_frame
            self.assertEqual(frame.f_lineno - f.__code__.co_firstlineno, 4)

    def test_tracing_begins_and_ends_in_the_middle(self):
        seen = []

        def tracer(frame, event, arg):
            seen.append(event)
            return tracer

        def f():
            for i in range(20):
                sys.settrace(tracer)
                (lambda: i)()
                sys.settrace(None)
                (lambda: i)()

        f()
        self.assertEqual(seen.count("call"), 20)

    def test_locals_written_by_the_tracer(self):
        def f():
            a = 1
            b = 2
            return a + b

        def tracer(frame, event, arg):
            if event == "line" and frame.f_lineno == f.__code__.co_firstlineno + 3:
                frame.f_locals["a"] = 40
            return tracer

        sys.settrace(tracer)
        try:
            result = f()
        finally:
            sys.settrace(None)
        self.assertEqual(result, 42)

    def test_jump_out_of_a_loop(self):
        def f():
            out = []
            for i in range(10):
                out.append(i)
            return out

        def tracer(frame, event, arg):
            if event == "line" and frame.f_lineno == f.__code__.co_firstlineno + 3 and frame.f_locals["i"] == 2:
                frame.f_lineno += 1
            return tracer

        sys.settrace(tracer)
        try:
            result = f()
        finally:
            sys.settrace(None)
        self.assertEqual(result, [0, 1])


class Groups(unittest.TestCase):
    def test_bare_raise_raises_the_part_that_matched(self):
        with self.assertRaises(ExceptionGroup) as caught:
            try:
                raise ExceptionGroup("eg", [ValueError(1), TypeError(2)])
            except* TypeError:
                pass
            except* ValueError:
                raise
        self.assertEqual([type(e) for e in caught.exception.exceptions], [ValueError])


if __name__ == "__main__":
    unittest.main()
