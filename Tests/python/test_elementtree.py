"""Trees, builders and parsers that threads share, and what happens to them while they call Python."""
import gc
import unittest
import weakref
import xml.etree.ElementTree as ET

from thread_cases import run_threads


class Sharing(unittest.TestCase):
    def test_appending(self):
        root = ET.Element("root")

        def work(i):
            for j in range(500):
                child = ET.SubElement(root, "c", n=str(i))
                child.text = child.tail = str(j)
                root.set(f"k{i}", str(j))

        self.assertEqual(run_threads(4, work), [])
        self.assertEqual(len(root), 2000)
        self.assertEqual(root.attrib, {f"k{i}": "499" for i in range(4)})

    def test_reading_while_clearing(self):
        root = ET.Element("root")

        def work(i):
            for _ in range(300):
                if i == 0:
                    root.clear()
                elif i == 1:
                    root[:] = [ET.Element("a"), ET.Element("b")]
                    root.text = root.tail = "t" * 50
                    root.attrib = {"x": "y"}
                else:
                    list(root.iter())
                    list(root.itertext())
                    root.find("b"), root.get("x"), root.items(), repr(root)

        self.assertEqual(run_threads(4, work), [])

    def test_one_iterator(self):
        root = ET.fromstring("<r>" + "<a><b/></a>" * 500 + "</r>")
        iterator = root.iter()
        seen = []

        def work(i):
            for element in iterator:
                seen.append(element)

        self.assertEqual(run_threads(4, work), [])
        self.assertLessEqual(len(seen), 1001)

    def test_one_parser(self):
        parser = ET.XMLParser()
        parser.feed("<r>")

        def work(i):
            for _ in range(200):
                try:
                    parser.feed("<a>x</a>")
                except RuntimeError:
                    pass

        self.assertEqual(run_threads(4, work), [])
        parser.feed("</r>")
        self.assertEqual({e.tag for e in parser.close()}, {"a"})


class Reentrance(unittest.TestCase):
    def test_feeding_from_a_handler(self):
        class Target:
            def start(self, tag, attrib):
                parser.feed("<b/>")

        parser = ET.XMLParser(target=Target())
        with self.assertRaises(Exception):
            parser.feed("<a/>")

    def test_tag_whose_comparison_changes_the_tree(self):
        root = ET.fromstring("<r><a/><a/><a/></r>")

        class Tag:
            def __eq__(self, other):
                root.clear()
                return False

        self.assertEqual(list(root.iter(Tag())), [])

    def test_deep_tree(self):
        root = element = ET.Element("r")
        for _ in range(20000):
            element = ET.SubElement(element, "x")
        self.assertEqual(sum(1 for _ in root.iter()), 20001)

    def test_cycle(self):
        element = ET.Element("a")
        element.append(element)
        element.text = iter(element.iter())
        class Marker:
            pass
        marker = Marker()
        element.set("m", marker)
        ref = weakref.ref(marker)
        del element, marker
        gc.collect()
        self.assertIsNone(ref())


if __name__ == "__main__":
    unittest.main()
