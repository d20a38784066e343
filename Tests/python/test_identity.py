"""How the interpreter introduces itself: what the library reads out of sys.version, and what tells the build."""
import os
import platform
import subprocess
import sys
import sysconfig
import unittest

BRAID = os.environ.get("BRAID", sys.executable)


class Identity(unittest.TestCase):
    def test_platform_understands_the_version(self):
        what, when = platform.python_build()
        self.assertTrue(what.startswith("braid "), what)
        self.assertRegex(when, r"^\w{3} [\d ]\d \d{4} \d\d:\d\d:\d\d$")
        self.assertRegex(platform.python_compiler(), r"^(GCC|Clang) \d")
        self.assertEqual(platform.python_version(), "%d.%d.%d" % sys.version_info[:3])

    def test_the_build_is_told_everywhere_alike(self):
        shown = subprocess.run([BRAID, "-VV"], capture_output=True, text=True, check=True).stdout
        free = bool(sysconfig.get_config_var("Py_GIL_DISABLED"))
        self.assertEqual("free-threading build" in shown, free)
        self.assertEqual("free-threading build" in sys.version, free)
        self.assertEqual(sys.implementation.name, "braid")


if __name__ == "__main__":
    unittest.main()
