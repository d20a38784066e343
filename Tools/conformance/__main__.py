"""Runs CPython's own test modules against an interpreter and compares with a reference, case by case.

    python3.11 Tools/conformance --braid build/free-threaded/braid --set core
    python3.11 Tools/conformance --tests test_list,test_dict --json out.json
    python3.11 Tools/conformance --set threads --diff old.json

The figure is: of the cases that the reference (python3.11) passes, how many pass here. Each module runs in a process of its own with a time limit,
restarted behind a case that crashes or hangs. Cases about CPython's implementation are left out: those that the suite marks
so itself (support.cpython_only), and those named in exclusions.txt, each group with its reason.
"""
import argparse
import concurrent.futures
import json
import os
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
RUNNER = os.path.join(HERE, "case_runner.py")
MOST_RESTARTS = 40          # of one module, each behind a case that crashed or hung


def read_sets():
    sets = {}
    with open(os.path.join(HERE, "sets.txt"), encoding="utf-8") as file:
        name = None
        for line in file:
            line = line.split("#")[0].strip()
            if line.endswith(":"):
                name = line[:-1]
                sets[name] = []
            elif line:
                sets[name] += line.split()
    sets["all"] = sorted({test for tests in sets.values() for test in tests})
    return sets


def read_exclusions():
    patterns = []
    path = os.path.join(HERE, "exclusions.txt")
    with open(path, encoding="utf-8") as file:
        for line in file:
            line = line.split("#")[0].strip()
            if line:
                patterns.append(line)
    return patterns


def is_excluded(case, patterns):
    return any(case == p or (p.endswith("*") and case.startswith(p[:-1])) for p in patterns)


def parse(path, outcomes, details):
    """Reads a record into outcomes and details.  Returns (the case that was running at its end or None, did the run end by itself)."""
    running, last_detail, ended = None, "", False
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                line = line.rstrip("\n")
                if line.startswith("# "):
                    last_detail = line[2:]
                    continue
                if line == "end":
                    ended = True
                    continue
                what, _, case = line.partition(" ")
                if what == "start":
                    running, last_detail = case, ""
                elif what in ("pass", "fail", "error", "skip"):
                    outcomes[case] = what
                    if what != "pass":
                        details[case] = last_detail
                    running = None
    except FileNotFoundError:
        pass
    return running, ended


def run_process(command, folder, timeout, environment):
    """(exit status or None after the time limit, end of the output). All that the command started is killed with it, and the
    output goes to a file, so that a stray grandchild cannot hold a pipe open."""
    path = os.path.join(folder, "output")
    with open(path, "wb") as output:
        process = subprocess.Popen(command, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT,
                                   env=environment, start_new_session=True)
        try:
            status = process.wait(timeout)
        except subprocess.TimeoutExpired:
            status = None
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()
    with open(path, "rb") as output:
        output.seek(max(0, os.path.getsize(path) - 2000))
        return status, output.read().decode("utf-8", "replace").strip()


def test_environment():
    """The curses library wants to know a terminal, even where there is none."""
    return {"TERM": "xterm", **os.environ}


def run_module(interpreter, module, timeout, environment):
    """Runs one test module, in as many processes as it takes to get past its crashes and hangs."""
    outcomes, details = {}, {}
    started = time.monotonic()
    for attempt in range(MOST_RESTARTS + 1):
        with tempfile.TemporaryDirectory(prefix="conformance", ignore_cleanup_errors=True) as folder:
            record, done = os.path.join(folder, "record"), os.path.join(folder, "done")
            with open(done, "w", encoding="utf-8") as file:
                file.write("\n".join(outcomes))
            work = os.path.join(folder, "work")
            os.mkdir(work)
            status, text = run_process([*interpreter, RUNNER, module, record, done], work, timeout, environment)
            running, ended = parse(record, outcomes, details)
        if ended:
            break
        what = "timeout" if status is None else "crash" if status < 0 else "import" if running is None else "exit"
        if running is None:
            running = f"test.{module}"
        outcomes[running] = what
        details[running] = text.splitlines()[-1][:300] if text else f"status {status}"
        if running == f"test.{module}":
            break
    return {"outcomes": outcomes, "details": details, "seconds": round(time.monotonic() - started, 1)}


def is_marked(here, case):
    """Does CPython's suite itself say that the case is about CPython's implementation (support.cpython_only)?"""
    return here["outcomes"].get(case) == "skip" and here["details"].get(case, "").startswith("implementation detail specific to cpython")


def compare(module, reference, here, patterns):
    wanted = [c for c, o in reference["outcomes"].items()
              if o == "pass" and not is_excluded(c, patterns) and not is_marked(here, c)]
    passed = [c for c in wanted if here["outcomes"].get(c) == "pass"]
    bad = {}
    for case in wanted:
        outcome = here["outcomes"].get(case, "missing")
        if outcome != "pass":
            bad[case] = outcome
    return len(wanted), len(passed), bad


def reference_path(module):
    return os.path.join(tempfile.gettempdir(), "braid-conformance-reference", module + ".json")


def reference_results(python, module, timeout):
    path = reference_path(module)
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    result = run_module([python], module, timeout, test_environment())
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return result


def read_status(path):
    """{module: cases that passed when the table was written}"""
    with open(path, encoding="utf-8") as file:
        return {row[0]: int(row[2]) for row in (line.rstrip("\n").split("\t") for line in file) if len(row) == 3}


def write_status(path, results):
    """Keeps the rows of modules that this run left out."""
    rows = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            rows = {line.split("\t")[0]: line for line in file}
    for module, result in results.items():
        rows[module] = f"{module}\t{result['wanted']}\t{result['passed']}\n"
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(rows[module] for module in sorted(rows))


def describe(result):
    kinds = {}
    for outcome in result["bad"].values():
        kinds[outcome] = kinds.get(outcome, 0) + 1
    note = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
    return f"{result['passed']} of {result['wanted']}  {result['seconds']} s  {note}{result['whole']}"


class Comparison:
    """Runs modules in both interpreters."""

    def __init__(self, options):
        self.python, self.timeout = options.python, options.timeout
        self.braid = [os.path.abspath(options.braid)]
        self.patterns = read_exclusions()

    def run(self, module):
        reference = reference_results(self.python, module, self.timeout)
        here = run_module(self.braid, module, self.timeout, test_environment())
        wanted, passed, bad = compare(module, reference, here, self.patterns)
        outcome = here["outcomes"].get(f"test.{module}")
        whole = f" [{outcome}: {here['details'].get(f'test.{module}', '')}]" if outcome else ""
        return {"wanted": wanted, "passed": passed, "bad": bad, "details": here["details"], "seconds": here["seconds"], "whole": whole}


def run_all(comparison, tests, options):
    results = {}
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = {pool.submit(comparison.run, module): module for module in tests}
        for n, future in enumerate(concurrent.futures.as_completed(futures), 1):
            module, result = futures[future], future.result()
            results[module] = result
            print(f"[{n}/{len(tests)}] {module}: {describe(result)}", flush=True)
            if options.verbose:
                for case, outcome in result["bad"].items():
                    print(f"      {outcome} {case}: {result['details'].get(case, '')}")
    wanted, passed = sum(r["wanted"] for r in results.values()), sum(r["passed"] for r in results.values())
    share = 100 * passed / wanted if wanted else 0.0
    print(f"total: {passed} of {wanted} cases that the reference passes ({share:.2f} %)", flush=True)
    return results


def check(comparison, path, results):
    """Which modules pass fewer cases than the table says? One that falls short gets a second try, alone: some of CPython's
    cases depend on time."""
    held, short = 0, 0
    for module, wanted in sorted(read_status(path).items()):
        if module not in results:
            continue
        if results[module]["passed"] < wanted:
            print(f"again: {module}, {results[module]['passed']} of {wanted}", flush=True)
            again = comparison.run(module)
            if again["passed"] > results[module]["passed"]:
                results[module] = again
        if results[module]["passed"] >= wanted:
            held += 1
        else:
            short += 1
            bad = ", ".join(f"{outcome} {case}" for case, outcome in sorted(results[module]["bad"].items()))
            print(f"FELL SHORT {module}: {results[module]['passed']} cases pass, {wanted} did before; not passing: {bad}", flush=True)
    print(f"modules that hold what {os.path.basename(path)} says: {held}, that fell short: {short}")
    return 1 if short else 0


def show_difference(path, results):
    with open(path, encoding="utf-8") as file:
        old = json.load(file)
    for module in sorted(set(old) & set(results)):
        before, after = old[module]["bad"], results[module]["bad"]
        for case in sorted(set(before) - set(after)):
            print(f"better: {case}")
        for case in sorted(set(after) - set(before)):
            print(f"worse:  {case} ({after[case]})")


def main():
    parser = argparse.ArgumentParser(prog="conformance", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--braid", default="build/free-threaded/braid", help="the interpreter under test")
    parser.add_argument("--python", default="/usr/bin/python3.11", help="the reference")
    parser.add_argument("--set", default="core", help="core, threads, lib or all")
    parser.add_argument("--tests", help="module names, separated by commas, instead of a set")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--timeout", type=int, default=120, help="seconds for one process")
    parser.add_argument("--json", help="write all results there")
    parser.add_argument("--diff", help="an older --json file: show what got better or worse")
    parser.add_argument("--status", help="bring this table up to date: module, reference passes, passes here")
    parser.add_argument("--check", help="fail if a module passes fewer cases than this table says")
    parser.add_argument("--verbose", action="store_true", help="name every case that does not pass")
    options = parser.parse_args()
    tests = options.tests.split(",") if options.tests else read_sets()[options.set]
    comparison = Comparison(options)
    results = run_all(comparison, tests, options)
    status = check(comparison, options.check, results) if options.check else 0
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    if options.status:
        write_status(options.status, results)
    if options.diff:
        show_difference(options.diff, results)
    return status


if __name__ == "__main__":
    sys.exit(main())
