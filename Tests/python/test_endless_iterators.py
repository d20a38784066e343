"""Loops in C over endless iterators in C: they stop for the collector of another thread, and hear signals."""
import subprocess
import sys
import textwrap
import unittest

LOOPS = {
    "builtins": """
        sum(repeat(1)); max(count()); min(repeat(1)); all(repeat(1)); any(repeat(0)); set(repeat(1)); set().update(repeat(1))
        dict.fromkeys(repeat(1)); 'x' in count(); range(10**15).count('x'); {1}.isdisjoint(repeat(2)); {1}.intersection(repeat(2))
        """,
    "iterators": """
        next(islice(count(), 10**15, None)); next(filter(None, repeat(0))); next(filterfalse(None, repeat(1)))
        next(dropwhile(bool, repeat(1))); next(compress(repeat(1), repeat(0))); next(chain.from_iterable(repeat(())))
        drain(takewhile(bool, repeat(1))); drain(starmap(max, repeat((1, 2)))); drain(map(abs, repeat(1))); drain(zip(repeat(1)))
        drain(cycle([1])); drain(groupby(count())); drain(accumulate(repeat(0))); drain(pairwise(repeat(1))); drain(enumerate(repeat(1)))
        """,
    "modules": """
        drain(count()); reduce(max, repeat(1)); operator.countOf(repeat(1), 2); operator.indexOf(repeat(1), 2); Counter(repeat(1))
        math.fsum(repeat(0.0)); math.prod(repeat(1))
        """,
}

HEAD = """
import gc, math, operator, os, signal, sys, threading
from collections import Counter, deque
from functools import reduce
from itertools import *
def drain(iterator):
    deque(iterator, maxlen=0)
"""

COLLECT = """
running = []
def run(loop):
    running.append(loop)
    exec(loop)
loops = [loop.strip() for line in LOOPS.splitlines() for loop in line.split(";") if loop.strip()]
for loop in loops:
    threading.Thread(target=run, args=(loop,), daemon=True).start()
while len(running) < len(loops):
    pass
for _ in range(3):
    gc.collect()
os.write(1, b"collected\\n")
os._exit(0)
"""

INTERRUPT = """
class Interrupted(Exception): pass
def interrupt(number, frame):
    raise Interrupted
signal.signal(signal.SIGALRM, interrupt)
heard = 0
for loop in ["sum(repeat(1))", "drain(count())", "set(repeat(1))", "[].extend(filter(None, repeat(0)))", "'x' in range(10**15)"]:
    signal.setitimer(signal.ITIMER_REAL, 0.02)
    try:
        exec(loop)
    except Interrupted:
        heard += 1
print(heard)
"""


def run(source):
    return subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, timeout=60)


class EndlessIterators(unittest.TestCase):
    @unittest.skipIf(sys._is_gil_enabled(), "with the global lock a loop in C is one step, for ever if need be")
    def test_collector_is_not_kept_waiting(self):
        for name, loops in LOOPS.items():
            with self.subTest(name):
                done = run(HEAD + f"LOOPS = {textwrap.dedent(loops)!r}" + COLLECT)
                self.assertEqual((done.stdout, done.stderr, done.returncode), ("collected\n", "", 0))

    def test_signals_are_heard(self):
        done = run(HEAD + INTERRUPT)
        self.assertEqual((done.stdout, done.stderr, done.returncode), ("5\n", "", 0))


if __name__ == "__main__":
    unittest.main()
