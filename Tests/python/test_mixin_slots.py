"""What a class gets from its C base is not hidden by a plain class that stands before it among the bases."""
import unittest


class Plain:
    pass


class MixinSlots(unittest.TestCase):
    def test_attributes_of_classes(self):
        class Meta(Plain, type):
            pass

        class A(metaclass=Meta):
            x = 1

        class B(A):
            pass

        self.assertEqual(B.x, 1)
        B.x = 2
        self.assertEqual((A.x, B.x), (1, 2))

    def test_metaclass_with_own_setattr(self):
        class Recording:
            def __setattr__(self, name, value):
                seen.append(name)
                super().__setattr__(name, value)

        class Meta(Recording, type):
            pass

        class A(metaclass=Meta):
            pass

        class B(A):
            pass

        seen = []
        A.x = 1
        self.assertEqual((B.x, seen), (1, ['x']))

    def test_hash_and_comparison(self):
        class Number(Plain, int):
            pass

        class Names(Plain, list):
            pass

        self.assertEqual(hash(Number(5)), hash(5))
        self.assertEqual({Number(5): 'five'}[5], 'five')
        self.assertTrue(Number(5) == 5 and Number(4) < Number(5))
        self.assertEqual(Names([1]), [1])
        self.assertRaises(TypeError, hash, Names())

    def test_equality_without_hash_hides_both(self):
        class Same:
            def __eq__(self, other):
                return True

        class Number(Same, int):
            pass

        self.assertTrue(Number(1) == 2)
        self.assertRaises(TypeError, hash, Number(1))


if __name__ == '__main__':
    unittest.main()
