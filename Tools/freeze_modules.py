"""Writes the file of frozen library modules, whose layout Python/runtime/import_frozen_file.c describes. Run by the interpreter
that was just built: freeze_modules.py OUTPUT"""
import marshal
import os
import struct
import sys
from importlib.util import MAGIC_NUMBER

# Those that CPython freezes, so that tracebacks through them look the same.
FROZEN = ("zipimport abc codecs io _collections_abc _sitebuiltins genericpath ntpath posixpath os.path os site stat importlib.util "
          "importlib.machinery runpy").split()
ORIGINAL_NAMES = {"_frozen_importlib": "importlib._bootstrap", "_frozen_importlib_external": "importlib._bootstrap_external",
                  "os.path": "posixpath"}
# And those that every start imports, which say that they come from their files.
FROM_FILES = ["encodings", "encodings.aliases", "encodings.utf_8"]

HEADER = struct.Struct("=8s4I")
ENTRY = struct.Struct("=6I2Q")


class Module:
    def __init__(self, name, library):
        self.name = name
        self.origname = ORIGINAL_NAMES.get(name, name)
        self.path = self.origname.replace(".", "/")
        self.is_package = os.path.isdir(os.path.join(library, self.path))
        self.path += "/__init__.py" if self.is_package else ".py"
        full = os.path.join(library, self.path)
        with open(full, "rb") as source:
            status = os.fstat(source.fileno())
            text = source.read()
        self.size, self.time = status.st_size, status.st_mtime_ns
        filename = full if name in FROM_FILES else f"<frozen {self.origname}>"
        self.code = marshal.dumps(compile(text, filename, "exec", dont_inherit=True, optimize=0))


def pack(modules, library):
    start = HEADER.size + ENTRY.size * len(modules)
    tail, places = bytearray(), {}

    def place(data):
        if data not in places:
            places[data] = start + len(tail)
            tail.extend(data)
        return places[data]

    def place_text(text):
        return place(os.fsencode(text) + b"\0")

    entries = [ENTRY.pack(place_text(m.name), place_text(m.origname), place_text(m.path), m.is_package, place(m.code), len(m.code),
                          m.size, m.time) for m in modules]
    where = place_text(library)
    tail.extend(b"\0")
    header = HEADER.pack(b"braidfrz", int.from_bytes(MAGIC_NUMBER, "little"), len(modules), where, start + len(tail))
    return header + b"".join(entries) + tail


def main():
    library, output = sys._stdlib_dir, sys.argv[1]
    names = ["_frozen_importlib", "_frozen_importlib_external", *FROZEN, *FROM_FILES]
    data = pack([Module(name, library) for name in names], library)
    with open(output + ".new", "wb") as file:
        file.write(data)
    os.replace(output + ".new", output)


main()
