"""Tools/demo: every workload answers the same whatever the number of threads, and the program says what it was asked for."""
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import unittest

DEMO = os.path.join(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))), "Tools", "demo")
sys.path.insert(0, DEMO)
import workloads  # noqa: E402
sys.path.remove(DEMO)

SMALL = 0.002


def demo(*arguments):
    return subprocess.run([sys.executable, DEMO, *arguments], capture_output=True, text=True, timeout=120)


class Workloads(unittest.TestCase):
    def test_results_do_not_depend_on_the_number_of_threads(self):
        for name, workload in workloads.ALL.items():
            with self.subTest(workload=name):
                expected = workload(SMALL, 1)
                for threads in (2, 3, 5):
                    self.assertEqual(workload(SMALL, threads), expected)

    def test_an_error_in_a_part_arrives(self):
        with self.assertRaises(ZeroDivisionError):
            workloads.in_threads(lambda part: 1 // part, [1, 0, 2])

    def test_split_leaves_nothing_out(self):
        for n in range(1, 9):
            parts = workloads.split(list(range(20)), n)
            self.assertEqual(len(parts), n)
            self.assertEqual(sum(parts, []), list(range(20)))

    def test_primes(self):
        self.assertEqual(workloads.count_primes((0, 100)), 25)

    def test_picture(self):
        with tempfile.TemporaryDirectory() as folder:
            workloads.picture_path = os.path.join(folder, "set.ppm")
            try:
                width, height, _ = workloads.mandelbrot(SMALL, 2)
            finally:
                path, workloads.picture_path = workloads.picture_path, None
            with open(path, "rb") as file:
                self.assertEqual(file.readline(), b"P6\n")
                self.assertEqual(file.readline(), b"%d %d\n" % (width, height))
                self.assertEqual(file.readline(), b"255\n")
                self.assertEqual(len(file.read()), 3 * width * height)


class Program(unittest.TestCase):
    def test_table(self):
        run = demo("--size", str(SMALL), "--threads", "1,2", "--workload", "count")
        self.assertEqual(run.returncode, 0, run.stderr)
        rows = [line.split() for line in run.stdout.splitlines() if line.startswith("count")]
        self.assertEqual([row[1] for row in rows], ["1", "2"])
        self.assertEqual(rows[0][4], "on" if sys._is_gil_enabled() else "off")

    def test_json(self):
        run = demo("--size", str(SMALL), "--threads", "2", "--workload", "primes", "--json")
        row, = json.loads(run.stdout)["rows"]
        self.assertEqual((row["workload"], row["threads"], row["gil"]), ("primes", 2, sys._is_gil_enabled()))

    @unittest.skipUnless(sysconfig.get_config_var("Py_GIL_DISABLED"), "a build that always has the lock")
    def test_gil_both(self):
        run = demo("--size", str(SMALL), "--threads", "1", "--workload", "count", "--gil", "both", "--json")
        answer = json.loads(run.stdout)
        self.assertEqual([answer[key][0]["gil"] for key in ("off", "on")], [False, True])

    def test_bad_arguments(self):
        for arguments in (["--threads", "x"], ["--threads", "0"], ["--size", "0"], ["--workload", "none"]):
            with self.subTest(arguments=arguments):
                run = demo(*arguments)
                self.assertEqual(run.returncode, 2)
                self.assertIn("error:", run.stderr)


if __name__ == "__main__":
    unittest.main()
