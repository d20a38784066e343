"""Documentation strings in what is typed at the prompt."""
import unittest


class InteractiveDocstringsTest(unittest.TestCase):
    def run_single(self, source):
        names = {}
        exec(compile(source, "<typed>", "single"), names)
        return names

    def test_class(self):
        self.assertEqual(self.run_single("class A:\n    'text'\n")["A"].__doc__, "text")

    def test_function_has_no_line_for_it(self):
        function = self.run_single("def f():\n    'text'\n    return 1\n")["f"]
        self.assertEqual(function.__doc__, "text")
        self.assertNotIn(2, [line for _, _, line in function.__code__.co_lines()])


if __name__ == "__main__":
    unittest.main()
