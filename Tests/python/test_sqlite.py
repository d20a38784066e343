"""What the library's own tests of sqlite3 do not cover: connections shared by threads, and callbacks that misbehave."""
import gc
import threading
import unittest
import weakref

from thread_cases import run_threads

try:
    import sqlite3
except ImportError:         # built without the library
    sqlite3 = None


@unittest.skipIf(sqlite3 is None, "no sqlite3")
class SharedConnection(unittest.TestCase):
    def connect(self):
        con = sqlite3.connect(":memory:", check_same_thread=False, isolation_level=None)
        self.addCleanup(con.close)
        return con

    def test_many_cursors(self):
        con = self.connect()
        con.execute("create table t(a, b)")
        con.create_function("twice", 1, lambda x: 2 * x)

        def work(i):
            for j in range(100):
                con.execute("insert into t values (?, twice(?))", (i, j))
                con.execute("select count(*), max(b) from t where a = ?", (i,)).fetchone()

        self.assertEqual(run_threads(4, work), [])
        self.assertEqual(con.execute("select count(*), sum(b) from t").fetchone(), (400, 4 * 2 * sum(range(100))))

    def test_one_cursor(self):
        cursor = self.connect().cursor()

        def work(i):
            for j in range(100):
                cursor.execute("select 1 union select 2 union select 3")
                for row in cursor.fetchall():
                    self.assertIn(row[0], (1, 2, 3))

        self.assertEqual(run_threads(4, work), [])

    def test_close_while_used(self):
        for _ in range(20):
            con = sqlite3.connect(":memory:", check_same_thread=False)
            con.create_function("f", 1, lambda x: x)
            barrier = threading.Barrier(3)

            def work(i):
                barrier.wait()
                if i == 0:
                    con.close()
                    return
                for j in range(50):
                    con.execute("select f(?) union select 7", (j,)).fetchall()

            for exc in run_threads(3, work):
                self.assertIsInstance(exc, sqlite3.ProgrammingError)

    def test_initialise_while_used(self):
        con = self.connect()

        def work(i):
            for j in range(30):
                if i == 0:
                    con.__init__(":memory:", check_same_thread=False)
                else:
                    try:
                        con.execute("select ?, 2", (j,)).fetchall()
                    except sqlite3.ProgrammingError:
                        pass        # between two databases

        self.assertEqual(run_threads(3, work), [])

    def test_backup_both_ways(self):
        a, b = self.connect(), self.connect()
        a.execute("create table t(a)")

        def work(i):
            for _ in range(20):
                try:
                    (a if i else b).backup(b if i else a)
                except sqlite3.OperationalError:
                    pass

        self.assertEqual(run_threads(2, work), [])

    def test_interrupt(self):
        con = self.connect()
        started = threading.Event()
        con.create_function("started", 0, started.set)

        def work(i):
            if i == 0:
                started.wait()
                con.interrupt()
            else:
                con.execute("with recursive c(x) as (select started() union all select x from c) select count(*) from c")

        errors = run_threads(2, work)
        self.assertEqual([type(e) for e in errors], [sqlite3.OperationalError])
        self.assertEqual(errors[0].sqlite_errorname, "SQLITE_INTERRUPT")


@unittest.skipIf(sqlite3 is None, "no sqlite3")
class Callbacks(unittest.TestCase):
    def test_close_in_callback(self):
        con = sqlite3.connect(":memory:")
        con.create_function("f", 0, con.close)
        self.assertEqual(con.execute("select f()").rowcount, -1)
        with self.assertRaisesRegex(sqlite3.ProgrammingError, "closed database"):
            con.execute("select 1")

    def test_close_in_converter(self):
        con = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_COLNAMES)
        sqlite3.register_converter("close", lambda data: con.close())
        cursor = con.execute('select 1 as "a [close]", 2 as b union select 2, 3')
        self.assertEqual(cursor.fetchone(), (None, 2))
        self.assertRaises(sqlite3.ProgrammingError, cursor.fetchone)

    def test_close_in_adapter(self):
        con = sqlite3.connect(":memory:")

        class Closer:
            def __conform__(self, protocol):
                con.close()
                return 1

        con.execute("select ?", (Closer(),))
        self.assertRaises(sqlite3.ProgrammingError, con.cursor)

    def test_replaced_by_itself(self):
        con = sqlite3.connect(":memory:")
        seen = []

        def trace(sql):
            con.set_trace_callback(None)
            seen.append(sql)

        con.set_trace_callback(trace)
        con.execute("select 1")
        con.execute("select 2")
        self.assertEqual(seen, ["select 1"])

    def test_nested_statements(self):
        con = sqlite3.connect(":memory:")
        con.create_function("f", 1, lambda n: n and con.execute("select f(?)", (n - 1,)).fetchone()[0] + 1)
        self.assertEqual(con.execute("select f(10)").fetchone(), (10,))

    def test_cycle_through_function(self):
        class Connection(sqlite3.Connection):
            pass

        con = Connection(":memory:")
        con.create_function("f", 0, lambda: con)
        con.create_aggregate("g", 0, lambda: con)
        con.create_collation("h", lambda a, b: con)
        con.set_progress_handler(lambda: con, 100)
        ref = weakref.ref(con)
        del con
        gc.collect()
        self.assertIsNone(ref())


@unittest.skipIf(sqlite3 is None, "no sqlite3")
class Statements(unittest.TestCase):
    def test_cache(self):
        con = sqlite3.connect(":memory:", cached_statements=2)
        for i in list(range(5)) + [4, 3, 4, 2]:
            self.assertEqual(con.execute(f"select {i}").fetchone(), (i,))
        first, second = con.execute("select 1 union select 2"), con.execute("select 1 union select 2")
        self.assertEqual(first.fetchall(), second.fetchall())

    def test_blob_slices_backwards(self):
        con = sqlite3.connect(":memory:")
        con.execute("create table t(b)")
        con.execute("insert into t values (?)", (b"0123456789",))
        with con.blobopen("t", "b", 1) as blob:
            self.assertEqual(blob[::-3], b"9630")
            blob[::-3] = b"abcd"
            self.assertEqual(blob[:], b"d12c45b78a")


if __name__ == "__main__":
    unittest.main()
