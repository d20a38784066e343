"""ctypes with many threads: callbacks, errno, types made by several threads at once, memory that one thread resizes."""
import functools
import gc
import threading
import unittest

try:
    import ctypes
    import _ctypes_test
except ImportError as error:
    raise unittest.SkipTest(str(error))

from ctypes import (CDLL, CFUNCTYPE, POINTER, Structure, Union, c_char, c_char_p, c_double, c_float, c_int, c_long,
                    c_short, cast, get_errno, py_object, resize, set_errno, sizeof)

import thread_cases

dll = CDLL(_ctypes_test.__file__)
libc = CDLL(None, use_errno=True)
THREADS = 8
together = functools.partial(thread_cases.together, count=THREADS)


class Callbacks(unittest.TestCase):
    function = CFUNCTYPE(c_int, c_int)

    def test_foreign_thread(self):
        idents = []

        def callback(value):
            idents.append(threading.get_ident())
            return value + 1

        in_thread = dll._testfunc_callback_in_thread
        self.assertEqual(in_thread(self.function(callback), 41), 42)
        self.assertNotEqual(idents, [threading.get_ident()])

    def test_foreign_threads_together(self):
        total = []
        callback = self.function(lambda value: total.append(value) or value * 2)

        def work(i):
            return [dll._testfunc_callback_in_thread(callback, i * 100 + k) for k in range(20)]

        for i, answers in enumerate(together(work)):
            self.assertEqual(answers, [(i * 100 + k) * 2 for k in range(20)])
        self.assertEqual(len(total), THREADS * 20)

    def test_error_in_foreign_thread(self):
        import sys
        seen, hook = [], sys.unraisablehook
        sys.unraisablehook = lambda unraisable: seen.append(unraisable.exc_type)
        try:
            self.assertEqual(dll._testfunc_callback_in_thread(self.function(lambda value: 1 // 0), 7), 0)
        finally:
            sys.unraisablehook = hook
        self.assertEqual(seen, [ZeroDivisionError])

    def test_sort_together(self):
        compare = CFUNCTYPE(c_int, POINTER(c_int), POINTER(c_int))(lambda a, b: a[0] - b[0])

        def work(i):
            numbers = (c_int * 50)(*((k * 37 + i) % 50 for k in range(50)))
            dll.my_qsort(numbers, len(numbers), sizeof(c_int), compare)
            return numbers[:]

        for numbers in together(work, count=4):
            self.assertEqual(numbers, list(range(50)))

    def test_made_and_dropped_together(self):
        def work(i):
            for k in range(100):
                callback = self.function(lambda value, k=k: value + k)
                self.assertEqual(callback(i), i + k)
            return True

        self.assertEqual(together(work), [True] * THREADS)

    def test_cycles_go(self):
        class Owner:
            def __init__(self):
                self.callback = Callbacks.function(self.call)

            def call(self, value):
                return value

        for _ in range(10):
            self.assertEqual(Owner().callback(3), 3)
        gc.collect()
        self.assertEqual([op for op in gc.get_objects() if isinstance(op, Owner)], [])


class Errno(unittest.TestCase):
    def test_own_in_each_thread(self):
        set_errno(5)

        def work(i):
            self.assertEqual(get_errno(), 0)
            set_errno(i + 1)
            for _ in range(50):
                self.assertEqual(libc.close(-1), -1)
                self.assertEqual(get_errno(), 9)        # EBADF
                set_errno(i + 1)
                self.assertEqual(get_errno(), i + 1)
            return get_errno()

        self.assertEqual(together(work), [i + 1 for i in range(THREADS)])
        self.assertEqual(set_errno(0), 5)

    def test_callback_sees_errno(self):
        function = CFUNCTYPE(c_int, c_int, use_errno=True)
        set_errno(77)
        callback = function(lambda value: get_errno())
        self.assertEqual(callback(0), 77)
        set_errno(0)


class Types(unittest.TestCase):
    def test_one_pointer_class(self):
        for _ in range(20):
            class Fresh(Structure):
                _fields_ = [('x', c_int)]

            classes = together(lambda i: POINTER(Fresh))
            self.assertEqual(len(set(classes)), 1)

    def test_one_array_class(self):
        for _ in range(20):
            class Fresh(Structure):
                _fields_ = [('x', c_int)]

            classes = together(lambda i: Fresh * 5)
            self.assertEqual(len(set(classes)), 1)
            self.assertEqual(sizeof(classes[0]), 20)

    def test_fields_are_set_once(self):
        """One thread sets the fields; no object is ever made with one layout and used with another."""
        for _ in range(30):
            class Late(Structure):
                pass

            def work(i):
                if i % 2:
                    op = Late()
                    return sizeof(op)
                try:
                    Late._fields_ = [('f%d' % k, c_long) for k in range(i + 1)]
                except AttributeError:
                    return None
                return sizeof(Late)

            results = together(work)
            self.assertLessEqual(sum(r is not None for r in results[::2]), 1)
            op = Late()
            self.assertEqual(sizeof(op), sizeof(Late))
            for size in results[1::2]:
                self.assertEqual(size, sizeof(Late))
            names = [name for name, _ in Late.__dict__.get('_fields_', ())]
            self.assertEqual(len(names) * sizeof(c_long), sizeof(Late))
            for name in names:
                setattr(op, name, 3)

    def test_pointer_target_is_set_together(self):
        for _ in range(20):
            unknown = POINTER('unknown')
            together(lambda i: unknown.set_type(c_int if i % 2 else c_short))
            value = unknown._type_(5)
            self.assertEqual(unknown(value).contents.value if isinstance(value, unknown._type_) else 5, 5)

    def test_classes_are_collected(self):
        import weakref

        class Node(Structure):
            pass

        class NodePointer(ctypes._Pointer):
            _type_ = Node

        Node._fields_ = [('next', NodePointer), ('array', c_int * 3)]
        node = Node()
        node.next = NodePointer(node)
        refs = [weakref.ref(Node), weakref.ref(NodePointer), weakref.ref(Node * 7)]
        del Node, NodePointer, node
        for _ in range(3):
            gc.collect()
        self.assertEqual([ref() for ref in refs], [None] * 3)


class Memory(unittest.TestCase):
    def test_resize_and_use(self):
        """Readers and writers of an object that another thread resizes stay in memory that is the object's."""
        numbers = (c_int * 4)(1, 2, 3, 4)
        done = threading.Event()

        def work(i):
            if i == 0:
                for size in range(16, 4000, 8):
                    resize(numbers, size)
                for size in range(4000, 16, -8):
                    resize(numbers, size)
                done.set()
                return True
            while not done.is_set():
                numbers[2] = 3
                self.assertEqual(numbers[:2], [1, 2])
                self.assertGreaterEqual(len(bytes(numbers)), 16)
                cast(numbers, POINTER(c_int))[0]
            return True

        self.assertEqual(together(work, count=4), [True] * 4)
        self.assertEqual(numbers[:], [1, 2, 3, 4])

    def test_views_of_old_memory(self):
        text = (c_char * 20)(*b'0123456789')
        view = memoryview(text)
        resize(text, 100000)
        self.assertEqual(view.tobytes()[:10], b'0123456789')
        self.assertEqual(text.value, b'0123456789')

    def test_objects_in_memory(self):
        """References that one thread replaces while another reads them."""
        cell = (py_object * 1)([0])

        def work(i):
            for k in range(300):
                if i % 2:
                    cell[0] = [k]
                else:
                    self.assertIsInstance(cell[0], list)
            return True

        self.assertEqual(together(work), [True] * THREADS)

    def test_kept_objects(self):
        strings = (c_char_p * THREADS)()

        def work(i):
            for k in range(200):
                strings[i] = b'%d %d' % (i, k)
            return strings[i]

        self.assertEqual(together(work), [b'%d 199' % i for i in range(THREADS)])
        self.assertEqual(len(strings._objects), THREADS)

    def test_one_string_of_many_threads(self):
        """The string that is kept is the one whose address was stored last."""
        strings = (c_char_p * 1)(b'')

        def work(i):
            for k in range(500):
                strings[0] = b'%d' % (i * 1111111111111111)
                self.assertIn(int(strings[0]), numbers)
            return True

        numbers = {i * 1111111111111111 for i in range(THREADS)}
        self.assertEqual(together(work), [True] * THREADS)
        self.assertEqual(strings[0], strings._objects['0'])

    def test_function_attributes(self):
        """argtypes and restype change while other threads call."""
        prototype = CFUNCTYPE(c_int, c_int)
        function = prototype(('abs', libc))

        def work(i):
            for k in range(300):
                if i == 0:
                    function.argtypes = [c_int] if k % 2 else [c_long]
                    function.restype = c_int if k % 3 else c_short
                    function.errcheck = lambda result, function, args: result
                else:
                    self.assertEqual(function(-5), 5)
            return True

        self.assertEqual(together(work), [True] * THREADS)


class ByValue(unittest.TestCase):
    """Unions and bit fields in registers."""

    def test_unions(self):
        class Parts(Structure):
            _fields_ = [('a', c_int), ('b', c_int)]

        class Number(Union):
            _fields_ = [('whole', c_long), ('parts', Parts)]

        class Floats(Structure):
            _fields_ = [('a', c_float), ('b', c_float)]

        class Real(Union):
            _fields_ = [('d', c_double), ('f', Floats)]

        dll._testfunc_union_by_value1.argtypes = [Number]
        dll._testfunc_union_by_value1.restype = c_long
        self.assertEqual(dll._testfunc_union_by_value1(Number(whole=1 << 40)), 1 << 40)
        dll._testfunc_union_by_value3.argtypes = [Real]
        dll._testfunc_union_by_value3.restype = c_double
        self.assertEqual(dll._testfunc_union_by_value3(Real(d=2.5)), 2.5)
        dll._testfunc_union_by_value4.argtypes = [c_float, c_float]
        dll._testfunc_union_by_value4.restype = Real
        result = dll._testfunc_union_by_value4(1.5, -2.5)
        self.assertEqual((result.f.a, result.f.b), (1.5, -2.5))

    def test_bit_fields(self):
        class Bits(Structure):
            _fields_ = [('A', c_int, 1), ('B', c_int, 2), ('C', c_int, 3), ('D', c_int, 2)]

        function = dll._testfunc_bitfield_by_value1
        function.argtypes, function.restype = [Bits], c_long
        self.assertEqual(function(Bits(-1, 1, 3, -2)), 1)


if __name__ == '__main__':
    unittest.main()
