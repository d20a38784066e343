"""Objects made by one thread and dropped by another: they end soon, whatever the two do meanwhile."""
import queue
import threading
import time
import unittest


class Noted:
    ended = []

    def __init__(self, number):
        self.number = number

    def __del__(self):
        Noted.ended.append(self.number)


def wait_until(condition, seconds=20):
    """Runs code all the time: neither detaches nor sleeps."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
    return True


class HandOff(unittest.TestCase):
    def setUp(self):
        Noted.ended = []

    def drop_in_thread(self, count, afterwards):
        """Another thread drops `count` objects of this one and then runs `afterwards`; this one runs until all have ended."""
        line = queue.SimpleQueue()
        for i in range(count):
            line.put(Noted(i))

        def drop():
            for _ in range(count):
                line.get()
            afterwards()

        thread = threading.Thread(target=drop)
        thread.start()
        in_time = wait_until(lambda: len(Noted.ended) == count)
        thread.join()
        self.assertTrue(in_time, f"{len(Noted.ended)} of {count}")
        self.assertEqual(sorted(Noted.ended), list(range(count)))

    def test_dropper_goes_on(self):
        for count in (1, 2, 31, 32, 33, 200, 1000):
            with self.subTest(count=count):
                Noted.ended = []
                self.drop_in_thread(count, lambda: wait_until(lambda: len(Noted.ended) == count))

    def test_dropper_waits(self):
        for count in (1, 2, 40):
            with self.subTest(count=count):
                Noted.ended = []
                self.drop_in_thread(count, lambda: time.sleep(.2))

    def test_dropper_ends(self):
        for count in (1, 2, 40):
            with self.subTest(count=count):
                Noted.ended = []
                self.drop_in_thread(count, lambda: None)

    def test_owner_waits(self):
        line, end = queue.SimpleQueue(), threading.Event()
        for i in range(100):
            line.put(Noted(i))
        result = []

        def drop():
            for _ in range(100):
                line.get()
            result.append(wait_until(lambda: len(Noted.ended) == 100))
            end.set()

        thread = threading.Thread(target=drop)
        thread.start()
        end.wait()
        thread.join()
        self.assertEqual(result, [True])

    def test_owner_has_ended(self):
        line = queue.SimpleQueue()
        thread = threading.Thread(target=lambda: [line.put(Noted(i)) for i in range(100)])
        thread.start()
        thread.join()
        for _ in range(100):
            line.get()
        self.assertTrue(wait_until(lambda: len(Noted.ended) == 100))

    def test_many_owners(self):
        """Four threads, each of which makes objects and drops what comes."""
        line, count = queue.SimpleQueue(), 2000
        for i in range(8):
            line.put(Noted(-1 - i))

        def body(me):
            for i in range(count):
                line.put(Noted(me * count + i))
                line.get()
            wait_until(lambda: len(Noted.ended) == 4 * count)

        threads = [threading.Thread(target=body, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(len(Noted.ended), 4 * count)
        while not line.empty():
            line.get()
        self.assertTrue(wait_until(lambda: len(Noted.ended) == 4 * count + 8))
        self.assertEqual(sorted(Noted.ended), list(range(-8, 4 * count)))


if __name__ == "__main__":
    unittest.main()
