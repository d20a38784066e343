"""What a signal handler raises comes from the call during which the signal came: a with or try block that ends with this call
still sees it."""
import _thread
import signal
import unittest


class Catches:
    caught = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.caught = kind
        return True


class LastCallOfTheBlock(unittest.TestCase):
    def test_with(self):
        with Catches() as block:
            _thread.interrupt_main()
        self.assertIs(block.caught, KeyboardInterrupt)

    def test_with_result_kept(self):
        with Catches() as block:
            x = _thread.interrupt_main()    # noqa: F841
        self.assertIs(block.caught, KeyboardInterrupt)

    def test_with_star_call(self):
        arguments = ()
        with Catches() as block:
            _thread.interrupt_main(*arguments)
        self.assertIs(block.caught, KeyboardInterrupt)

    def test_with_method(self):
        with Catches() as block:
            signal.raise_signal(signal.SIGINT)
        self.assertIs(block.caught, KeyboardInterrupt)

    def test_try(self):
        caught = False
        try:
            _thread.interrupt_main()
        except KeyboardInterrupt:
            caught = True
        self.assertTrue(caught)

    def test_the_line_is_that_of_the_call(self):
        try:
            _thread.interrupt_main()
        except KeyboardInterrupt as error:
            traceback = error.__traceback__
        self.assertEqual(traceback.tb_lineno, self.test_the_line_is_that_of_the_call.__code__.co_firstlineno + 2)


if __name__ == "__main__":
    unittest.main()
