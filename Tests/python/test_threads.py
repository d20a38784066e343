"""Threads: threading, queue, concurrent.futures, and races on shared objects."""
import queue
import sys
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor, as_completed

from thread_cases import together


class Primitives(unittest.TestCase):
    def test_lock_excludes(self):
        for make in (threading.Lock, threading.RLock):
            lock, count = make(), [0]

            def work(i):
                for _ in range(2000):
                    with lock:
                        count[0] += 1
            together(work)
            self.assertEqual(count[0], 8000)

    def test_timeouts(self):
        lock = threading.Lock()
        lock.acquire()
        begin = time.monotonic()
        self.assertFalse(lock.acquire(timeout=0.05))
        self.assertGreaterEqual(time.monotonic() - begin, 0.04)
        self.assertFalse(lock.acquire(False))
        lock.release()
        self.assertRaises(RuntimeError, lock.release)

    def test_rlock_owner(self):
        lock = threading.RLock()
        lock.acquire()
        together(lambda i: self.assertRaises(RuntimeError, lock.release), 2)
        lock.release()

    def test_condition_event_semaphore(self):
        items, condition = [], threading.Condition()

        def work(i):
            if i == 0:
                for n in range(300):
                    with condition:
                        items.append(n)
                        condition.notify()
                return None
            taken = []
            for _ in range(100):
                with condition:
                    while not items:
                        condition.wait(30)
                    taken.append(items.pop())
            return taken
        taken = together(work)[1:]
        self.assertEqual(sorted(sum(taken, [])), list(range(300)))
        event = threading.Event()
        self.assertFalse(event.wait(0.01))
        threading.Timer(0.01, event.set).start()
        self.assertTrue(event.wait(30))
        semaphore, inside, most = threading.Semaphore(2), [], []

        def enter(i):
            with semaphore:
                inside.append(i)
                most.append(len(inside))
                time.sleep(0.005)
                inside.remove(i)
        together(enter, 6)
        self.assertLessEqual(max(most), 2)

    def test_local(self):
        local = threading.local()

        def work(i):
            local.x = i
            time.sleep(0.001)
            return local.x
        self.assertEqual(together(work), [0, 1, 2, 3])
        self.assertFalse(hasattr(local, "x"))

    def test_thread_attributes(self):
        idents = together(lambda i: (threading.get_ident(), threading.current_thread().ident))
        self.assertTrue(all(a == b for a, b in idents))
        thread = threading.Thread(target=int, daemon=True)
        self.assertRaises(RuntimeError, thread.join)
        thread.start()
        thread.join()
        self.assertFalse(thread.is_alive())
        self.assertRaises(RuntimeError, thread.start)

    def test_excepthook(self):
        seen, old = [], threading.excepthook
        threading.excepthook = lambda args: seen.append(args.exc_type)
        try:
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
        finally:
            threading.excepthook = old
        self.assertEqual(seen, [ZeroDivisionError])


class Pools(unittest.TestCase):
    def test_queue(self):
        for make in (queue.Queue, queue.LifoQueue, queue.PriorityQueue, queue.SimpleQueue):
            q = make()

            def work(i):
                if i < 2:
                    for n in range(200):
                        q.put(n * 2 + i)
                    return []
                return [q.get(timeout=30) for _ in range(200)]
            self.assertEqual(sorted(sum(together(work), [])), list(range(400)), make)
            self.assertRaises(queue.Empty, q.get_nowait)

    def test_bounded(self):
        q = queue.Queue(2)
        q.put(1), q.put(2)
        self.assertRaises(queue.Full, q.put_nowait, 3)
        self.assertRaises(queue.Full, q.put, 3, timeout=0.01)

    def test_executor(self):
        with ThreadPoolExecutor(4) as pool:
            self.assertEqual(list(pool.map(pow, range(50), [2] * 50)), [n * n for n in range(50)])
            futures = {pool.submit(lambda n: n + 1, n): n for n in range(20)}
            self.assertTrue(all(f.result() == futures[f] + 1 for f in as_completed(futures)))
            with self.assertRaises(ZeroDivisionError):
                pool.submit(lambda: 1 / 0).result()


class Races(unittest.TestCase):
    """Anything may come out where the program does not synchronise, save a crash or something impossible."""

    def test_list_append_loses_nothing(self):
        shared = []
        together(lambda i: [shared.append((i, n)) for n in range(3000)] and None)
        self.assertEqual(len(shared), 12000)
        for i in range(4):
            self.assertEqual([n for j, n in shared if j == i], list(range(3000)))

    def test_pop_gives_each_once(self):
        shared = list(range(8000))

        def work(i):
            taken = []
            try:
                while True:
                    taken.append(shared.pop())
            except IndexError:
                return taken
        self.assertEqual(sorted(sum(together(work), [])), list(range(8000)))

    def test_dict_keeps_all_keys(self):
        shared = {}

        def work(i):
            for n in range(3000):
                shared[i, n] = n
                shared.get((i + 1) % 4, n)
        together(work)
        self.assertEqual(len(shared), 12000)

    def test_setdefault_has_one_winner(self):
        for _ in range(100):
            shared = {}
            results = together(lambda i: shared.setdefault("k", object()))
            self.assertEqual(len(set(map(id, results))), 1)

    def test_readers_while_growing_and_shrinking(self):
        shared, stop = [0] * 10, []

        def work(i):
            if i == 0:
                for n in range(2000):
                    shared.extend([n] * 5)
                    del shared[:5]
                stop.append(1)
                return
            while not stop:
                for item in shared[:3]:
                    self.assertIs(type(item), int)
                try:
                    shared[-1]
                    shared.index(-1)
                except (IndexError, ValueError):
                    pass
        together(work)

    def test_dict_iteration_while_changing(self):
        shared, stop = {n: n for n in range(50)}, []

        def work(i):
            if i == 0:
                for n in range(5000):
                    shared[50 + n % 20] = n
                    shared.pop(50 + (n + 7) % 20, None)
                stop.append(1)
                return
            while not stop:
                try:
                    for key, value in shared.items():
                        self.assertIs(type(value), int)
                except RuntimeError:
                    pass
                list(shared)
        together(work)

    def test_attributes(self):
        class Point:
            pass
        p = Point()

        def work(i):
            for n in range(2000):
                p.shared = n
                setattr(p, f"own{i}_{n % 30}", n)
                self.assertIs(type(p.shared), int)
                if n % 3 == 0:
                    delattr(p, f"own{i}_{n % 30}")
        together(work)
        self.assertEqual(p.shared, 1999)

    def test_class_changes_under_calls(self):
        class C:
            def f(self):
                return 1
        stop = []

        def work(i):
            if i == 0:
                for n in range(1000):
                    C.f = (lambda self: 1) if n % 2 else (lambda self: 2)
                    C.other = n
                stop.append(1)
                return
            c = C()
            while not stop:
                self.assertIn(c.f(), (1, 2))
        together(work)

    def test_generator_runs_in_one_thread_at_a_time(self):
        def numbers():
            for n in range(4000):
                yield n
        g = numbers()

        def work(i):
            taken = []
            while True:
                try:
                    taken.append(next(g))
                except StopIteration:
                    return taken
                except ValueError as error:
                    self.assertEqual(str(error), "generator already executing")
        self.assertEqual(sorted(sum(together(work), [])), list(range(4000)))

    def test_same_module_imported_at_once(self):
        sys.modules.pop("colorsys", None)

        def work(i):
            import colorsys
            return colorsys.rgb_to_hls
        self.assertEqual(len(set(together(work, 8))), 1)

    def test_finalisers_run_once_each(self):
        died = []

        class D:
            def __init__(self, n):
                self.n = n

            def __del__(self):
                died.append(self.n)
        cell = [None]

        def work(i):
            for n in range(1000):
                cell[0] = D((i, n))
        together(work)
        cell[0] = None
        for _ in range(100):
            if len(died) == 4000:
                break
            time.sleep(0.01)
        self.assertEqual(len(died), len(set(died)))
        self.assertEqual(len(died), 4000)


if __name__ == "__main__":
    unittest.main()
