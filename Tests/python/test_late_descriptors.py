"""Classes whose instances become descriptors after they are class attributes and in use."""
import threading
import unittest

OFTEN = 3000


class LateDescriptorsTest(unittest.TestCase):
    def test_instance_attribute_is_overridden(self):
        class Late:
            pass

        class Owner:
            value = Late()

            def __init__(self):
                self.value = 1

        def read(owner):
            return owner.value

        owner = Owner()
        for _ in range(OFTEN):
            self.assertEqual(read(owner), 1)
        Late.__get__ = lambda self, instance, owner: 2
        self.assertEqual(read(owner), 1)
        Late.__set__ = lambda self, instance, value: None
        for _ in range(OFTEN):
            self.assertEqual(read(owner), 2)
        owner.value = 5
        self.assertEqual(owner.__dict__["value"], 1)
        del Late.__set__
        self.assertEqual(read(owner), 1)
        del Late.__get__, owner.value
        self.assertIsInstance(read(owner), Late)

    def test_method_and_subclass(self):
        class Base:
            def __call__(self):
                return "called"

        class Late(Base):
            pass

        class Owner:
            method = Late()

        def call(owner):
            return owner.method()

        for _ in range(OFTEN):
            self.assertEqual(call(Owner()), "called")
        Base.__get__ = lambda self, instance, owner: lambda: "got"
        for _ in range(OFTEN):
            self.assertEqual(call(Owner()), "got")

    def test_while_threads_read(self):
        class Late:
            pass

        class Owner:
            value = Late()

            def __init__(self):
                self.value = 1

        owner, stop, seen = Owner(), threading.Event(), []

        def work():
            mine = set()
            while not stop.is_set():
                mine.add(owner.value)
            mine.add(owner.value)
            seen.append((mine, owner.value))

        threads = [threading.Thread(target=work) for _ in range(3)]
        for thread in threads:
            thread.start()
        Late.__get__ = lambda self, instance, owner: 2
        Late.__set__ = lambda self, instance, value: None
        stop.set()
        for thread in threads:
            thread.join()
        for values, last in seen:
            self.assertLessEqual(values, {1, 2})
            self.assertEqual(last, 2)


if __name__ == "__main__":
    unittest.main()
