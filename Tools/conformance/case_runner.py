"""Runs the cases of one test module and writes what becomes of each, line by line.

Run by the interpreter under test:  case_runner.py MODULE RECORD SKIPFILE
RECORD gets `start NAME` before a case and `OUTCOME NAME` after it (pass, fail, error, skip), so that whoever reads it
knows where a crash or a hang happened. Cases named in SKIPFILE, one a line, are left out: they are done already.
"""
import sys
import unittest


class Recorder(unittest.TestResult):
    def __init__(self, path):
        super().__init__()
        self.file = open(path, "a", encoding="utf-8", errors="backslashreplace")
        self.outcome = None

    def write(self, what, test):
        self.file.write(f"{what} {test.id()}\n")
        self.file.flush()

    def startTest(self, test):
        super().startTest(test)
        self.outcome = "pass"
        self.write("start", test)

    def stopTest(self, test):
        super().stopTest(test)
        self.write(self.outcome, test)

    def detail(self, error):
        try:
            text = f"{error[0].__name__}: {error[1]}".splitlines()
            self.file.write("# " + (text[0] if text else "")[:300] + "\n")
        except BaseException:
            pass

    def addFailure(self, test, error):
        self.outcome = "fail"
        self.detail(error)

    def addError(self, test, error):
        self.outcome = "error"
        self.detail(error)
        if not isinstance(test, unittest.TestCase):     # setUpClass, setUpModule
            self.write("error", test)

    def addSkip(self, test, reason):
        self.outcome = "skip"
        self.file.write("# " + (str(reason).splitlines() or [""])[0][:300] + "\n")
        if not isinstance(test, unittest.TestCase):
            self.write("skip", test)

    def addExpectedFailure(self, test, error):
        self.outcome = "pass"

    def addUnexpectedSuccess(self, test):
        self.outcome = "fail"

    def addSubTest(self, test, subtest, error):
        if error is not None:
            self.outcome = "fail" if issubclass(error[0], test.failureException) else "error"
            self.detail(error)


def flatten(suite):
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from flatten(item)
        else:
            yield item


def ask_rather_than_skip(support):
    """Cases of impl_detail that come with a reason of their own ("tuple reuse is specific to CPython") run all the same: a plain
    support.cpython_only is about CPython's implementation, but what these ask for another interpreter may well do."""
    impl_detail = support.impl_detail
    support.impl_detail = lambda msg=None, **guards: (lambda test: test) if msg is not None else impl_detail(msg, **guards)


def main():
    name, record, skipfile = sys.argv[1:4]
    with open(skipfile, encoding="utf-8") as file:
        done = set(file.read().split("\n"))
    from test import support
    support.verbose = 0
    support.use_resources = ["cpu", "curses", "subprocess", "walltime"]
    ask_rather_than_skip(support)
    module = __import__("test." + name, fromlist=["x"])
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromModule(module)
    cases = [case for case in flatten(suite) if case.id() not in done]
    # one suite again, so that class and module fixtures run as usual
    result = Recorder(record)
    unittest.TestSuite(cases).run(result)
    result.file.write("end\n")
    result.file.flush()


if __name__ == "__main__":
    main()
