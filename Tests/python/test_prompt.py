"""The interactive prompt, on a terminal of our own."""
import os
import pty
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest

try:
    import readline
except ImportError:
    readline = None


class Terminal:
    """An interpreter on a pseudo-terminal."""

    def __init__(self, *args, **environment):
        self.master, slave = pty.openpty()
        environment = {**os.environ, "TERM": "xterm", "PYTHONSTARTUP": "", **environment}
        self.process = subprocess.Popen([sys.executable, "-q", *args], stdin=slave, stdout=slave, stderr=slave, env=environment,
                                        start_new_session=True, preexec_fn=self.take_terminal)
        os.close(slave)
        self.text = ""

    @staticmethod
    def take_terminal():
        import fcntl
        import signal
        import termios
        signal.signal(signal.SIGINT, signal.SIG_DFL)    # a shell lets what it starts in the background ignore it
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    def send(self, text):
        os.write(self.master, text.encode())

    def wait_for(self, pattern, timeout=30):
        """What came before and with the pattern; it is taken out."""
        end = time.monotonic() + timeout
        while not (found := re.search(pattern, self.text)):
            if time.monotonic() > end or not self.read():
                raise AssertionError(f"{pattern!r} not in {self.text!r}")
        seen, self.text = self.text[:found.end()], self.text[found.end():]
        return seen

    def read(self):
        if select.select([self.master], [], [], 1)[0]:
            try:
                self.text += os.read(self.master, 4096).decode(errors="replace")
            except OSError:
                return False
        return True

    def close(self):
        self.process.kill()
        self.process.wait()
        os.close(self.master)


class Prompt(unittest.TestCase):
    def start(self, *args, **environment):
        terminal = Terminal(*args, **environment)
        self.addCleanup(terminal.close)
        return terminal

    def test_statements(self):
        t = self.start()
        t.wait_for(">>> ")
        t.send("1 + 1\r")
        t.wait_for(r"\b2\r\n>>> ")
        t.send("for i in 5, 6:\r")
        t.wait_for(r"\.\.\. ")
        t.send(" print(i * 11)\r")
        t.wait_for(r"\.\.\. ")
        t.send("\r")
        t.wait_for(r"55\r\n66\r\n>>> ")
        t.send("1/0\r")
        t.wait_for(r"ZeroDivisionError: division by zero\r\n>>> ")
        t.send("\x04")
        self.assertEqual(t.process.wait(30), 0)

    def test_interrupt(self):
        t = self.start()
        t.wait_for(">>> ")
        t.send("abc")
        t.wait_for("abc")
        t.send("\x03")
        t.wait_for(r"KeyboardInterrupt\r\n>>> ")
        t.send("while True: pass\r\r")
        time.sleep(0.5)
        t.send("\x03")
        t.wait_for(r"KeyboardInterrupt\r\n>>> ")
        t.send("exit(7)\r")
        self.assertEqual(t.process.wait(30), 7)

    def test_prompts_and_startup(self):
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write("import sys; sys.ps1 = 'ready '; answer = 42\n")
            file.flush()
            t = self.start(PYTHONSTARTUP=file.name)
            t.wait_for("ready ")
            t.send("answer\r")
            t.wait_for(r"42\r\nready ")

    def test_after_a_program(self):
        t = self.start("-i", "-c", "value = 'kept'; 1/0")
        t.wait_for(r"ZeroDivisionError[^>]*>>> ")
        t.send("value\r")
        t.wait_for(r"'kept'\r\n>>> ")

    @unittest.skipIf(readline is None, "needs line editing")
    def test_editing(self):
        t = self.start()
        t.wait_for(">>> ")
        t.send("len.__na\t\r")
        t.wait_for(r"'len'\r\n>>> ")
        t.send("\x1b[A\r")                          # up: the line before
        t.wait_for(r"'len'\r\n>>> ")
        t.send("12\x1b[D3\r")                       # left: 132
        t.wait_for(r"\b132\r\n>>> ")
        t.send("input('? ')\r")
        t.wait_for(r"\? ")
        t.send("h\u00e9llo\r")
        t.wait_for("'h\u00e9llo'\r\n>>> ")


if __name__ == "__main__":
    unittest.main()
