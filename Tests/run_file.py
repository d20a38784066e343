"""Runs one file of tests and ends with a line `RESULT passed failed`.   run_file.py FILE [test names]
The interpreter that runs this is the one that is tested. Skipped tests count as neither."""
import os
import sys
import unittest


def main(path, names):
    sys.path.insert(0, os.path.dirname(os.path.abspath(path)))
    module = os.path.splitext(os.path.basename(path))[0]
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromName(module) if not names else loader.loadTestsFromNames([module + "." + n for n in names])
    result = unittest.TextTestRunner(stream=sys.stdout, verbosity=1).run(suite)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print("RESULT", result.testsRun - failed - len(result.skipped), failed, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1], sys.argv[2:]))
