"""Several threads on attributes, classes, closures and the life and death of objects."""
import gc
import random
import time
import weakref
from stress_common import race

STEPS = 600


def attributes(rng, n):
    class Thing:
        kind = "thing"

        def total(self):
            return self.a + self.b
    shared = Thing()
    shared.a = shared.b = 1

    def body(i, own):
        def run():
            for step in range(STEPS):
                what = own.randrange(6)
                if what == 0:
                    shared.a = step
                elif what == 1:
                    assert type(shared.total()) is int
                elif what == 2:
                    setattr(shared, f"x{own.randrange(40)}", [i])
                elif what == 3:
                    try:
                        delattr(shared, f"x{own.randrange(40)}")
                    except AttributeError:
                        pass
                elif what == 4:
                    assert set(map(type, list(vars(shared)))) == {str}
                else:
                    Thing.kind = f"thing {step}"
                    assert shared.kind.startswith("thing ")
            setattr(shared, f"last{i}", i)
        return run

    def check():
        assert all(getattr(shared, f"last{i}") == i for i in range(n))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def lives(rng, n):
    """Every object that is passed around dies exactly once."""
    made, died, slots = [0] * n, [], [None] * 8

    class Mortal:
        def __init__(self):
            self.link = None

        def __del__(self):
            died.append(1)

    def body(i, own):
        def run():
            held = None
            for step in range(STEPS):
                place = own.randrange(len(slots))
                what = own.randrange(4)
                if what == 0:
                    slots[place] = Mortal()
                    made[i] += 1
                elif what == 1:
                    held = slots[place]
                elif what == 2:
                    slots[place] = held
                else:
                    other = slots[own.randrange(len(slots))]
                    reference = weakref.ref(other) if other is not None else None
                    del other
                    if reference is not None:
                        reference()
        return run

    def check():
        slots[:] = [None] * len(slots)
        end = time.monotonic() + 10
        while len(died) != sum(made) and time.monotonic() < end:
            gc.collect()
            time.sleep(0.001)
        assert len(died) == sum(made), (len(died), sum(made))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def cycles(rng, n):
    """Cycles made in all threads are found, with the collector running in all of them."""
    alive = weakref.WeakSet()

    class Node:
        pass

    def body(i, own):
        def run():
            for step in range(STEPS // 4):
                nodes = [Node() for _ in range(own.randrange(1, 5))]
                for a, b in zip(nodes, nodes[1:] + nodes[:1]):
                    a.other = b
                if step % 20 == 0:
                    alive.add(nodes[0])
                if own.random() < 0.02:
                    gc.collect()
        return run

    def check():
        gc.collect()
        gc.collect()
        assert len(alive) == 0, len(alive)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def closures(rng, n):
    value = 0

    def bump():
        nonlocal value
        value += 1
        return value

    def body(i, own):
        def run():
            for _ in range(STEPS):
                assert type(bump()) is int
        return run

    def check():
        assert 1 <= value <= STEPS * n
    return [body(i, None) for i in range(n)], check


if __name__ == "__main__":
    race(attributes, lives, cycles, closures)
