"""Runs snippets of Python while the N-th allocation, or all from the N-th on, fail: MemoryError is what may come out.

    fuzz_memory.py [--seed N] [--minutes N] [--only NAME] [--most N]      run all, each in a process of its own
    fuzz_memory.py --child NAME [--first N] [--most N] [--seed N]         one snippet: to reproduce what was reported

Reported are processes that die or hang, other exceptions, and snippets that give another result afterwards: something was
left half done. Needs the module _testcapi."""
import argparse
import gc
import os
import random
import signal
import subprocess
import sys
import time

from fuzz_memory_snippets import SNIPPETS

CHILD_TIMEOUT = 240
UNLIMITED = 0
OTHER_WORDS = ("out of memory", "Error -4")     # how expat and zlib say it


def load(name):
    """The function of a snippet, warmed up, and the text of what it returns."""
    space = {}
    body = SNIPPETS[name].strip("\n").splitlines()
    exec(compile("def snippet():\n" + "\n".join("    " + line for line in body), name, "exec"), space)
    snippet = space["snippet"]
    for _ in range(3):
        expected = repr(snippet())
    return snippet, expected


def note(*words):
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


class Child:
    """One snippet with failures at every place up to where it succeeds."""

    def __init__(self, name, most, seed):
        import _testcapi
        self.fail, self.stop_failing = _testcapi.set_nomemory, _testcapi.remove_mem_hooks
        self.name, self.most, self.random = name, most, random.Random(seed)
        self.snippet, self.expected = load(name)
        self.complaints = set()

    def complain(self, *words):
        text = " ".join(map(str, words))
        if text not in self.complaints:
            self.complaints.add(text)
            note("WRONG", self.name, self.place, text[:300])

    def once(self, first, last):
        """Whether the snippet met a failure."""
        snippet, fail, stop_failing = self.snippet, self.fail, self.stop_failing
        error = None
        try:
            fail(first, last)
            snippet()
        except MemoryError:
            stop_failing()
            return True
        except BaseException as e:
            stop_failing()
            error = e
            if any(word in str(e) for word in OTHER_WORDS):
                return True
        else:
            stop_failing()
            return False
        self.complain(type(error).__name__, str(error))
        return True

    def check(self):
        try:
            result = repr(self.snippet())
        except BaseException as error:
            self.complain("afterwards:", type(error).__name__, error)
            return
        if result != self.expected:
            self.complain(f"afterwards: {result:.100} instead of {self.expected:.100}")

    def run(self, first):
        calm, n = 0, first
        while n < self.most and calm < 12:
            met = False
            for last in (UNLIMITED, n + 1, n + self.random.randrange(2, 20)):
                self.place = f"--first {n} ({'all' if last == UNLIMITED else last - n})"
                note("at", self.place)
                met |= self.once(n, last)
                self.check()
            calm = 0 if met else calm + 1
            n += 1 if n < 300 else self.random.randrange(1, 1 + n // 100)
        gc.collect()
        note("done", self.name, n)


def child(options):
    import resource
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    sys.unraisablehook = lambda args: None
    import warnings
    warnings.simplefilter("ignore")
    Child(options.child, options.most, options.seed).run(options.first)


def run_child(name, options):
    """How many things went wrong."""
    command = [sys.executable, os.path.abspath(__file__), "--child", name, "--most", str(options.most),
               "--seed", str(options.seed)]
    try:
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                              timeout=CHILD_TIMEOUT, env={**os.environ, "PYTHONHASHSEED": "0"})
        status, output, errors = done.returncode, done.stdout, done.stderr
    except subprocess.TimeoutExpired as late:
        status, output, errors = "timeout", late.stdout or b"", late.stderr or b""
    lines = output.decode(errors="replace").splitlines()
    wrong = [line for line in lines if line.startswith("WRONG")]
    for line in wrong:
        print(line, flush=True)
    if status == 0 and any(line.startswith("done") for line in lines):
        return len(wrong)
    places = [line for line in lines if line.startswith("at ")]
    what = signal.Signals(-status).name if isinstance(status, int) and status < 0 else status
    print(f"{what}: --child {name!r} --seed {options.seed} {places[-1][3:] if places else ''}\n"
          f"{errors.decode(errors='replace')[-options.errors:]}", flush=True)
    return len(wrong) + 1


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--most", type=int, default=2000, help="fail this many allocations at most")
    parser.add_argument("--only", help="only snippets with this in their names")
    parser.add_argument("--errors", type=int, default=1500, help="this much of what a dead process wrote")
    parser.add_argument("--child")
    parser.add_argument("--first", type=int, default=1)
    options = parser.parse_args()
    if options.child is not None:
        return child(options)
    end = time.monotonic() + options.minutes * 60
    names = [name for name in SNIPPETS if options.only is None or options.only in name]
    random.Random(options.seed).shuffle(names)
    print(f"seed {options.seed}", flush=True)
    wrong = ran = 0
    for name in names:
        if time.monotonic() > end:
            break
        wrong += run_child(name, options)
        ran += 1
    print(f"{ran} of {len(names)} snippets: {wrong} complaints")
    return wrong != 0


if __name__ == "__main__":
    sys.exit(main())
