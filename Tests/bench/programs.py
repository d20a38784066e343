"""Programs to time: a few basic ones here, one per operation in operations.py, larger ones in classics.py. Prints one line
of JSON: the fewest seconds of processor time by name.   programs.py [repeat] [names or names of groups]"""
import json
import sys
import time

import classics
import operations


def count():
    n = 2_000_000
    while n > 0:
        n -= 1


def nested_loops():
    total = 0
    for i in range(1000):
        for j in range(1000):
            total += i ^ j


def float_loop():
    x = y = z = 0.0
    vx, vy, vz = 0.1, 0.2, 0.3
    for _ in range(300_000):
        d = (x * x + y * y + z * z + 1.0) ** -1.5
        vx, vy, vz = vx - x * d * 0.01, vy - y * d * 0.01, vz - z * d * 0.01
        x, y, z = x + vx * 0.01, y + vy * 0.01, z + vz * 0.01


def fib(n=27):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


class Counter:
    step = 1

    def __init__(self):
        self.n = 0

    def bump(self):
        self.n += self.step


def method_calls():
    c = Counter()
    for _ in range(500_000):
        c.bump()


def attributes():
    c = Counter()
    for i in range(800_000):
        c.n = i
        c.n
        c.step


def instances():
    for _ in range(300_000):
        Counter()


def strings():
    for i in range(60_000):
        s = f"{i}:{i + 1}"
        s.split(":")
        s.replace(":", "-").upper()
        "-".join((s, s))


def lists():
    for _ in range(60):
        items = [i * 2 for i in range(5000)]
        items.sort(key=lambda n: -n)
        items[::2]
        sum(items)
        while items:
            items.pop()


def dicts():
    for _ in range(30):
        d = {}
        for i in range(8000):
            d[i] = i
        for i in range(8000):
            d[i] += 1
        for k, v in d.items():
            pass


def exceptions():
    for i in range(200_000):
        try:
            raise ValueError(i)
        except ValueError:
            pass


def generators():
    def numbers(n):
        for i in range(n):
            yield i
    total = 0
    for i in numbers(800_000):
        total += i


BASIC = {f.__name__: f for f in (count, nested_loops, float_loop, fib, method_calls, attributes, instances, strings, lists,
                                 dicts, exceptions, generators)}
GROUPS = {"basic": BASIC, "operations": operations.ALL, "classics": classics.ALL}
ALL = {name: function for group in GROUPS.values() for name, function in group.items()}


def names_of(words):
    """Names of programs: groups written out, all of them if nothing is named."""
    return [name for word in words or GROUPS for name in GROUPS.get(word, [word])]


def main(repeat, words):
    times = {}
    for name in names_of(words):
        runs = []
        for _ in range(repeat):
            begin = time.process_time()
            ALL[name]()
            runs.append(time.process_time() - begin)
        times[name] = min(runs)
    print(json.dumps(times))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:])
