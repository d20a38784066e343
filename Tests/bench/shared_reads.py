"""What many threads do with the same objects without changing them: one function per kind of operation, run(n) does it n times.
None of it may be slowed down by other threads that do the same."""
import contextvars
import copy
import dataclasses
import enum
import functools
import logging
import operator
import re
import threading
import collections
import math


class Thing:
    limit = 3
    table = {"a": 1}

    def __init__(self, value=1):
        self.value = value
        self.other = None

    def method(self):
        return self.value

    @classmethod
    def build(cls):
        return cls

    @staticmethod
    def plain():
        return 1

    @property
    def shown(self):
        return self.value


class Child(Thing):
    def method(self):
        return super().method()


class Slotted:
    __slots__ = ("a",)

    def __init__(self, a):
        self.a = a


class Colour(enum.Enum):
    RED = 1
    GREEN = 2


class Flags(enum.IntFlag):
    A = 1
    B = 2


@dataclasses.dataclass
class Record:
    name: str
    amount: int = 0


Pair = collections.namedtuple("Pair", "first second")


def function(x):
    return x


def with_defaults(a, b=(1, 2), *, c="text"):
    return a


def make_closure():
    captured = [1, 2]

    def inner():
        return captured
    return inner


def numbers(n):
    for i in range(n):
        yield i


@functools.lru_cache(maxsize=None)
def cached(n):
    return n


@functools.lru_cache(maxsize=10)
def bounded(n):
    return n


CONSTANT = ("a", "tuple")
NUMBER = 7
THING = Thing([1])
CHILD = Child((1, 2))
SLOTTED = Slotted([1])
CLOSURE = make_closure()
BOUND = THING.method
PARTIAL = functools.partial(function, CONSTANT)
LIST = [object() for _ in range(10)]
DICT = {"key": object(), 5: object(), ("a", 1): object()}
TUPLE = (object(), object())
SET = {"a", 5, ("x", 1)}
FROZEN = frozenset(SET)
NESTED = {"a": {"b": [1, (2, 3)]}}
LOCAL = threading.local()
VARIABLE = contextvars.ContextVar("variable", default=CONSTANT)
LOCK = threading.Lock()
EVENT = threading.Event()
LOGGER = logging.getLogger("bench")
PATTERN = re.compile(r"(\w+)=(\d+)")
TEXT = "name=5"
RECORD = Record("x", 1)
PAIR = Pair("first", "second")
KEY = ("a", 1)
GETTER = operator.attrgetter("value")
ERROR = ValueError("shared")


def private_work(n):
    total = 0
    for i in range(n):
        total += i & 3


def private_objects(n):
    for i in range(n):
        [i, (i, 1)]


def call_function(n):
    for i in range(n):
        function(i)


def call_with_defaults(n):
    for i in range(n):
        with_defaults(i)


def call_with_keywords(n):
    for i in range(n):
        with_defaults(a=i, c=KEY)


def call_star(n):
    for i in range(n):
        function(*(i,))


def call_closure(n):
    for i in range(n):
        CLOSURE()


def call_builtin(n):
    for i in range(n):
        len(LIST)
        math.sqrt(2.0)


def call_method(n):
    for i in range(n):
        THING.method()


def call_bound_method(n):
    for i in range(n):
        BOUND()


def call_super(n):
    for i in range(n):
        CHILD.method()


def call_classmethod(n):
    for i in range(n):
        Thing.build()
        Thing.plain()


def call_partial(n):
    for i in range(n):
        PARTIAL()


def builtin_method(n):
    for i in range(n):
        TEXT.startswith("n")
        LIST.index
        DICT.get("key")


def instantiate(n):
    for i in range(n):
        Thing(i)


def instantiate_slots(n):
    for i in range(n):
        Slotted(i)


def instantiate_dataclass(n):
    for i in range(n):
        Record("x", i)


def instantiate_namedtuple(n):
    for i in range(n):
        Pair(i, 1)


def read_globals(n):
    for i in range(n):
        CONSTANT
        NUMBER
        LIST


def class_attributes(n):
    for i in range(n):
        Thing.limit
        Thing.table
        THING.limit


def instance_attributes(n):
    for i in range(n):
        THING.value
        THING.other
        SLOTTED.a


def read_property(n):
    for i in range(n):
        THING.shown


def dataclass_fields(n):
    for i in range(n):
        RECORD.name
        PAIR.first


def enum_members(n):
    for i in range(n):
        Colour.RED
        Colour.GREEN.value
        Flags.A


def module_constants(n):
    for i in range(n):
        math.pi
        re.compile
        logging.INFO


def dict_lookup(n):
    for i in range(n):
        DICT["key"]
        DICT[5]
        DICT[KEY]
        NESTED["a"]["b"]


def list_items(n):
    for i in range(n):
        LIST[3]
        TUPLE[1]


def set_membership(n):
    for i in range(n):
        "a" in SET
        KEY in FROZEN
        KEY in DICT


def iterate_shared(n):
    for i in range(n // 10):
        for x in LIST:
            pass
        for k, v in DICT.items():
            pass


def check_isinstance(n):
    for i in range(n):
        isinstance(THING, Thing)
        isinstance(CHILD, (int, Thing))
        issubclass(Child, Thing)


def check_abc(n):
    for i in range(n):
        isinstance(LIST, collections.abc.Sequence)


def raise_and_catch(n):
    for i in range(n // 2):
        try:
            raise KeyError(KEY)
        except (ValueError, KeyError):
            pass


def generators(n):
    for i in numbers(n):
        pass


def with_lock_free_context(n):
    for i in range(n):
        LOCK.locked()
        EVENT.is_set()


def thread_local(n):
    LOCAL.value = CONSTANT
    for i in range(n):
        LOCAL.value


def context_variable(n):
    for i in range(n):
        VARIABLE.get()


def lru_cache_hits(n):
    for i in range(n):
        cached(3)


def bounded_lru_cache_hits(n):
    for i in range(n):
        bounded(3)


def disabled_logging(n):
    for i in range(n // 2):
        LOGGER.debug("text %s", THING)


def shallow_copy(n):
    for i in range(n // 10):
        copy.copy(RECORD)
        copy.copy(LIST)


def compiled_regex(n):
    for i in range(n // 2):
        PATTERN.match(TEXT).group(1)


def attrgetter(n):
    for i in range(n):
        GETTER(THING)
        getattr(THING, "value")


def f_string(n):
    for i in range(n):
        f"{TEXT}:{i}"


def lambdas(n):
    for i in range(n):
        f = lambda: CONSTANT
        f()


def import_statement(n):
    for i in range(n // 2):
        import math as m
        from math import pi


CONTROLS = {f.__name__: f for f in (private_work, private_objects)}
ALL = {f.__name__: f for f in (
    call_function, call_with_defaults, call_with_keywords, call_star, call_closure, call_builtin, call_method, call_bound_method,
    call_super, call_classmethod, call_partial, builtin_method, instantiate, instantiate_slots, instantiate_dataclass,
    instantiate_namedtuple, read_globals, class_attributes, instance_attributes, read_property, dataclass_fields, enum_members,
    module_constants, dict_lookup, list_items, set_membership, iterate_shared, check_isinstance, check_abc, raise_and_catch,
    generators, with_lock_free_context, thread_local, context_variable, lru_cache_hits, bounded_lru_cache_hits, disabled_logging,
    shallow_copy, compiled_regex, attrgetter, f_string, lambdas, import_statement)}
