"""The switch for the global lock: PYTHONGIL, -X gil, sys._is_gil_enabled. Braid's own; skipped elsewhere."""
import os
import subprocess
import sys
import unittest

ASK = "import sys; print(sys._is_gil_enabled())"


def run(*options, gil=None):
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONGIL"}
    if gil is not None:
        environment["PYTHONGIL"] = gil
    return subprocess.run([sys.executable, *options, "-c", ASK], env=environment, capture_output=True, text=True)


free_threaded = hasattr(sys, "_is_gil_enabled") and run("-X", "gil=0").returncode == 0


@unittest.skipUnless(hasattr(sys, "_is_gil_enabled"), "no switch in this interpreter")
class GilSwitch(unittest.TestCase):
    def test_answers_a_bool(self):
        self.assertIs(type(sys._is_gil_enabled()), bool)

    def test_environment_on(self):
        self.assertEqual(run(gil="1").stdout, "True\n")

    def test_option_on(self):
        self.assertEqual(run("-X", "gil=1").stdout, "True\n")

    @unittest.skipUnless(free_threaded, "this build always has the lock")
    def test_off_by_default(self):
        self.assertEqual(run().stdout, "False\n")
        self.assertEqual(run(gil="").stdout, "False\n")

    @unittest.skipUnless(free_threaded, "this build always has the lock")
    def test_option_goes_before_environment(self):
        self.assertEqual(run("-X", "gil=0", gil="1").stdout, "False\n")
        self.assertEqual(run("-X", "gil=1", gil="0").stdout, "True\n")

    @unittest.skipIf(free_threaded, "about the build with the lock")
    def test_cannot_be_switched_off(self):
        for result in (run(gil="0"), run("-X", "gil=0")):
            self.assertNotEqual(result.returncode, 0)
            self.assertIn("Disabling the GIL is not supported by this build", result.stderr)

    def test_bad_values(self):
        for result in (run(gil="2"), run("-X", "gil=x"), run("-X", "gil")):
            self.assertNotEqual(result.returncode, 0)
            self.assertIn('-X gil must be "0" or "1"', result.stderr)

    def test_ignored_environment(self):
        if free_threaded:
            self.assertEqual(run("-E", gil="1").stdout, "False\n")


if __name__ == "__main__":
    unittest.main()
