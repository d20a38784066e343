"""Calls with * and **: what a function that takes just *args and **kwargs is given."""
import sys
import threading
import unittest


def both(*args, **kwargs):
    return args, kwargs


def positional(*args):
    return args


def keywords(**kwargs):
    return kwargs


PAIR, NAMES = (1, 2), {"x": 1}


class ForwardedArguments(unittest.TestCase):
    def test_values(self):
        self.assertEqual(both(*PAIR, **NAMES), (PAIR, NAMES))
        self.assertEqual(both(*PAIR), (PAIR, {}))
        self.assertEqual(both(**NAMES), ((), NAMES))
        self.assertEqual(both(*iter("ab"), **{}), (("a", "b"), {}))
        self.assertEqual(both(0, *PAIR, y=3, **NAMES), ((0, 1, 2), {"y": 3, "x": 1}))
        self.assertEqual(positional(*PAIR, **{}), PAIR)
        self.assertEqual(keywords(*(), **NAMES), NAMES)

    def test_keywords_are_a_copy(self):
        got = keywords(**NAMES)
        got["x"] = 2
        self.assertEqual(NAMES, {"x": 1})

    def test_errors(self):
        for call, message in [(lambda: positional(**NAMES), r"positional\(\) got an unexpected keyword argument 'x'"),
                              (lambda: keywords(*PAIR), r"keywords\(\) takes 0 positional arguments but 2 were given"),
                              (lambda: both(**{1: 2}), "keywords must be strings"),
                              (lambda: both(**NAMES, **NAMES), "got multiple values for keyword argument 'x'"),
                              (lambda: both(*None), r"argument after \* must be an iterable, not NoneType")]:
            self.assertRaisesRegex(TypeError, message, call)

    def test_cells_generators_and_init(self):
        def cells(*args, **kwargs):
            return lambda: (args, kwargs)

        def generator(*args, **kwargs):
            yield args
            yield kwargs

        class Instance:
            def __init__(self, *args, **kwargs):
                self.given = args, kwargs
        self.assertEqual(cells(*PAIR, **NAMES)(), (PAIR, NAMES))
        self.assertEqual(list(generator(*PAIR, **NAMES)), [PAIR, NAMES])
        self.assertEqual(Instance(*PAIR, **NAMES).given, (PAIR, NAMES))

    def test_references(self):
        item = object()
        before = sys.getrefcount(item)
        for _ in range(10):
            both(*(item,), **{"x": item})
            self.assertRaises(TypeError, keywords, *(item,), **{"x": item})
            self.assertRaises(TypeError, positional, *(item,), **{"x": item})
        self.assertEqual(sys.getrefcount(item), before)

    def test_endless(self):
        def endless(*args, **kwargs):
            return endless(*args, **kwargs)
        with self.assertRaises(RecursionError):
            endless(*PAIR, **NAMES)

    def test_code_replaced_meanwhile(self):
        def function(*args, **kwargs):
            return len(args) + len(kwargs)

        def other(a, b, x=0):
            return 3
        codes, stop = [function.__code__, other.__code__], threading.Event()

        def replace():
            while not stop.is_set():
                for code in codes:
                    function.__code__ = code
        thread = threading.Thread(target=replace)
        thread.start()
        try:
            for _ in range(20_000):
                self.assertEqual(function(*PAIR, **NAMES), 3)
        finally:
            stop.set()
            thread.join()


if __name__ == "__main__":
    unittest.main()
