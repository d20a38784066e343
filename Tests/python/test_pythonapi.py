"""The C API by name: functions of the interpreter called through ctypes.pythonapi."""
import unittest

try:
    from ctypes import POINTER, byref, c_char, c_char_p, c_int, c_long, c_size_t, c_void_p, py_object, pythonapi
    from ctypes import create_string_buffer
except ImportError as error:
    raise unittest.SkipTest(str(error))


def function(name, restype, *argtypes):
    found = pythonapi[name]
    found.restype, found.argtypes = restype, argtypes
    return found


class PythonAPI(unittest.TestCase):
    def test_objects(self):
        self.assertEqual(function('PyObject_Repr', py_object, py_object)([1]), '[1]')
        self.assertEqual(function('PyLong_FromLong', py_object, c_long)(-5), -5)
        self.assertEqual(function('PyLong_AsLong', c_long, py_object)(1 << 40), 1 << 40)
        self.assertEqual(function('PyUnicode_FromString', py_object, c_char_p)(b'text'), 'text')

    def test_exceptions_come_out(self):
        with self.assertRaises(TypeError):
            function('PyLong_AsLong', c_long, py_object)('x')
        with self.assertRaises(SystemError):
            function('PyErr_BadInternalCall', None)()

    def test_what_the_headers_have_as_macros(self):
        self.assertEqual(function('Py_IsNone', c_int, py_object)(None), 1)
        self.assertEqual(function('Py_IsTrue', c_int, py_object)(1), 0)
        self.assertEqual(function('Py_IsFalse', c_int, py_object)(False), 1)
        op = object()
        self.assertEqual(function('Py_Is', c_int, py_object, py_object)(op, op), 1)
        self.assertIs(function('Py_NewRef', py_object, py_object)(op), op)
        self.assertEqual(function('PyEval_CallObjectWithKeywords', py_object, py_object, c_void_p, py_object)(
            dict, None, {'a': 1}), {'a': 1})

    def test_variable_arguments(self):
        buffer = create_string_buffer(50)
        snprintf = function('PyOS_snprintf', c_int, POINTER(c_char), c_size_t, c_char_p)
        self.assertEqual(snprintf(buffer, 50, b'%d %s %ld', 3, b'abc', c_long(1 << 40)), 19)
        self.assertEqual(buffer.value, b'3 abc 1099511627776')

    def test_outputs(self):
        size = c_long()
        as_utf8 = function('PyUnicode_AsUTF8AndSize', c_char_p, py_object, POINTER(c_long))
        self.assertEqual(as_utf8('h\xe9', byref(size)), 'h\xe9'.encode())
        self.assertEqual(size.value, 3)


if __name__ == '__main__':
    unittest.main()
