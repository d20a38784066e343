"""The work of the demos: plain Python, split in parts that threads take. A workload is a function of (size, threads)
that answers something comparable: the result must not depend on the number of threads."""
import collections
import os
import threading
from concurrent.futures import ThreadPoolExecutor


def in_threads(function, parts):
    """function(part) for each part, each in a thread of its own; the results in order."""
    results = [None] * len(parts)
    errors = []

    def work(index, part):
        try:
            results[index] = function(part)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=work, args=item) for item in enumerate(parts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]
    return results


def split(items, n):
    """items in n runs of about the same length."""
    return [items[len(items) * i // n:len(items) * (i + 1) // n] for i in range(n)]


# ---- Counting ----

def count(n):
    total = 0
    while n > 0:
        total += n & 7
        n -= 1
    return total


def counting(size, threads):
    """`n -= 1` until nothing is left: eight counts shared out"""
    counts = [int(25_000_000 * size)] * 8
    return sum(in_threads(lambda part: sum(map(count, part)), split(counts, threads)))


# ---- Sessions ----

class User:
    def __init__(self, number):
        self.number = number
        self.sessions = [(number * 37 + i * 101, number * 37 + i * 101 + (number * i) % 59) for i in range(20)]


def get_time_spent(users):
    """Seconds by group of users, and the longest session."""
    spent, longest = {}, 0
    for user in users:
        total = 0
        for begin, end in user.sessions:
            length = end - begin
            total += length
            if length > longest:
                longest = length
        group = user.number % 10
        spent[group] = spent.get(group, 0) + total
    return spent, longest


users_made = {}


def sessions(size, threads):
    """statistics over the sessions of many users, a list in chunks"""
    n = int(80_000 * size)
    users = users_made.get(n)
    if users is None:
        users = users_made[n] = [User(i) for i in range(n)]
    total, longest = collections.Counter(), 0
    for spent, longest_of_part in in_threads(lambda part: [get_time_spent(part) for _ in range(20)][-1],
                                             split(users, threads)):
        total.update(spent)
        longest = max(longest, longest_of_part)
    return sorted(total.items()), longest


# ---- Words ----

sources_read = {}


def library_sources(n):
    """The texts of the first n modules of the standard library."""
    if n not in sources_read:
        folder = os.path.dirname(os.__file__)
        texts = []
        for name in sorted(os.listdir(folder)):
            if name.endswith(".py") and len(texts) < n:
                with open(os.path.join(folder, name), encoding="utf-8", errors="replace") as file:
                    texts.append(file.read())
        sources_read[n] = texts
    return sources_read[n]


def count_words(texts):
    """Takes texts from the end of the list, as long as there are any, and counts their words."""
    words = {}
    while True:
        try:
            text = texts.pop()
        except IndexError:
            return words
        for line in text.split("\n"):
            for word in line.replace("(", " ").replace(".", " ").replace(",", " ").split():
                if word.isidentifier():
                    words[word] = words.get(word, 0) + 1


def words(size, threads):
    """how often each word occurs in the standard library's sources; texts are taken by whoever is free, long ones first"""
    texts = sorted(library_sources(max(8, int(60 * size))) * 20, key=len)
    total = {}
    for part in in_threads(count_words, [texts] * threads):
        for word, n in part.items():
            total[word] = total.get(word, 0) + n
    return sorted(total.items(), key=lambda item: (-item[1], item[0]))[:20]


# ---- Mandelbrot ----

def mandelbrot_row(y, width, height, limit):
    row = bytearray()
    ci = 2.4 * y / height - 1.2
    for x in range(width):
        cr = 3.2 * x / width - 2.2
        zr = zi = 0.0
        n = 0
        while n < limit and zr * zr + zi * zi < 4.0:
            zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
            n += 1
        shade = 0 if n == limit else 255 - n * 255 // limit
        row.append(shade)
        row.append(shade * shade // 255)
        row.append(min(255, n * 12) if n < limit else 0)
    return bytes(row)


picture_path = None        # where the picture goes, if anywhere


def mandelbrot(size, threads):
    """the Mandelbrot set; rows are taken by whoever is free"""
    width = max(32, int(1000 * size ** 0.5))
    height = width * 3 // 4
    rows, checks, lock, following = [None] * height, [0] * height, threading.Lock(), iter(range(height))

    def work(_):
        while True:
            with lock:
                y = next(following, None)
            if y is None:
                return
            rows[y] = mandelbrot_row(y, width, height, 60)
            for byte in rows[y]:
                checks[y] = (checks[y] * 31 + byte) % 1_000_000_007

    in_threads(work, list(range(threads)))
    if picture_path:
        with open(picture_path, "wb") as file:
            file.write(b"P6\n%d %d\n255\n" % (width, height) + b"".join(rows))
    return width, height, sum(checks)


# ---- A pool: primes ----

def count_primes(bounds):
    low, high = bounds
    found = 0
    for n in range(low, high):
        if n < 2:
            continue
        divisor = 2
        while divisor * divisor <= n:
            if n % divisor == 0:
                break
            divisor += 1
        else:
            found += 1
    return found


def primes(size, threads):
    """prime numbers counted by a ThreadPoolExecutor in 40 pieces"""
    n = int(800_000 * size)
    pieces = [(n * i // 40, n * (i + 1) // 40) for i in range(40)]
    with ThreadPoolExecutor(threads) as pool:
        return sum(pool.map(count_primes, pieces))


# ---- A pool: n-body ----

def orbit(arguments):
    """Three bodies, so many steps; the energy at the end."""
    seed, steps = arguments
    bodies = [[0.0, 0.0, 0.0, 0.0, 40.0], [1.0 + seed * 0.01, 0.0, 0.0, 6.0, 0.04], [0.0, 5.0, 2.8, 0.0, 0.01]]
    dt = 0.001
    for _ in range(steps):
        for i, a in enumerate(bodies):
            for b in bodies[i + 1:]:
                dx, dy = a[0] - b[0], a[1] - b[1]
                pull = dt / (dx * dx + dy * dy) ** 1.5
                a[2] -= dx * b[4] * pull
                a[3] -= dy * b[4] * pull
                b[2] += dx * a[4] * pull
                b[3] += dy * a[4] * pull
        for body in bodies:
            body[0] += dt * body[2]
            body[1] += dt * body[3]
    return sum(0.5 * b[4] * (b[2] * b[2] + b[3] * b[3]) for b in bodies)


def nbody(size, threads):
    """orbits of three bodies from 16 starts, in a ThreadPoolExecutor"""
    steps = int(40_000 * size)
    with ThreadPoolExecutor(threads) as pool:
        return [repr(energy) for energy in pool.map(orbit, [(seed, steps) for seed in range(16)])]


ALL = {"count": counting, "sessions": sessions, "words": words, "mandelbrot": mandelbrot, "primes": primes, "nbody": nbody}
