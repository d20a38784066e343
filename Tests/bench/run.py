"""Times the programs of programs.py on two interpreters in turn and prints their ratio.
    run.py [--braid PATH] [--python PATH] [names, or the groups basic, operations, classics]"""
import argparse
import json
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))


def measure(program, options, times):
    """One run of a program over all names: the least time of each goes to times."""
    command = [program, os.path.join(HERE, "programs.py"), str(options.repeat), *options.names]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0:
        sys.exit(f"{program} failed")
    for name, seconds in json.loads(done.stdout).items():
        times.setdefault(name, []).append(seconds)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--braid", default=os.path.join(HERE, "..", "..", "build", "free-threaded", "braid"))
    parser.add_argument("--python", default="/usr/bin/python3.11", help="what it is compared with")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each interpreter, taking turns")
    parser.add_argument("--repeat", type=int, default=5, help="repetitions of each program in a run")
    parser.add_argument("--sort", action="store_true", help="slowest ratio first")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    ours, theirs = {}, {}
    for _ in range(options.rounds):
        measure(options.braid, options, ours)
        measure(options.python, options, theirs)
    rows = [(min(theirs[name]) / min(times), name, min(times), min(theirs[name])) for name, times in ours.items()]
    if options.sort:
        rows.sort()
    print(f"{'program':<26} {'braid':>9} {'python':>9}  python/braid  (least processor time, milliseconds)")
    for ratio, name, mine, other in rows:
        print(f"{name:<26} {mine * 1000:>9.2f} {other * 1000:>9.2f} {ratio:>9.2f}x")
    print(f"{'geometric mean':<46} {statistics.geometric_mean(row[0] for row in rows):>9.2f}x")


if __name__ == "__main__":
    main()
