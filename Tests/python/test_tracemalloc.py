"""tracemalloc with threads: several allocate at once, objects die in other threads, tracing starts and stops meanwhile."""
import gc
import os
import threading
import tracemalloc
import unittest
from queue import SimpleQueue

from thread_cases import together


class Tracing(unittest.TestCase):
    def tearDown(self):
        tracemalloc.stop()

    def test_kinds_of_blocks(self):
        tracemalloc.start()
        here = __file__
        for make in (lambda: object(), lambda: [1] * 100, lambda: {str(i): i for i in range(50)}, lambda: set(range(50)),
                     lambda: "x" * len(here), lambda: bytearray(1000), lambda: (1, [2]), lambda: len(here) << 200, lambda: make_function()):
            thing = make()
            traceback = tracemalloc.get_object_traceback(thing)
            self.assertIsNotNone(traceback, type(thing))
            self.assertEqual(os.path.basename(traceback[0].filename), os.path.basename(here))
        self.assertIsNone(tracemalloc.get_object_traceback(5))

    def test_numbers_come_back_to_where_they_were(self):
        tracemalloc.start()

        def work():
            data = [{"key": [i, str(i), (i, "x" * 40)]} for i in range(2000)]
            data.sort(key=lambda d: -d["key"][0])
            return len(data)

        work()
        gc.collect()
        before = tracemalloc.get_traced_memory()[0]
        work()
        gc.collect()
        after, peak = tracemalloc.get_traced_memory()
        self.assertLess(abs(after - before), 20000)
        self.assertGreater(peak, before + 2000 * 100)

    def test_threads_allocate_and_others_free(self):
        tracemalloc.start(3)
        queues = [SimpleQueue() for _ in range(4)]
        rounds = 400

        def work(i):
            for k in range(rounds):
                queues[(i + 1) % 4].put([bytearray(500), {"k": [k]}, str(k) * 20])
                queues[i].get()

        work_before = tracemalloc.get_traced_memory()[0]
        together(work)
        gc.collect()
        self.assertLess(tracemalloc.get_traced_memory()[0] - work_before, 4 * rounds * 500 // 2)
        self.assertGreater(tracemalloc.get_traced_memory()[1] - work_before, 0)

    def test_start_and_stop_while_threads_run(self):
        running = True

        def work(i):
            if i == 0:
                nonlocal running
                for k in range(15):
                    tracemalloc.start(1 + k % 4)
                    tracemalloc.take_snapshot()
                    tracemalloc.clear_traces()
                    tracemalloc.get_object_traceback([])
                    tracemalloc.stop()
                running = False
            else:
                kept = []
                while running:
                    kept.append([object(), {i: len(kept)}, "a" * (len(kept) % 100 + 1)])
                    if len(kept) > 200:
                        del kept[:150]

        together(work)
        self.assertEqual(tracemalloc.get_traced_memory(), (0, 0))

    def test_child_of_a_fork_traces_on(self):
        tracemalloc.start()
        stop = threading.Event()

        def allocate():
            while not stop.is_set():
                [object() for _ in range(50)]

        threads = [threading.Thread(target=allocate) for _ in range(2)]
        for thread in threads:
            thread.start()
        try:
            for _ in range(5):
                pid = os.fork()
                if pid == 0:
                    thing = [bytes(100)]
                    os._exit(0 if tracemalloc.get_object_traceback(thing) is not None else 1)
                self.assertEqual(os.waitpid(pid, 0)[1], 0)
        finally:
            stop.set()
            for thread in threads:
                thread.join()


def make_function():
    x = 1
    return lambda: x


if __name__ == "__main__":
    unittest.main()
