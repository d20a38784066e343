"""Iterators, generators and coroutines that several threads advance."""
import itertools
import random
from stress_common import race

COUNT = 1500


def drain(iterator, got, ignored=()):
    while True:
        try:
            got.append(next(iterator))
        except StopIteration:
            return
        except ignored:
            pass


def built_in(rng, n):
    """Items of the container come out and nothing else does; each number of a count once."""
    items = list(range(COUNT))
    text = {i: str(i) for i in items}
    make, expected = rng.choice((
        (lambda: iter(items), items), (lambda: iter(range(COUNT)), items), (lambda: reversed(items), items),
        (lambda: iter(tuple(items)), items), (lambda: iter(text), items), (lambda: iter(text.items()), list(text.items())),
        (lambda: iter(set(items)), items), (lambda: enumerate(items), list(enumerate(items))),
        (lambda: map(str, items), list(map(str, items))), (lambda: itertools.count(), None), (lambda: itertools.chain(items), items),
        (lambda: itertools.islice(items, COUNT), items), (lambda: filter(None, items), items[1:]),
        (lambda: iter(bytearray(100)), None), (lambda: itertools.repeat(1, COUNT), None), (lambda: itertools.tee(items)[1], items)))
    shared, got = make(), [[] for _ in range(n)]

    def body(i, own):
        def run():
            if isinstance(shared, itertools.count):
                got[i] += [next(shared) for _ in range(COUNT)]
            else:
                drain(shared, got[i], (RuntimeError,))
        return run

    def check():
        everything = sum(got, [])
        if isinstance(shared, itertools.count):
            assert len(set(everything)) == len(everything) == n * COUNT
        elif expected is not None:
            if isinstance(shared, enumerate):       # which number goes with which item is open
                assert all(i >= 0 and item in items for i, item in everything)
            else:
                assert set(everything) <= set(expected), set(everything) - set(expected)
    return [body(i, None) for i in range(n)], check


def generators(rng, n):
    """A generator runs in one thread at a time; the others are told so."""
    inside = [0]

    def generator():
        for i in range(COUNT):
            inside[0] += 1
            assert inside[0] == 1
            inside[0] -= 1
            yield i
    shared, got = generator(), [[] for _ in range(n)]

    def body(i, own):
        return lambda: drain(shared, got[i], (ValueError,))

    def check():
        assert sorted(sum(got, [])) == list(range(COUNT))
    return [body(i, None) for i in range(n)], check


def sent_and_thrown(rng, n):
    def generator():
        value = 0
        while True:
            try:
                value = yield value
            except KeyError:
                value = "thrown"
    slots = [generator() for _ in range(3)]

    def body(i, own):
        def run():
            for step in range(300):
                place = own.randrange(len(slots))
                generator_ = slots[place]
                try:
                    what = own.randrange(6)
                    if what < 2:
                        next(generator_)
                    elif what == 2:
                        generator_.send(None)
                    elif what == 3:
                        generator_.throw(KeyError)
                    elif what == 4:
                        generator_.gi_frame, generator_.gi_running, generator_.gi_yieldfrom
                    elif own.random() < 0.2:
                        generator_.close()
                        slots[place] = generator()
                except (ValueError, StopIteration, TypeError, KeyError):
                    pass
        return run

    def check():
        pass
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def coroutines(rng, n):
    class Step:
        def __await__(self):
            yield 1

    async def coroutine():
        for _ in range(50):
            await Step()
        return "done"
    shared, ended = coroutine(), []

    def body(i, own):
        def run():
            while not ended:
                try:
                    shared.send(None)
                except StopIteration as stop:
                    ended.append(stop.value)
                except (ValueError, RuntimeError):
                    if shared.cr_frame is None:
                        return
        return run

    def check():
        assert ended == ["done"], ended
    return [body(i, None) for i in range(n)], check


def grouped(rng, n):
    """Iterators over iterators: whatever comes out, nothing breaks."""
    makers = [lambda: itertools.groupby(range(200), lambda x: x // 7), lambda: itertools.tee(range(200), 2)[0],
              lambda: itertools.cycle([1, 2, 3]), lambda: zip(range(99), "abc" * 33), lambda: itertools.accumulate(range(200)),
              lambda: itertools.product("abcd", repeat=3), lambda: itertools.permutations(range(5)), lambda: itertools.pairwise(range(99)),
              lambda: itertools.combinations(range(8), 3), lambda: itertools.zip_longest(range(99), "ab"),
              lambda: itertools.takewhile(lambda x: x < 90, range(100)), lambda: itertools.starmap(divmod, [(7, 2)] * 50)]
    slots = [rng.choice(makers)() for _ in range(4)]

    def body(i, own):
        def run():
            for step in range(200):
                place = own.randrange(len(slots))
                try:
                    item = next(slots[place])
                    if isinstance(slots[place], itertools.groupby):
                        list(itertools.islice(item[1], 5))
                    if own.random() < 0.05:
                        slots[place].__reduce__()
                except (StopIteration, RuntimeError, TypeError):
                    slots[place] = own.choice(makers)()
        return run

    def check():
        pass
    return [body(i, random.Random(rng.random())) for i in range(n)], check


if __name__ == "__main__":
    race(built_in, generators, sent_and_thrown, coroutines, grouped)
