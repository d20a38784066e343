"""Random operations of several threads on one list, dict or set; what comes out must be possible."""
import random
from stress_common import race

STEPS = 800


def lists(rng, n):
    shared, grown, taken = list(range(100)), [0] * n, [0] * n

    def body(i, own):
        def run():
            for step in range(STEPS):
                what = own.randrange(9)
                if what < 3:
                    shared.append((i, step))
                    grown[i] += 1
                elif what == 3:
                    try:
                        shared.pop(own.choice((0, -1)))
                        taken[i] += 1
                    except IndexError:
                        pass
                elif what == 4:
                    shared.insert(own.randrange(5), (i, step))
                    grown[i] += 1
                elif what == 5:
                    shared.reverse()
                elif what == 6:
                    copy = shared[:]
                    assert all(type(x) in (int, tuple) for x in copy)
                elif what == 7:
                    (i, step) in shared
                else:
                    for k, item in enumerate(shared):
                        assert type(item) in (int, tuple)
                        if k > 20:
                            break
        return run

    def check():
        assert len(shared) == 100 + sum(grown) - sum(taken), (len(shared), sum(grown), sum(taken))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def dicts(rng, n):
    shared = {}

    def body(i, own):
        def run():
            for step in range(STEPS):
                key = own.choice((own.randrange(60), f"k{own.randrange(60)}", (own.randrange(9), i)))
                what = own.randrange(8)
                if what < 3:
                    shared[key] = (key, i)
                elif what == 3:
                    shared.pop(key, None)
                elif what == 4:
                    value = shared.get(key)
                    assert value is None or value[0] == key
                elif what == 5:
                    assert shared.setdefault(key, (key, i))[0] == key
                elif what == 6:
                    try:
                        for k, v in shared.items():
                            assert v[0] == k
                    except RuntimeError:
                        pass
                else:
                    copy = shared.copy()
                    assert all(v[0] == k for k, v in copy.items())
                if own.random() < 0.002:
                    shared.clear()
            shared["mine", i] = (("mine", i), i)
        return run

    def check():
        assert len(shared) == len(list(shared)) == len(set(shared))
        assert all(shared[k][0] == k for k in shared)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def sets(rng, n):
    shared = set()

    def body(i, own):
        def run():
            for step in range(STEPS):
                item = own.randrange(200)
                what = own.randrange(5)
                if what < 2:
                    shared.add(item)
                elif what == 2:
                    shared.discard(item)
                elif what == 3:
                    assert all(0 <= x < 200 or 1000 <= x < 1000 + n for x in shared | {item})
                else:
                    item in shared
            shared.add(1000 + i)
        return run

    def check():
        assert {x for x in shared if x >= 1000} == {1000 + i for i in range(n)}
        assert sorted(shared) == sorted(set(list(shared)))
    return [body(i, random.Random(rng.random())) for i in range(n)], check


if __name__ == "__main__":
    race(lists, dicts, sets)
