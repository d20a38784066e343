"""Databases of dbm that several threads use at once."""
import os
import tempfile
import threading
import unittest

THREADS, ITEMS = 4, 60


def modules():
    for name in ("dbm.ndbm", "dbm.gnu"):
        try:
            yield __import__(name, fromlist=["open"])
        except ImportError:
            pass


def run_threads(work):
    failures = []

    def guarded(n):
        try:
            work(n)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(n,)) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failures


class DbmThreadsTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "data")

    def test_values_stay_with_their_keys(self):
        for module in modules():
            with self.subTest(module.__name__), module.open(self.path, "n") as database:
                def work(n):
                    for i in range(ITEMS):
                        database[f"{n}-{i}"] = f"value of {n}-{i}"
                        self.assertEqual(database[f"{n}-{i}"], f"value of {n}-{i}".encode())
                        self.assertIn(f"{n}-0", database)
                        len(database)

                self.assertEqual(run_threads(work), [])
                self.assertEqual(len(database), THREADS * ITEMS)
                self.assertEqual(len(database.keys()), THREADS * ITEMS)

    def test_one_default_wins(self):
        for module in modules():
            with self.subTest(module.__name__), module.open(self.path, "n") as database:
                found = [[] for _ in range(THREADS)]

                def work(n):
                    for i in range(ITEMS):
                        value = database.setdefault(str(i), str(n))
                        found[n].append(value.encode() if isinstance(value, str) else value)

                self.assertEqual(run_threads(work), [])
                for row in found:
                    self.assertEqual(row, [database[str(i)] for i in range(ITEMS)])

    def test_close_while_used(self):
        for module in modules():
            with self.subTest(module.__name__):
                database = module.open(self.path, "n")

                def work(n):
                    try:
                        for i in range(ITEMS):
                            database[str(i)] = "x"
                            if n == 0 and i == ITEMS // 2:
                                database.close()
                    except module.error as error:
                        self.assertIn("already been closed", str(error))

                self.assertEqual(run_threads(work), [])


if __name__ == "__main__":
    unittest.main()
