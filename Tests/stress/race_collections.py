"""deque, OrderedDict, defaultdict, array, bytearray, memoryview, queues, caches and streams shared by threads."""
import array
import bisect
import collections
import functools
import heapq
import io
import os
import queue
import random
import tempfile
from stress_common import RACES_ON_BYTES, race

STEPS = 500


def deques(rng, n):
    shared, put, got = collections.deque(), [0] * n, [0] * n

    def body(i, own):
        def run():
            for step in range(STEPS):
                what = own.randrange(9)
                if what < 4:
                    (shared.append if what < 2 else shared.appendleft)((i, step))
                    put[i] += 1
                elif what < 6:
                    try:
                        shared.pop() if what == 4 else shared.popleft()
                        got[i] += 1
                    except IndexError:
                        pass
                elif what == 6:
                    shared.rotate(own.randrange(-3, 4))
                elif what == 7:
                    try:
                        assert all(type(x) is tuple for x in shared)
                    except RuntimeError:
                        pass
                else:
                    try:
                        shared.copy(), len(shared), (i, step) in list(shared)
                    except RuntimeError:
                        pass
        return run

    def check():
        assert len(shared) == len(list(shared)) == sum(put) - sum(got)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def ordered(rng, n):
    shared = collections.OrderedDict()

    def body(i, own):
        def run():
            for step in range(STEPS):
                key, what = own.randrange(20), own.randrange(8)
                try:
                    if what < 3:
                        shared[key] = key
                    elif what == 3:
                        shared.move_to_end(key, own.random() < 0.5)
                    elif what == 4:
                        shared.popitem(own.random() < 0.5)
                    elif what == 5:
                        shared.pop(key, None)
                    elif what == 6:
                        assert all(k == v for k, v in shared.items())
                    else:
                        assert list(reversed(shared)) is not None and shared.copy() is not None
                except (KeyError, RuntimeError):
                    pass
        return run

    def check():
        assert len(shared) == len(list(shared)) == len(list(reversed(shared))) and all(shared[k] == k for k in shared)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def counted(rng, n):
    """defaultdict makes one value per key; Counter only has to survive."""
    made, shared, counter = [], None, collections.Counter()

    def factory():
        made.append(1)
        return []
    shared = collections.defaultdict(factory)

    def body(i, own):
        def run():
            for step in range(STEPS):
                shared[own.randrange(50)].append(i)
                counter[step % 7] += 1
        return run

    def check():
        assert set(shared) <= set(range(50)) and len(made) >= len(shared)
        assert set(counter) == set(range(7))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def buffers(rng, n):
    """A buffer that is exported does not move."""
    data, numbers = bytearray(b"a" * 64), array.array("i", range(64))

    def body(i, own):
        def run():
            for step in range(STEPS):
                what = own.randrange(10)
                try:
                    if what == 0:
                        data.extend(b"abc" * own.randrange(5))
                    elif what == 1:
                        del data[:own.randrange(20)]
                    elif what == 2:
                        with memoryview(data) as view:
                            assert len(view[1:]) == max(len(view) - 1, 0)
                            assert not RACES_ON_BYTES or len(view) == len(view.tobytes()) == len(view.tolist())
                    elif what == 3:
                        data[own.randrange(64)] = 98
                    elif what == 4:
                        numbers.append(step)
                    elif what == 5:
                        numbers.pop()
                    elif what == 6:
                        with memoryview(numbers) as view:
                            if RACES_ON_BYTES:
                                view[0] = step
                                sum(view)
                    elif what == 7:
                        numbers.extend(numbers[:5])
                        del numbers[200:]
                    elif what == 8:
                        data.find(b"b"), data.upper(), data.split(b"b"), bytes(data), data + b"x", data == b"x"
                    else:
                        sum(numbers), numbers.tobytes(), numbers.index(3), list(numbers)
                except (BufferError, IndexError, ValueError):
                    pass
                if len(data) > 5000:
                    try:
                        data.clear()
                    except BufferError:
                        pass
        return run

    def check():
        data.append(1)
        numbers.append(1)
        assert data[-1] == numbers[-1] == 1
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def queues(rng, n):
    """What goes in comes out, once, in the order of each producer."""
    shared, got = rng.choice((queue.Queue, queue.SimpleQueue, lambda: queue.Queue(5), queue.LifoQueue))(), [[] for _ in range(n)]

    def body(i, own):
        def run():
            for step in range(100):
                shared.put((i, step))
                got[i].append(shared.get())
        return run

    def check():
        assert sorted(sum(got, [])) == [(i, step) for i in range(n) for step in range(100)]
    return [body(i, None) for i in range(n)], check


def hand_offs(rng, n):
    """Objects made by one thread, changed, shown to all and dropped by others."""
    line, shown = queue.SimpleQueue(), [None] * 4
    for _ in range(2 * n):
        line.put([0])

    def body(i, own):
        def run():
            for step in range(200):
                item = line.get()
                assert item[0] >= 0
                if own.random() < .3:
                    shown[own.randrange(4)] = item          # published from here on
                if own.random() < .3:
                    item.append(step)
                seen = shown[own.randrange(4)]
                assert seen is None or seen[0] >= 0
                line.put(item if own.random() < .5 else [i])
                del item
                if own.random() < .1:
                    shown[own.randrange(4)] = None
        return run

    def check():
        assert line.qsize() == 2 * n
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def caches(rng, n):
    calls = []

    @functools.lru_cache(maxsize=rng.choice((None, 8, 64)))
    def square(x):
        calls.append(x)
        return x * x

    class Lazy:
        @functools.cached_property
        def value(self):
            return [1]
    lazy = Lazy()

    def body(i, own):
        def run():
            for step in range(STEPS):
                x = own.randrange(40)
                assert square(x) == x * x
                if own.random() < 0.01:
                    square.cache_clear()
                if own.random() < 0.05:
                    square.cache_info()
                assert lazy.value == [1]
        return run

    def check():
        info = square.cache_info()
        assert info.maxsize is None or info.currsize <= info.maxsize
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def bounded_caches(rng, n):
    """No call is forgotten in the counts; entries used all the time stay, others go."""
    size, calls = rng.choice((4, 16, 100)), [0] * n

    @functools.lru_cache(maxsize=size)
    def double(x):
        return [x, x]

    def body(i, own):
        def run():
            for step in range(STEPS):
                x = own.randrange(3) if own.random() < 0.7 else own.randrange(300)
                assert double(x) == [x, x]
                calls[i] += 1
        return run

    def check():
        info = double.cache_info()
        assert info.hits + info.misses == sum(calls), (info, calls)
        assert info.currsize <= size and info.hits > sum(calls) // 3, info
        for x in range(size):           # one thread, in order: all of them fit
            double(x)
        before = double.cache_info().misses
        double(size - 1)
        assert double.cache_info().misses == before
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def heaps(rng, n):
    heap, line = list(range(30)), list(range(30))

    def body(i, own):
        def run():
            for _ in range(STEPS):
                try:
                    what = own.randrange(6)
                    if what == 0:
                        heapq.heappush(heap, own.randrange(99))
                    elif what == 1:
                        heapq.heappop(heap)
                    elif what == 2:
                        heapq.heapreplace(heap, own.randrange(99))
                    elif what == 3:
                        heapq.nsmallest(3, heap)
                    elif what == 4:
                        bisect.insort(line, own.randrange(99))
                    else:
                        del line[own.randrange(30):][:1]
                        line.sort()
                except (IndexError, ValueError, RuntimeError):
                    pass
        return run

    def check():
        assert all(type(x) is int for x in heap + line)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def streams(rng, n):
    """Lines are written whole and read once."""
    handle, path = tempfile.mkstemp()
    os.close(handle)
    kind = rng.randrange(4)
    shared = (open(path, "w+", encoding="utf-8"), open(path, "w+b", buffering=61), io.StringIO(), io.BytesIO())[kind]
    binary = kind in (1, 3)

    def body(i, own):
        def run():
            for step in range(200):
                line = f"{i}:{step:04}:é\n"
                shared.write(line.encode() if binary else line)
        return run

    def check():
        shared.seek(0)
        lines = [line.decode() if binary else line for line in shared]
        shared.close()
        os.unlink(path)
        assert sorted(lines) == sorted(f"{i}:{step:04}:é\n" for i in range(n) for step in range(200))
    return [body(i, None) for i in range(n)], check


if __name__ == "__main__":
    race(deques, ordered, counted, buffers, queues, hand_offs, caches, bounded_caches, heaps, streams)
