"""Keys that are typed at a terminal, while other threads paint."""
import os
import pty
import select
import signal
import subprocess
import sys
import textwrap
import time
import unittest

try:
    import curses
except ImportError:
    curses = None

# SIGINT may be ignored where the tests run in the background.
PRELUDE = """
import curses, signal, sys, threading, time
signal.signal(signal.SIGINT, signal.default_int_handler)
def report(*things):
    print(*things, file=sys.stderr, flush=True)
"""


@unittest.skipIf(curses is None, "built without ncurses")
class CursesInputTest(unittest.TestCase):
    def run_program(self, program, keys, term="xterm"):
        """What a program writes to stderr, when each of the keys is typed (or signals sent) after it has
        reported once more."""
        main, terminal = pty.openpty()
        process = subprocess.Popen([sys.executable, "-c", PRELUDE + textwrap.dedent(program)], stdin=terminal, stdout=terminal,
                                   stderr=subprocess.PIPE, env={**os.environ, "TERM": term})
        os.close(terminal)
        reported, screen, deadline = b"", b"", time.monotonic() + 60
        err = process.stderr.fileno()
        typed = 0
        sources = [main, err]
        while err in sources and time.monotonic() < deadline:
            for source in select.select(sources, [], [], 1)[0]:
                try:
                    data = os.read(source, 4096)
                except OSError:         # the other end of the terminal is closed
                    data = b""
                if not data:
                    sources.remove(source)
                elif source == err:
                    reported += data
                else:
                    screen += data
            while typed < len(keys) and reported.count(b"\n") > typed:
                time.sleep(0.05)
                if isinstance(keys[typed], bytes):
                    os.write(main, keys[typed])
                else:
                    process.send_signal(keys[typed])
                typed += 1
        process.kill()
        process.wait()
        process.stderr.close()
        os.close(main)
        return reported.decode().splitlines(), screen

    def test_keys(self):
        lines, _ = self.run_program("""
            def main(screen):
                report("ready")
                report(screen.getch())
                report(screen.getkey())
                report(screen.get_wch())
                report(screen.getkey())
            curses.wrapper(main)
            """, [b"a", b"b", "\u20ac".encode(), b"\x1bOA"])
        if len(lines) > 3 and lines[3] != "\u20ac":     # a locale of single bytes
            lines = lines[:3]
        self.assertEqual(lines, ["ready", "97", "b", "\u20ac", "KEY_UP"][:len(lines)])

    def test_no_key(self):
        lines, _ = self.run_program("""
            def main(screen):
                for set_up in (lambda: screen.timeout(50), lambda: screen.nodelay(True),
                               lambda: (screen.nodelay(False), curses.halfdelay(1))):
                    set_up()
                    start = time.monotonic()
                    report(screen.getch(), time.monotonic() - start < 10)
                    try:
                        screen.getkey()
                    except curses.error as error:
                        report(error)
            curses.wrapper(main)
            """, [])
        self.assertEqual(lines, ["-1 True", "no input"] * 3)

    def test_paint_while_a_key_is_awaited(self):
        lines, screen = self.run_program("""
            def main(screen):
                painted = threading.Event()
                def paint():
                    window = curses.newwin(1, 20, 5, 5)
                    for n in range(50):
                        window.addstr(0, 0, f"painted-{n:02}")
                        window.refresh()
                    report("painted")
                painter = threading.Thread(target=paint)
                threading.Timer(0.2, painter.start).start()
                report(screen.getch())
                painter.join()
            curses.wrapper(main)
            """, [b"x"])
        self.assertEqual(lines, ["painted", "120"])
        self.assertIn(b"painted", screen)

    def test_interrupt(self):
        lines, _ = self.run_program("""
            def main(screen):
                report("ready")
                screen.getch()
            try:
                curses.wrapper(main)
            except KeyboardInterrupt:
                report("interrupted")
            """, [signal.SIGINT])
        self.assertEqual(lines, ["ready", "interrupted"])

    def test_line(self):
        lines, _ = self.run_program("""
            def main(screen):
                curses.echo()
                report("ready")
                report(screen.getstr(0, 0, 10))
            curses.wrapper(main)
            """, [b"hello\n"])
        self.assertEqual(lines, ["ready", "b'hello'"])


if __name__ == "__main__":
    unittest.main()
