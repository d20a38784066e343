"""Tests whose programs run in a process of their own, since what they look for is a crash or a hang."""
import subprocess
import sys
import textwrap
import unittest


class ProgramCase(unittest.TestCase):
    HEAD = ""           # stands before each program

    def check(self, program, printed="done"):
        """The program ends well, prints just that, and nothing on standard error."""
        source = self.HEAD + textwrap.dedent(program)
        done = subprocess.run([sys.executable, "-X", "faulthandler", "-c", source], capture_output=True, text=True, timeout=90)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, printed + "\n", ""))
