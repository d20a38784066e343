"""Runs CPython's own test modules against an interpreter and compares with a reference, case by case.

    python3.11 Tools/conformance --braid build/free-threaded/braid --set core
    python3.11 Tools/conformance --tests test_list,test_dict --json out.json
    python3.11 Tools/conformance --set threads --diff old.json

The figure is: of the cases that the reference (python3.11) passes, how many pass here. Each module runs in a process of its own with a time limit,
restarted behind a case that crashes or hangs. Cases named in exclusions.txt (they test CPython's implementation) are left out.
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
                    if what in ("fail", "error"):
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


def compare(module, reference, here, patterns):
    wanted = [c for c, o in reference["outcomes"].items() if o == "pass" and not is_excluded(c, patterns)]
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
    result = run_module([python], module, timeout, dict(os.environ))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file)
    return result


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
    parser.add_argument("--status", help="write the table module, reference passes, passes here")
    parser.add_argument("--check", help="fail if a module passes fewer cases than in this table")
    parser.add_argument("--verbose", action="store_true", help="name every case that does not pass")
    options = parser.parse_args()
    tests = options.tests.split(",") if options.tests else read_sets()[options.set]
    patterns = read_exclusions()
    braid = [os.path.abspath(options.braid)]
    results, total_wanted, total_passed = {}, 0, 0

    def one(module):
        reference = reference_results(options.python, module, options.timeout)
        return module, reference, run_module(braid, module, options.timeout, dict(os.environ))

    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        futures = [pool.submit(one, module) for module in tests]
        for n, future in enumerate(concurrent.futures.as_completed(futures), 1):
            module, reference, here = future.result()
            wanted, passed, bad = compare(module, reference, here, patterns)
            results[module] = {"wanted": wanted, "passed": passed, "bad": bad, "details": here["details"], "seconds": here["seconds"]}
            total_wanted += wanted
            total_passed += passed
            kinds = {}
            for outcome in bad.values():
                kinds[outcome] = kinds.get(outcome, 0) + 1
            note = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()))
            whole = here["outcomes"].get(f"test.{module}")
            if whole:
                note += f" [{whole}: {here['details'].get(f'test.{module}', '')}]"
            print(f"[{n}/{len(tests)}] {module}: {passed} of {wanted}  {here['seconds']} s  {note}", flush=True)
            if options.verbose:
                for case, outcome in bad.items():
                    print(f"      {outcome} {case}: {here['details'].get(case, '')}")
    share = 100 * total_passed / total_wanted if total_wanted else 0.0
    print(f"total: {total_passed} of {total_wanted} cases that the reference passes ({share:.2f} %)")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(results, file, indent=1)
    if options.status:
        with open(options.status, "w", encoding="utf-8") as file:
            for module in sorted(results):
                file.write(f"{module}\t{results[module]['wanted']}\t{results[module]['passed']}\n")
    status = 0
    if options.diff:
        with open(options.diff, encoding="utf-8") as file:
            old = json.load(file)
        for module in sorted(set(old) & set(results)):
            before, after = old[module]["bad"], results[module]["bad"]
            for case in sorted(set(before) - set(after)):
                print(f"better: {case}")
            for case in sorted(set(after) - set(before)):
                print(f"worse:  {case} ({after[case]})")
    if options.check:
        with open(options.check, encoding="utf-8") as file:
            for line in file:
                module, _, passed = line.rstrip("\n").split("\t")
                if module in results and results[module]["passed"] < int(passed):
                    print(f"{module}: {results[module]['passed']} cases pass, {passed} did before")
                    status = 1
    return status


if __name__ == "__main__":
    sys.exit(main())
