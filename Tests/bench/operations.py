"""One program per kind of operation: what it costs, with as little as possible around it."""
import abc
import functools
import json
import operator


def builtin_calls():
    items = [1, 2, 3]
    for i in range(150_000):
        len(items)
        isinstance(i, int)
        abs(i)
        ord("a")
        type(i)


def builtin_methods():
    items = []
    text = "some words here"
    d = {"a": 1}
    for i in range(100_000):
        items.append(i)
        text.startswith("some")
        d.get("a")
        items.pop()


def numeric_builtins():
    for i in range(100_000):
        min(i, 7)
        max(i, 7)
        int(i)
        float(i)
        divmod(i, 7)


def iterate_list():
    items = list(range(1000))
    for _ in range(500):
        for x in items:
            pass


def iterate_items():
    d = dict.fromkeys(range(1000), 1)
    for _ in range(300):
        for key, value in d.items():
            pass
        for key in d:
            pass
        for value in d.values():
            pass


def iterate_enumerate_zip():
    items = list(range(1000))
    for _ in range(200):
        for i, x in enumerate(items):
            pass
        for a, b in zip(items, items):
            pass


def iterate_string():
    text = "the quick brown fox " * 50
    for _ in range(300):
        for c in text:
            pass


def map_filter():
    items = list(range(1000))
    for _ in range(60):
        list(map(str, items))
        list(filter(None, items))
        sum(map(abs, items))
        any(x < 0 for x in items)


def unpacking():
    pair = (1, 2)
    items = [1, 2, 3, 4]
    for _ in range(200_000):
        a, b = pair
        a, b = b, a
        c, d, e, f = items
        g, *h = pair


def keyword_calls():
    def f(a, b=2, *, c=3, d=4):
        return a
    for i in range(80_000):
        f(i)
        f(i, b=1)
        f(1, c=2, d=3)
        f(a=1, b=2, c=3)


def star_calls():
    def f(*args):
        return args

    def g(**kwargs):
        return kwargs
    pair = (1, 2)
    names = {"x": 1, "y": 2}
    for i in range(60_000):
        f(1, 2, 3)
        f(*pair)
        g(a=1)
        g(**names)


def default_arguments():
    def f(a, b=1, c=2):
        return a
    for i in range(200_000):
        f(i)
        f(i, 3)


def closures():
    def counter():
        n = 0

        def bump():
            nonlocal n
            n += 1
            return n
        return bump
    for _ in range(1000):
        bump = counter()
        for _ in range(200):
            bump()


def lambdas():
    for i in range(150_000):
        f = lambda x: x + i
        f(1)


def f_strings():
    name = "x"
    for i in range(100_000):
        f"{name}={i}"
        f"{i:5d}|{name!r}"


def percent_format():
    for i in range(80_000):
        "%s=%d" % ("x", i)
        "{}:{}".format(i, "y")


def string_append():
    for _ in range(300):
        s = ""
        for i in range(500):
            s += "ab"


def string_methods():
    line = "  alpha,beta,gamma,delta  "
    for _ in range(50_000):
        line.strip().split(",")
        line.find("gamma")
        line.replace("a", "b")
        line.upper()


def string_slices():
    text = "abcdefghijklmnopqrstuvwxyz"
    for i in range(150_000):
        text[3:9]
        text[i % 26]
        text[::-1]


def string_compare():
    words = ["alpha", "beta", "gamma", "delta"]
    n = 0
    for _ in range(60_000):
        for w in words:
            if w == "gamma":
                n += 1
            if w < "c":
                n += 1


def string_join():
    parts = ["alpha", "beta", "gamma", "delta"] * 5
    for _ in range(60_000):
        ",".join(parts)


def bytes_operations():
    data = b"some bytes to look at"
    for _ in range(60_000):
        data[3:9]
        data.split(b" ")
        data.find(b"look")
        data + data


def list_slices():
    items = list(range(100))
    for _ in range(150_000):
        items[10:20]
        items[-1]
        items[:5]


def list_store():
    items = [0] * 1000
    for _ in range(200):
        for i in range(1000):
            items[i] = i


def list_append():
    for _ in range(300):
        items = []
        for i in range(1000):
            items.append(i)


def list_comprehension():
    for _ in range(300):
        [i * 2 for i in range(1000)]


def dict_comprehension():
    for _ in range(200):
        {i: i for i in range(500)}


def set_operations():
    for _ in range(200):
        s = {i for i in range(500)}
        s & {1, 2, 3}
        for i in range(500):
            i in s


def dict_strings():
    keys = [f"key{i}" for i in range(100)]
    for _ in range(1000):
        d = {}
        for k in keys:
            d[k] = 1
        for k in keys:
            d[k]


def dict_counting():
    words = ["alpha", "beta", "gamma", "delta"] * 25
    for _ in range(700):
        counts = {}
        for w in words:
            counts[w] = counts.get(w, 0) + 1


def displays():
    for i in range(120_000):
        [i, 1, 2]
        (i, 1, 2)
        {"a": i, "b": 2}
        {i, 1}


def membership():
    items = [1, 2, 3, 4, 5]
    t = (1, 2, 3)
    d = {1: 1, "x": 2}
    s = "hello world"
    for i in range(120_000):
        4 in items
        2 in t
        "x" in d
        "wor" in s
        i not in (1, 2, 3)


MODULE_CONSTANT = 7


def global_loads():
    n = 0
    for i in range(400_000):
        n += MODULE_CONSTANT


class Base:
    limit = 3
    __slots__ = ()

    def method(self):
        return 1

    @classmethod
    def build(cls):
        return cls

    @staticmethod
    def plain(x):
        return x


class Derived(Base):
    __slots__ = ("a", "b", "_hidden")

    def __init__(self, a):
        self.a = a
        self._hidden = a

    def method(self):
        return super().method()

    @property
    def shown(self):
        return self._hidden

    def __add__(self, other):
        return self.a + other.a

    def __eq__(self, other):
        return self.a == other.a

    def __hash__(self):
        return 1

    def __len__(self):
        return 3

    def __getitem__(self, i):
        return i

    def __call__(self, x):
        return x

    def __enter__(self):
        return self

    def __exit__(self, *args):
        return False


def class_attributes():
    d = Derived(1)
    for _ in range(200_000):
        Derived.limit
        d.limit
        Base.limit


def slots_attributes():
    d = Derived(1)
    for i in range(200_000):
        d.a = i
        d.a
        d.b = i


def super_calls():
    d = Derived(1)
    for _ in range(120_000):
        d.method()


def properties():
    d = Derived(1)
    for _ in range(250_000):
        d.shown


def class_static_methods():
    d = Derived(1)
    for i in range(120_000):
        Derived.build()
        d.build()
        d.plain(i)
        Base.plain(i)


def operator_methods():
    a, b = Derived(1), Derived(2)
    for i in range(80_000):
        a + b
        a == b
        len(a)
        a[i]
        a(i)


def bound_methods():
    d = Derived(1)
    f = d.method
    g = Base().method
    for _ in range(200_000):
        g()


class Shape(abc.ABC):
    @abc.abstractmethod
    def area(self):
        pass


class Square(Shape):
    def area(self):
        return 1


def isinstance_abc():
    s = Square()
    for i in range(100_000):
        isinstance(s, Shape)
        isinstance(s, (int, Square))
        issubclass(Square, Shape)


class WithInit:
    def __init__(self, a, b):
        self.a = a
        self.b = b


class SubInit(WithInit):
    def __init__(self, a, b, c):
        super().__init__(a, b)
        self.c = c


def instances_with_arguments():
    for i in range(100_000):
        WithInit(i, 2)
        SubInit(i, 2, 3)


def instances_plain():
    class Plain:
        pass
    for _ in range(200_000):
        Plain()
        object()


def instance_dict():
    for i in range(60_000):
        w = WithInit(i, 2)
        w.__dict__
        vars(w)["a"]
        w.a


def getattr_setattr():
    w = WithInit(1, 2)
    for i in range(120_000):
        getattr(w, "a")
        setattr(w, "b", i)
        hasattr(w, "missing")
        getattr(w, "missing", None)


def with_statements():
    d = Derived(1)
    for _ in range(120_000):
        with d:
            pass


def exceptions_caught():
    def f(x):
        raise KeyError(x)
    for i in range(60_000):
        try:
            f(i)
        except (ValueError, KeyError) as e:
            pass


def exceptions_from_builtins():
    d = {}
    for i in range(60_000):
        try:
            d[i]
        except KeyError:
            pass
        try:
            int("x")
        except ValueError:
            pass


def try_finally():
    n = 0
    for i in range(400_000):
        try:
            n += 1
        finally:
            n += 1


def big_integers():
    a = 3 ** 60
    for i in range(100_000):
        b = a + i
        b * a
        b // 7
        b & 0xffffffffffffffffffff


def big_products():
    n = 1
    for i in range(1, 800):
        n *= i
    str(n)
    n % 1000003


def sort_with_key():
    items = [(i * 7919) % 1009 for i in range(1000)]
    pairs = list(zip(items, items))
    for _ in range(60):
        sorted(items)
        sorted(items, key=lambda x: -x)
        sorted(pairs, key=operator.itemgetter(1))
        sorted(pairs)


def generator_expressions():
    for _ in range(400):
        sum(i * 2 for i in range(1000))


def yield_from():
    def inner(n):
        for i in range(n):
            yield i

    def outer(n):
        yield from inner(n)
    for _ in range(200):
        for x in outer(1000):
            pass


def coroutines():
    async def leaf():
        return 1

    async def root():
        n = 0
        for _ in range(100_000):
            n += await leaf()
        return n
    try:
        root().send(None)
    except StopIteration:
        pass


@functools.lru_cache(maxsize=None)
def cached(n):
    return n


def lru_cache_hits():
    for i in range(300_000):
        cached(3)


def partials():
    f = functools.partial(max, 3)
    for i in range(150_000):
        f(i)


def chained_comparisons():
    n = 0
    for i in range(300_000):
        if 10 < i < 1000:
            n += 1


def boolean_logic():
    a, b, c = 1, 0, "x"
    for i in range(300_000):
        a and b or c
        not b


def match_statement():
    for i in range(60_000):
        for command in (("go", 1), ("stop",), {"k": 1}, 5):
            match command:
                case ("go", n):
                    pass
                case ("stop",):
                    pass
                case {"k": v}:
                    pass
                case int(x):
                    pass


def json_round_trip():
    data = {"name": "x", "values": list(range(50)), "nested": {"a": [1.5, None, True], "b": "text"}}
    for _ in range(500):
        json.loads(json.dumps(data))


ALL = {name: f for name, f in list(globals().items())
       if callable(f) and getattr(f, "__module__", None) == __name__ and not isinstance(f, type) and name != "cached"}
