"""Which files are taken for extension modules."""
import importlib.machinery
import os
import subprocess
import sys
import tempfile
import unittest


class ExtensionSuffixesTest(unittest.TestCase):
    def test_no_stable_abi_of_another_interpreter(self):
        self.assertNotIn(".abi3.so", importlib.machinery.EXTENSION_SUFFIXES)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "stable.abi3.so"), "wb") as file:
                file.write(b"not to be loaded")
            result = subprocess.run([sys.executable, "-c", "import stable"], cwd=folder, capture_output=True, text=True)
        self.assertIn("ModuleNotFoundError: No module named 'stable'", result.stderr)


if __name__ == "__main__":
    unittest.main()
