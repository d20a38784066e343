"""Weak references to objects that die in other threads."""
import gc
import random
import time
import weakref
from stress_common import race

STEPS = 400


class Thing:
    def __init__(self, number=0):
        self.number = number

    def method(self):
        return self.number


def references(rng, n):
    """A reference gives the object or None; each callback runs exactly once."""
    slots = [Thing(i) for i in range(6)]
    made, called = [0] * n, [[] for _ in range(n)]

    def body(i, own):
        kept = []

        def run():
            for step in range(STEPS):
                place, what = own.randrange(len(slots)), own.randrange(5)
                op = slots[place]
                if what < 2:
                    slots[place] = Thing(step)
                elif what == 2:
                    kept.append(weakref.ref(op, lambda ref, i=i: called[i].append(1)))
                    made[i] += 1
                elif what == 3:
                    reference = weakref.ref(op)
                    assert reference is weakref.ref(op) and hash(reference) == hash(op)
                    del op
                    op = reference()
                    assert op is None or type(op.number) is int
                else:
                    proxy = weakref.proxy(op)
                    del op
                    try:
                        assert type(proxy.number) is int
                    except ReferenceError:
                        pass
            run.kept = kept
        return run

    bodies = [body(i, random.Random(rng.random())) for i in range(n)]

    def check():
        slots[:] = []
        end = time.monotonic() + 10
        while sum(map(len, called)) != sum(made) and time.monotonic() < end:
            gc.collect()
            time.sleep(0.001)
        assert sum(map(len, called)) == sum(made), (sum(map(len, called)), sum(made))
    return bodies, check


def collections_(rng, n):
    values, keys, members = weakref.WeakValueDictionary(), weakref.WeakKeyDictionary(), weakref.WeakSet()
    slots = [Thing(i) for i in range(8)]

    def body(i, own):
        def run():
            for step in range(STEPS // 2):
                place = own.randrange(len(slots))
                op = slots[place]
                what = own.randrange(8)
                try:
                    if what == 0:
                        slots[place] = Thing(step)
                    elif what == 1:
                        values[place] = op
                    elif what == 2:
                        keys[op] = step
                    elif what == 3:
                        members.add(op)
                    elif what == 4:
                        found = values.get(place)
                        assert found is None or type(found.number) is int
                    elif what == 5:
                        assert all(type(k.number) is int for k in list(keys))
                    elif what == 6:
                        members.discard(op)
                    else:
                        len(members), len(values), len(keys)
                except RuntimeError as error:
                    assert "during iteration" in str(error), error
                except ValueError as error:
                    # The library subtracts the length of one list from that of another, read later: less than nothing.
                    assert str(error) == "__len__() should return >= 0", error
        return run

    def check():
        slots.clear()
        gc.collect()
        # Nothing lives on. (Their len() may be off: the library keeps its lists of removals without a lock.)
        left = list(members), list(values.values()), list(keys)
        assert left == ([], [], []), left
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def finalizers(rng, n):
    called = []
    slots = [None] * 5
    made = [0] * n

    def body(i, own):
        def run():
            for step in range(STEPS // 2):
                op = Thing(step)
                weakref.finalize(op, called.append, 1)
                made[i] += 1
                bound = weakref.WeakMethod(op.method)
                slots[own.randrange(5)] = op
                del op
                method = bound()
                assert method is None or type(method()) is int
        return run

    def check():
        slots[:] = [None] * 5
        end = time.monotonic() + 10
        while len(called) != sum(made) and time.monotonic() < end:
            gc.collect()
            time.sleep(0.001)
        assert len(called) == sum(made), (len(called), sum(made))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


if __name__ == "__main__":
    race(references, collections_, finalizers)
