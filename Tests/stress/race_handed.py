"""Containers that one thread makes and goes on using while others, who got them in a tuple, use them too.  What the maker stores is
not published before another thread comes: each read must find whole objects all the same."""
import collections
import random
from stress_common import race

STEPS = 500
NAMES = [f"name{i}" for i in range(12)]


def value_of(name, own):
    return name, f"{name} {own.random()}", [name]


def check_value(name, value):
    assert value[0] == name == value[2][0] and value[1].startswith(name), (name, value)


def on_mapping(mapping, own):
    name, what = own.choice(NAMES), own.randrange(16)
    if what < 4:
        mapping[name] = value_of(name, own)
    elif what == 4:
        value = mapping.pop(name, None)
        if value is not None:
            check_value(name, value)
    elif what == 5:
        value = mapping.get(name)
        if value is not None:
            check_value(name, value)
    elif what == 6:
        check_value(name, mapping.setdefault(name, value_of(name, own)))
    elif what == 7:
        for key, value in mapping.items():
            check_value(key, value)
    elif what == 8:
        for value in reversed(mapping.values()):
            check_value(value[0], value)
    elif what == 9:
        for key, value in {**mapping, **mapping}.items():
            check_value(key, value)
    elif what == 10:
        copy = mapping.copy()
        copy.update(mapping)
        assert copy == copy | {}
        for key, value in copy.items():
            check_value(key, value)
    elif what == 11:
        check_value(*mapping.popitem())
    elif what == 12:
        (lambda **more: [check_value(*item) for item in more.items()])(**mapping)
    elif what == 13:
        mapping == dict(mapping), mapping.keys() & set(NAMES), len(mapping), repr(mapping)
    elif what == 14 and own.random() < 0.3:
        mapping.clear()
    else:
        mapping.update({name: value_of(name, own)})


def on_instance(thing, own):
    name, what = own.choice(NAMES), own.randrange(8)
    if what < 3:
        setattr(thing, name, value_of(name, own))
    elif what == 3:
        thing.name1 = value_of("name1", own)
        check_value("name1", thing.name1)
    elif what == 4:
        check_value(name, getattr(thing, name))
    elif what == 5:
        delattr(thing, name)
    elif what == 6:
        on_mapping(vars(thing), own)
    else:
        for key, value in vars(thing).copy().items():
            check_value(key, value)


def on_list(items, own):
    what = own.randrange(6)
    if what < 2:
        items.append(value_of("item", own))
    elif what == 2:
        check_value("item", items.pop())
    elif what == 3:
        for item in items:
            check_value("item", item)
    elif what == 4:
        check_value("item", items[0])
    else:
        items[own.randrange(4)] = value_of("item", own)


def on_set(items, own):
    what, name = own.randrange(6), own.choice(NAMES)
    if what < 2:
        items.add((name, f"{name} {own.randrange(5)}"))
    elif what == 2:
        for first, second in items:
            assert second.startswith(first)
    elif what == 3:
        first, second = items.pop()
        assert second.startswith(first)
    elif what == 4:
        for first, second in items | {(name, name)}:
            assert second.startswith(first)
    else:
        items.discard((name, f"{name} 1"))


class Thing:
    """Attributes inline until there are too many, or somebody asks for __dict__."""


KINDS = [
    (dict, on_mapping), (collections.OrderedDict, on_mapping), (lambda: collections.defaultdict(int), on_mapping),
    (type("Mapping", (dict,), {}), on_mapping), (Thing, on_instance), (list, on_list), (set, on_set),
]


def handed(rng, n):
    mail = [[None] * n for _ in range(n)]       # mail[to][from]

    def step(kind, container, own):
        try:
            kind(container, own)
        except (RuntimeError, KeyError, AttributeError, IndexError):
            pass

    def body(i, own):
        def run():
            for _ in range(STEPS // 10):
                make, kind = own.choice(KINDS)
                container = make()
                for k in range(own.randrange(12)):
                    step(kind, container, own)
                for other in range(n):
                    mail[other][i] = kind, (container,)
                for k in range(12):
                    step(kind, container, own)
                    received = mail[i][own.randrange(n)]
                    if received is not None:
                        step(received[0], received[1][0], own)
        return run

    return [body(i, random.Random(rng.random())) for i in range(n)], lambda: None


if __name__ == "__main__":
    race(handed)
