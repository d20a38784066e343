"""_json, _pickle, _datetime, zlib, _bz2, _lzma, pyexpat, _zoneinfo and the multi-byte codecs, beyond what CPython's suite asks."""
import bz2
import datetime
import io
import json
import lzma
import pickle
import threading
import unittest
import zlib
from xml.parsers import expat

from thread_cases import together


class PickleTest(unittest.TestCase):
    def test_a_busy_pickler_refuses_a_second_run(self):
        class Reentrant(pickle.Pickler):
            def persistent_id(self, obj):
                if obj == 1:
                    self.dump(2)
        with self.assertRaises(RuntimeError):
            Reentrant(io.BytesIO()).dump(1)

    def test_list_that_shrinks_meanwhile(self):
        class Shrink:
            def __reduce__(self):
                items.clear()
                return int, ()
        items = [Shrink(), 1, 2, 3]
        self.assertIsInstance(pickle.loads(pickle.dumps(items)), list)

    def test_far_memo_index_takes_no_memory(self):
        self.assertEqual(pickle.loads(b'Nr\xff\xff\xff\xff0j\xff\xff\xff\xff.'), None)

    def test_one_dict_in_many_threads(self):
        shared = {i: [i] for i in range(100)}

        def work(i):
            for k in range(50):
                shared[k] = [i, k]
                try:
                    pickle.loads(pickle.dumps(shared))
                except RuntimeError:
                    pass        # changed size during iteration
                json.loads(json.dumps(shared))
        together(work)


class CompressionTest(unittest.TestCase):
    def test_one_stream_in_many_threads(self):
        for make, expand in ((zlib.compressobj, zlib.decompress), (bz2.BZ2Compressor, bz2.decompress),
                             (lzma.LZMACompressor, lzma.decompress)):
            compressor, pieces, lock = make(), [], threading.Lock()

            def work(i):
                for _ in range(20):
                    with lock:
                        pieces.append(compressor.compress(b'x' * 1000))
            together(work)
            pieces.append(compressor.flush())
            self.assertEqual(expand(b''.join(pieces)), b'x' * 80000)

    def test_unsynchronised_use_does_no_harm(self):
        compressor = zlib.compressobj()
        together(lambda i: [compressor.compress(b'abc' * 100) for _ in range(50)])
        compressor.flush()


class ExpatTest(unittest.TestCase):
    def test_parser_of_entity_keeps_its_parent(self):
        inner = []
        parser = expat.ParserCreate()
        parser.ExternalEntityRefHandler = lambda context, *names: inner.append(
            parser.ExternalEntityParserCreate(context)) or 1
        parser.Parse('<!DOCTYPE a [<!ENTITY e SYSTEM "x">]><a>&e;</a>', True)
        del parser
        inner[0].Parse('text', True)

    def test_parse_within_a_handler_is_refused(self):
        parser = expat.ParserCreate()
        parser.StartElementHandler = lambda *args: parser.Parse('<b/>')
        with self.assertRaises(RuntimeError):
            parser.Parse('<a/>')


class CodecTest(unittest.TestCase):
    def test_round_trip(self):
        for encoding, text in (('shift_jis', 'あア漢'), ('euc_jp', 'あア漢丂'), ('iso2022_jp', 'aあb\n漢'), ('gbk', '汉字'),
                               ('gb18030', '汉字\U0001f600é'), ('hz', 'a汉~字'), ('big5', '漢字'), ('euc_kr', '한글똠뢔'),
                               ('cp949', '한글똠'), ('iso2022_kr', 'a한글'), ('johab', '한글')):
            self.assertEqual(text.encode(encoding).decode(encoding), text, encoding)

    def test_tables_are_made_once(self):
        together(lambda i: ['가힣'.encode('cp949') for _ in range(100)])


class DatetimeTest(unittest.TestCase):
    def test_delta_of_huge_parts(self):
        self.assertEqual(datetime.timedelta(days=10**9, hours=-24 * 10**9 + 5), datetime.timedelta(hours=5))
        with self.assertRaises(OverflowError):
            datetime.timedelta(days=10**40)


if __name__ == '__main__':
    unittest.main()
