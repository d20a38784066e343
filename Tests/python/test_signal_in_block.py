"""What a signal handler raises comes from the call during which the signal came: a with or try block that ends with this call
still sees it."""
import _testcapi
import _thread
import signal
import threading
import unittest


class Catches:
    caught = None

    def __enter__(self):
        return self

    def __exit__(self, kind, value, traceback):
        self.caught = kind
        return True


class LastCallOfTheBlock(unittest.TestCase):
    def setUp(self):
        """Where the tests run in the background SIGINT is ignored."""
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))

    def test_join_gives_the_lock_back(self):
        """A join interrupted behind taking the lock of the ended thread: a second one doesn't wait for ever."""
        for _ in range(200):
            gate = _thread.allocate_lock()
            gate.acquire()

            def interrupt():
                gate.acquire()
                _thread.interrupt_main()
            thread = threading.Thread(target=interrupt)
            thread.start()
            with Catches() as block:
                gate.release()
                thread.join()
                for _ in range(10):
                    pass
            self.assertIs(block.caught, KeyboardInterrupt)
            thread.join()

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


class SignalInDelegation(unittest.TestCase):
    """A signal that comes before a generator goes on is raised where the wait is, also inside a try block."""

    def setUp(self):
        self.addCleanup(signal.signal, signal.SIGINT, signal.signal(signal.SIGINT, signal.default_int_handler))

    def test_innermost_generator(self):
        def outer():
            return (yield from middle())

        def middle():
            return (yield from inner())

        def inner():
            try:
                yield
            except KeyboardInterrupt:
                return "inside"
        generator = outer()
        generator.send(None)
        with self.assertRaises(StopIteration) as stopped:
            _testcapi.raise_SIGINT_then_send_None(generator)
        self.assertEqual(stopped.exception.value, "inside")

    def test_yield_in_try(self):
        def alone():
            try:
                yield
            except KeyboardInterrupt:
                yield "inside"
        generator = alone()
        generator.send(None)
        self.assertEqual(_testcapi.raise_SIGINT_then_send_None(generator), "inside")


if __name__ == "__main__":
    unittest.main()
