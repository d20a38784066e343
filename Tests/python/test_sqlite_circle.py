"""Connections whose callbacks use each other, in several threads: one of them gets an exception, none waits for ever."""
import sqlite3
import threading
import unittest


class CircleTest(unittest.TestCase):
    def run_circle(self, count):
        connections = [sqlite3.connect(":memory:", check_same_thread=False) for _ in range(count)]
        gate = threading.Barrier(count)
        outcomes = []

        def work(i):
            def callback():
                gate.wait(10)
                try:
                    outcomes.append(connections[(i + 1) % count].execute("select 5").fetchone()[0])
                except sqlite3.OperationalError:
                    outcomes.append("circle")
                return 1
            connections[i].create_function("callback", 0, callback)
            connections[i].execute("select callback()").fetchone()

        threads = [threading.Thread(target=work, args=(i,), daemon=True) for i in range(count)]
        for t in threads:
            t.start()
        for t in threads:
            t.join(20)
            self.assertFalse(t.is_alive())
        self.assertEqual(len(outcomes), count)
        self.assertIn("circle", outcomes)
        self.assertLessEqual(set(outcomes), {"circle", 5})

    def test_two(self):
        self.run_circle(2)

    def test_four(self):
        self.run_circle(4)

    def test_nested_use_in_one_thread(self):
        a, b = sqlite3.connect(":memory:"), sqlite3.connect(":memory:")
        a.create_function("f", 1, lambda n: b.execute("select g(?)", (n,)).fetchone()[0] if n else 0)
        b.create_function("g", 1, lambda n: a.execute("select f(?)", (n - 1,)).fetchone()[0] + 1)
        self.assertEqual(a.execute("select f(3)").fetchone(), (3,))


if __name__ == "__main__":
    unittest.main()
