"""Times small programs on Braid and on CPython in turn and prints medians and their ratio."""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--braid", default=os.path.join(HERE, "..", "..", "build", "free-threaded", "braid"))
    parser.add_argument("--python", default="/usr/bin/python3.11")
    parser.add_argument("--repeat", type=int, default=5, help="runs of each interpreter, taking turns")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    sys.path.insert(0, HERE)
    import programs
    ratios = []
    print(f"{'program':<14} {'braid':>9} {'python':>9}  python/braid  (medians of {options.repeat}, seconds)")
    for name in options.names or programs.ALL:
        times = ([], [])
        for _ in range(options.repeat):
            for program, list_of_times in zip((options.braid, options.python), times):
                done = subprocess.run([program, os.path.join(HERE, "programs.py"), "1", name], capture_output=True, text=True)
                if done.returncode == 0:
                    list_of_times.append(json.loads(done.stdout)[name])
        if not all(times):
            print(f"{name:<14} failed")
            continue
        braid, python = map(statistics.median, times)
        ratios.append(python / braid)
        print(f"{name:<14} {braid:>9.4f} {python:>9.4f} {python / braid:>9.2f}x", flush=True)
    if ratios:
        print(f"{'geometric mean':<34} {statistics.geometric_mean(ratios):>9.2f}x")


if __name__ == "__main__":
    main()
