"""Larger programs of well-known kinds, written for this benchmark: a mix of operations as real programs have it."""
import collections
import heapq
import re


# ---- A scheduler of tasks that pass packets, in the manner of Richards ----

class Packet:
    def __init__(self, link, ident, kind):
        self.link, self.ident, self.kind = link, ident, kind
        self.datum = 0
        self.data = [0] * 4

    def append_to(self, queue):
        self.link = None
        if queue is None:
            return self
        p = queue
        while p.link is not None:
            p = p.link
        p.link = self
        return queue


class Task:
    def __init__(self, scheduler, ident, priority, queue):
        self.scheduler, self.ident, self.priority, self.queue = scheduler, ident, priority, queue
        self.waiting = queue is None
        self.held = False
        scheduler.add(self)

    def runnable(self):
        return not self.held and (not self.waiting or self.queue is not None)

    def receive(self, packet):
        self.queue = packet.append_to(self.queue)

    def step(self):
        packet = None
        if self.queue is not None:
            packet, self.queue = self.queue, self.queue.link
        self.waiting = False
        self.run(packet)


class IdleTask(Task):
    count = 2000

    def runnable(self):
        return not self.held

    def run(self, packet):
        self.count -= 1
        if self.count == 0:
            self.held = True
        elif self.count & 1:
            self.scheduler.release(2)
        else:
            self.scheduler.release(3)


class WorkTask(Task):
    turn = 0

    def run(self, packet):
        if packet is None:
            self.waiting = True
            return
        self.turn = 1 - self.turn
        packet.ident = 2 + self.turn
        for i in range(4):
            packet.data[i] = (packet.data[i] + i) % 26
        self.scheduler.send(packet)


class DeviceTask(Task):
    def run(self, packet):
        if packet is None:
            self.held = True
        else:
            packet.datum += 1
            packet.ident = 1
            self.scheduler.send(packet)


class Scheduler:
    def __init__(self):
        self.tasks = {}
        self.order = []
        self.sent = 0

    def add(self, task):
        self.tasks[task.ident] = task
        self.order.append(task)
        self.order.sort(key=lambda t: t.priority)

    def release(self, ident):
        self.tasks[ident].held = False

    def send(self, packet):
        self.sent += 1
        self.tasks[packet.ident].receive(packet)

    def run(self):
        idle = self.tasks[0]
        while not idle.held:
            for task in self.order:
                if task.runnable():
                    task.step()


def scheduler():
    s = Scheduler()
    packets = None
    for i in range(3):
        packets = Packet(packets, 1, i)
    WorkTask(s, 1, 1, packets)
    DeviceTask(s, 2, 2, None)
    DeviceTask(s, 3, 3, None)
    IdleTask(s, 0, 9, None)
    s.run()


# ---- A one-way constraint network, in the manner of DeltaBlue ----

class Variable:
    def __init__(self, name, value):
        self.name, self.value, self.constraints, self.mark = name, value, [], 0


class Constraint:
    def __init__(self, *variables):
        self.variables = variables
        for v in variables:
            v.constraints.append(self)

    def output(self):
        return self.variables[-1]


class Equal(Constraint):
    def execute(self):
        self.output().value = self.variables[0].value


class Scale(Constraint):
    def __init__(self, source, factor, offset, target):
        super().__init__(source, target)
        self.factor, self.offset = factor, offset

    def execute(self):
        self.output().value = self.variables[0].value * self.factor + self.offset


class Planner:
    def __init__(self):
        self.current_mark = 0

    def plan(self, source):
        self.current_mark += 1
        todo, plan = [source], []
        while todo:
            v = todo.pop()
            if v.mark == self.current_mark:
                continue
            v.mark = self.current_mark
            for c in v.constraints:
                if c.output() is not v:
                    plan.append(c)
                    todo.append(c.output())
        return plan


def constraints():
    planner = Planner()
    first = v = Variable("v0", 0)
    for i in range(100):
        after = Variable(f"v{i + 1}", 0)
        if i % 2:
            Equal(v, after)
        else:
            Scale(v, 2, 1, after)
        v = after
    for n in range(40):
        first.value = n
        for c in planner.plan(first):
            c.execute()
            assert isinstance(c, Constraint)


# ---- Numbers ----

def nbody():
    bodies = [([0.0, 0.0, 0.0], [0.0, 0.0, 0.0], 39.5),
              ([4.84, -1.16, -0.10], [0.606, 2.81, -0.02], 0.037),
              ([8.34, 4.12, -0.4], [-1.01, 1.81, 0.008], 0.011),
              ([12.89, -15.11, -0.22], [1.08, 0.868, -0.01], 0.0017),
              ([15.37, -25.9, 0.179], [0.979, 0.594, -0.034], 0.002)]
    pairs = [(bodies[i], bodies[j]) for i in range(5) for j in range(i + 1, 5)]
    dt = 0.01
    for _ in range(1500):
        for (([x1, y1, z1], v1, m1), ([x2, y2, z2], v2, m2)) in pairs:
            dx, dy, dz = x1 - x2, y1 - y2, z1 - z2
            mag = dt * ((dx * dx + dy * dy + dz * dz) ** -1.5)
            b1, b2 = m1 * mag, m2 * mag
            v1[0] -= dx * b2
            v1[1] -= dy * b2
            v1[2] -= dz * b2
            v2[0] += dx * b1
            v2[1] += dy * b1
            v2[2] += dz * b1
        for (r, [vx, vy, vz], m) in bodies:
            r[0] += dt * vx
            r[1] += dt * vy
            r[2] += dt * vz


def fannkuch():
    n = 8
    perm1 = list(range(n))
    count = list(range(1, n + 1))
    best, r = 0, n
    while True:
        while r != 1:
            count[r - 1] = r
            r -= 1
        if perm1[0] != 0:
            perm = perm1[:]
            flips = 0
            while (k := perm[0]) != 0:
                perm[:k + 1] = reversed(perm[:k + 1])
                flips += 1
            best = max(best, flips)
        while True:
            if r == n:
                return best
            perm1.insert(r, perm1.pop(0))
            count[r] -= 1
            if count[r] > 0:
                break
            r += 1


def spectral_norm():
    def a(i, j):
        return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)

    def times(u):
        return [sum(a(i, j) * x for j, x in enumerate(u)) for i in range(len(u))]

    def transposed_times(u):
        return [sum(a(j, i) * x for j, x in enumerate(u)) for i in range(len(u))]
    u = [1.0] * 50
    for _ in range(5):
        v = transposed_times(times(u))
        u = transposed_times(times(v))
    return (sum(x * y for x, y in zip(u, v)) / sum(x * x for x in v)) ** 0.5


def mandelbrot():
    total = 0
    for y in range(60):
        ci = 2.0 * y / 60 - 1.0
        for x in range(60):
            cr = 2.0 * x / 60 - 1.5
            zr = zi = 0.0
            for n in range(50):
                if zr * zr + zi * zi > 4.0:
                    break
                zr, zi = zr * zr - zi * zi + cr, 2.0 * zr * zi + ci
            total += n
    return total


def pidigits():
    i = k = ns = 0
    k1 = 1
    n, a, d, t, u = 1, 0, 1, 0, 0
    digits = []
    while len(digits) < 400:
        k += 1
        t = n << 1
        n *= k
        k1 += 2
        a = (a + t) * k1
        d *= k1
        if a >= n:
            t, u = divmod(n * 3 + a, d)
            u += n
            if d > u:
                digits.append(t)
                a = (a - d * t) * 10
                n *= 10
    return digits


def matrix_multiply():
    n = 45
    a = [[float(i * j % 7) for j in range(n)] for i in range(n)]
    b = [list(column) for column in zip(*a)]
    return [[sum(x * y for x, y in zip(row, column)) for column in b] for row in a]


def sieve():
    n = 100_000
    flags = bytearray([1]) * (n + 1)
    for i in range(2, int(n ** 0.5) + 1):
        if flags[i]:
            for j in range(i * i, n + 1, i):
                flags[j] = 0
    return sum(flags)


# ---- Trees, search ----

def binary_trees():
    def make(depth):
        return (None, None) if depth == 0 else (make(depth - 1), make(depth - 1))

    def check(tree):
        left, right = tree
        return 1 if left is None else 1 + check(left) + check(right)
    for depth in (4, 8, 12):
        check(make(depth))


class Node:
    __slots__ = ("key", "left", "right")

    def __init__(self, key):
        self.key = key
        self.left = self.right = None


def search_tree():
    root = Node(0)
    x = 12345
    for _ in range(4000):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        node = root
        while True:
            if x < node.key:
                if node.left is None:
                    node.left = Node(x)
                    break
                node = node.left
            else:
                if node.right is None:
                    node.right = Node(x)
                    break
                node = node.right


def nqueens():
    def solve(n, row, columns, left, right):
        if row == n:
            return 1
        return sum(solve(n, row + 1, columns | {c}, left | {row + c}, right | {row - c})
                   for c in range(n) if c not in columns and row + c not in left and row - c not in right)
    return solve(7, 0, frozenset(), frozenset(), frozenset())


def shortest_paths():
    size = 40
    cost = [[(x * 7 + y * 13) % 9 + 1 for x in range(size)] for y in range(size)]
    best = {(0, 0): 0}
    heap = [(0, (0, 0))]
    while heap:
        d, (x, y) = heapq.heappop(heap)
        if d > best[x, y]:
            continue
        for dx, dy in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            p = nx, ny = x + dx, y + dy
            if 0 <= nx < size and 0 <= ny < size:
                nd = d + cost[ny][nx]
                if nd < best.get(p, 1 << 30):
                    best[p] = nd
                    heapq.heappush(heap, (nd, p))


class Puzzle:
    """Exact filling of rows, columns and boxes of a 4 x 4 grid of digits, with sets of candidates."""
    def __init__(self):
        self.cells = {(r, c): set(range(1, 5)) for r in range(4) for c in range(4)}
        self.peers = {p: [q for q in self.cells if q != p and (q[0] == p[0] or q[1] == p[1] or
                                                               (q[0] // 2, q[1] // 2) == (p[0] // 2, p[1] // 2))]
                      for p in self.cells}

    def solve(self, cells):
        open_cells = [(len(v), p) for p, v in cells.items() if len(v) > 1]
        if not open_cells:
            return 1
        _, p = min(open_cells)
        found = 0
        for n in cells[p]:
            copy = {q: set(v) for q, v in cells.items()}
            if self.assign(copy, p, n):
                found += self.solve(copy)
        return found

    def assign(self, cells, p, n):
        cells[p] = {n}
        for q in self.peers[p]:
            if n in cells[q]:
                cells[q].discard(n)
                if not cells[q]:
                    return False
                if len(cells[q]) == 1 and not self.assign(cells, q, next(iter(cells[q]))):
                    return False
        return True


def puzzle():
    p = Puzzle()
    return p.solve(p.cells)


class Board:
    """Groups and liberties of a board of Go, stones put at random."""
    size = 9

    def __init__(self):
        self.stones = [0] * (self.size * self.size)
        self.neighbours = []
        for i in range(self.size * self.size):
            x, y = i % self.size, i // self.size
            self.neighbours.append([ny * self.size + nx for nx, ny in ((x - 1, y), (x + 1, y), (x, y - 1), (x, y + 1))
                                    if 0 <= nx < self.size and 0 <= ny < self.size])

    def group(self, start):
        colour = self.stones[start]
        seen, liberties, todo = {start}, set(), [start]
        while todo:
            for n in self.neighbours[todo.pop()]:
                if self.stones[n] == 0:
                    liberties.add(n)
                elif self.stones[n] == colour and n not in seen:
                    seen.add(n)
                    todo.append(n)
        return seen, liberties

    def play(self, place, colour):
        self.stones[place] = colour
        for n in self.neighbours[place]:
            if self.stones[n] == 3 - colour:
                seen, liberties = self.group(n)
                if not liberties:
                    for s in seen:
                        self.stones[s] = 0
        if not self.group(place)[1]:
            self.stones[place] = 0


def board_game():
    board = Board()
    x = 1
    for move in range(2500):
        x = (x * 1103515245 + 12345) & 0x7fffffff
        place = (x >> 8) % 81
        if board.stones[place] == 0:
            board.play(place, 1 + move % 2)


# ---- Text and data ----

def encode(value):
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{encode(k)}: {encode(v)}" for k, v in value.items()) + "}"
    return "[" + ", ".join(map(encode, value)) + "]"


def json_encode():
    data = {"name": "some \"text\"", "list": list(range(20)), "deep": {"a": [1.5, None, True, {"x": "y"}]}}
    for _ in range(500):
        encode(data)


TEXT = ("It was the best of times, it was the worst of times, it was the age of wisdom; call 555-1234 or "
        "write to someone@example.com, or else to nobody@nowhere.org (before 2024-01-31). ") * 20


def regular_expressions():
    for _ in range(5):
        re.findall(r"\w+@\w+\.\w+", TEXT)
        re.sub(r"(\d+)-(\d+)", r"\2-\1", TEXT)
        [m.group(1) for m in re.finditer(r"(t\w*s)\b", TEXT)]
        re.split(r"[,;.]\s*", TEXT)


def word_count():
    for _ in range(15):
        counts = collections.Counter()
        for word in TEXT.lower().split():
            word = word.strip(",.;()")
            if word:
                counts[word] += 1
        index = collections.defaultdict(list)
        for i, word in enumerate(TEXT.split()):
            index[word].append(i)
        sorted(counts.items(), key=lambda item: (-item[1], item[0]))


TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|(.))")


def evaluate(text):
    tokens = [(number, sign) for number, sign in TOKEN.findall(text)] + [("", "")]
    position = 0

    def factor():
        nonlocal position
        number, sign = tokens[position]
        position += 1
        if number:
            return float(number)
        value = total()
        position += 1
        return value

    def product():
        nonlocal position
        value = factor()
        while tokens[position][1] in ("*", "/"):
            sign = tokens[position][1]
            position += 1
            value = value * factor() if sign == "*" else value / factor()
        return value

    def total():
        nonlocal position
        value = product()
        while tokens[position][1] in ("+", "-"):
            sign = tokens[position][1]
            position += 1
            value = value + product() if sign == "+" else value - product()
        return value
    return total()


def calculator():
    for i in range(200):
        evaluate(f"(1 + {i}) * 3 - 4 / (2.5 + {i}) * (7 - 2)")


class Vector:
    def __init__(self, x, y, z):
        self.x, self.y, self.z = x, y, z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k, self.z * k)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z


def ray_tracer():
    centre, hits = Vector(0.0, 0.0, 5.0), 0
    for py in range(60):
        for px in range(60):
            direction = Vector(px / 30 - 1.0, py / 30 - 1.0, 2.0)
            direction = direction * (1.0 / direction.dot(direction) ** 0.5)
            b = direction.dot(centre)
            if b * b - centre.dot(centre) + 1.5 > 0:
                point = direction * b + centre * -1.0
                hits += point.dot(point) < 3.0
    return hits


Row = collections.namedtuple("Row", "name group amount")


def records():
    rows = [Row(f"n{i}", i % 7, i * 3 % 11) for i in range(3000)]
    totals = {}
    for row in rows:
        totals.setdefault(row.group, []).append(row.amount)
    {g: sum(a) / len(a) for g, a in totals.items()}
    sorted(rows, key=lambda r: (r.group, -r.amount))[:10]
    [r._replace(amount=0) for r in rows[:500]]


def pipeline():
    def read(n):
        for i in range(n):
            yield {"id": i, "value": i * 2, "tags": ["a", "b"]}

    def keep(rows):
        for row in rows:
            if row["value"] % 3 == 0:
                yield row

    def extend(rows):
        for row in rows:
            yield {**row, "sum": row["id"] + row["value"]}
    return sum(row["sum"] for row in extend(keep(read(12000))))


ALL = {f.__name__: f for f in (scheduler, constraints, nbody, fannkuch, spectral_norm, mandelbrot, pidigits, matrix_multiply,
                               sieve, binary_trees, search_tree, nqueens, shortest_paths, puzzle, board_game, json_encode,
                               regular_expressions, word_count, calculator, ray_tracer, records, pipeline)}
