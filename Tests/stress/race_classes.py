"""Classes and functions that are edited while other threads use them."""
import abc
import random
from stress_common import race

STEPS = 300


def methods(rng, n):
    """Methods, properties, slots and bases of a class change under its instances."""
    class Base:
        def answer(self):
            return 0

    class Left:
        def side(self):
            return "left"

    class Right:
        def side(self):
            return "right"

    class Made(Left, Base):
        pass
    shared = [Made() for _ in range(4)]

    def body(i, own):
        def run():
            for step in range(STEPS):
                op, what = own.choice(shared), own.randrange(9)
                if what == 0:
                    Made.answer = lambda self, step=step: step
                elif what == 1:
                    try:
                        del Made.answer
                    except AttributeError:
                        pass
                elif what == 2:
                    assert type(op.answer()) is int
                elif what == 3:
                    Made.__bases__ = own.choice(((Left, Base), (Right, Base)))
                elif what == 4:
                    assert op.side() in ("left", "right")
                elif what == 5:
                    Made.value = property(lambda self, step=step: step) if step % 2 else step
                elif what == 6:
                    assert type(getattr(op, "value", 0)) is int
                elif what == 7:
                    op.own = step
                    assert type(op.own) is int
                else:
                    assert isinstance(op, Base) and Made in Base.__subclasses__()
        return run

    def check():
        assert Made.__mro__[-2:] == (Base, object)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def change_of_class(rng, n):
    class A:
        def kind(self):
            return "A"

    class B:
        def kind(self):
            return "B"

        def __getattr__(self, name):
            return name
    shared = A()
    shared.x = 1

    def body(i, own):
        def run():
            for step in range(STEPS):
                shared.__class__ = own.choice((A, B))
                shared.x = step
                assert shared.kind() in "AB"
                assert type(shared.x) is int
                assert type(shared) in (A, B)
        return run

    def check():
        assert isinstance(shared.x, int)
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def functions(rng, n):
    def one(a=1, *, b=1):
        return a * b

    def two(a=2, *, b=2):
        c = a * b
        return c + 0

    def shared(a=1, *, b=1):
        return a * b
    codes = [one.__code__, two.__code__]

    def body(i, own):
        def run():
            for step in range(STEPS):
                what = own.randrange(6)
                if what == 0:
                    shared.__code__ = own.choice(codes)
                elif what == 1:
                    shared.__defaults__ = (own.randrange(1, 9),)
                elif what == 2:
                    shared.__kwdefaults__ = {"b": own.randrange(1, 9)}
                elif what == 3:
                    shared.note = step
                else:
                    assert 1 <= shared() <= 64
                    assert shared(2, b=3) == 6
        return run

    def check():
        assert 1 <= shared() <= 64
    return [body(i, random.Random(rng.random())) for i in range(n)], check


def creation(rng, n):
    """Classes are made, subclassed, registered and dropped."""
    class Root(metaclass=abc.ABCMeta):
        def __init_subclass__(cls, **kwargs):
            super().__init_subclass__()
            cls.seen = True

    def body(i, own):
        def run():
            for step in range(STEPS // 4):
                made = type(f"C{step % 7}", (Root,), {"x": step, "__slots__": ("a", "b")})
                op = made()
                op.a = step
                assert op.a == step and op.x == step and made.seen

                class Foreign:
                    pass
                Root.register(Foreign)
                assert isinstance(Foreign(), Root) and issubclass(made, Root) and not issubclass(int, Root)
                assert all(issubclass(c, Root) for c in Root.__subclasses__())
        return run

    def check():
        pass
    return [body(i, random.Random(rng.random())) for i in range(n)], check


if __name__ == "__main__":
    race(methods, change_of_class, functions, creation)
