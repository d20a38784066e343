"""Threads at work: runs plain Python workloads with one thread, two, ... and says how much faster that is.

    braid Tools/demo                      all workloads, 1 thread to as many as there are cores
    braid Tools/demo --gil both           the same beside a run with the global lock (PYTHONGIL=1)
    braid Tools/demo --workload count --threads 1,4 --size 5
"""
import argparse
import json
import os
import subprocess
import sys
import time

import workloads


def gil_enabled():
    return getattr(sys, "_is_gil_enabled", lambda: True)()


def cores():
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def thread_counts(n):
    """1, 2, 4, ... and n itself."""
    counts = {1, n}
    power = 2
    while power < n:
        counts.add(power)
        power *= 2
    return sorted(counts)


def progress(text):
    """Replaces the line shown before, where somebody watches."""
    if sys.stderr.isatty():
        sys.stderr.write("\r\033[K" + text)
        sys.stderr.flush()


def measure(names, counts, size, repeat):
    """A row for each workload and number of threads; stops if a result depends on that number."""
    rows = []
    steps = len(names) * len(counts)
    for name in names:
        expected = alone = None
        for threads in counts:
            progress(f"[{len(rows) + 1}/{steps}] {name}, {threads} thread{'s'[:threads > 1]}, "
                     f"GIL {'on' if gil_enabled() else 'off'} ...")
            if expected is None:
                expected = workloads.ALL[name](size, threads)       # also warms up what it keeps
            best = None
            for _ in range(repeat):
                begin = time.perf_counter()
                result = workloads.ALL[name](size, threads)
                seconds = time.perf_counter() - begin
                best = seconds if best is None else min(best, seconds)
                if result != expected:
                    progress("")
                    sys.exit(f"demo: {name} with {threads} threads: {result!r} instead of {expected!r}")
            if alone is None:
                alone = best
            rows.append({"workload": name, "threads": threads, "seconds": best, "speedup": alone / best,
                         "gil": gil_enabled()})
    progress("")
    return rows


def run_again(options, counts, gil):
    """The same measurements by this interpreter in another process, with the global lock on or off."""
    command = [sys.executable, os.path.dirname(os.path.abspath(__file__)), "--json", "--size", str(options.size),
               "--repeat", str(options.repeat), "--threads", ",".join(map(str, counts))]
    for name in options.workload or ():
        command += ["--workload", name]
    environment = dict(os.environ, PYTHONGIL="1" if gil else "0")
    output = subprocess.run(command, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return json.loads(output)["rows"]


def show(rows):
    print(f"{'workload':<12} {'threads':>7} {'seconds':>9} {'speed-up':>9}  GIL")
    for row in rows:
        print(f"{row['workload']:<12} {row['threads']:>7} {row['seconds']:>9.3f} {row['speedup']:>8.2f}x  "
              f"{'on' if row['gil'] else 'off'}")


def show_both(off, on):
    if off and off[0]["gil"]:
        print("This interpreter cannot switch the global lock off: both halves have it on.")
    print(f"{'':<12} {'':>7} | {'GIL off':^19} | {'GIL on':^19} |")
    print(f"{'workload':<12} {'threads':>7} | {'seconds':>9} {'speed-up':>9} | {'seconds':>9} {'speed-up':>9} | off against on")
    for a, b in zip(off, on):
        print(f"{a['workload']:<12} {a['threads']:>7} | {a['seconds']:>9.3f} {a['speedup']:>8.2f}x "
              f"| {b['seconds']:>9.3f} {b['speedup']:>8.2f}x | {b['seconds'] / a['seconds']:>8.2f}x")


def main():
    parser = argparse.ArgumentParser(prog="demo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=float, default=1.0, help="how much work: 1 is about a second each on one thread")
    parser.add_argument("--workload", action="append", choices=list(workloads.ALL), help="only this one (may be repeated)")
    parser.add_argument("--threads", help="numbers of threads, as 1,2,4; the default is 1 to the number of cores")
    parser.add_argument("--repeat", type=int, default=1, help="take the best of so many runs")
    parser.add_argument("--gil", choices=["both"], help="run again with the global lock and compare")
    parser.add_argument("--picture", metavar="FILE", help="where mandelbrot writes its picture (PPM)")
    parser.add_argument("--json", action="store_true", help="print the measurements as JSON")
    options = parser.parse_args()
    try:
        counts = [int(n) for n in options.threads.split(",")] if options.threads else thread_counts(cores())
    except ValueError:
        parser.error("--threads takes numbers with commas between them")
    if min(counts) < 1 or options.size <= 0 or options.repeat < 1:
        parser.error("--threads, --size and --repeat must be positive")
    workloads.picture_path = options.picture
    names = options.workload or list(workloads.ALL)

    if options.gil == "both":
        off, on = run_again(options, counts, gil=False), run_again(options, counts, gil=True)
        if options.json:
            print(json.dumps({"off": off, "on": on}))
        else:
            show_both(off, on)
        return
    if not options.json:
        print(f"{sys.implementation.name} {sys.version.split()[0]}, {cores()} cores, "
              f"GIL {'on' if gil_enabled() else 'off'}")
        for name in names:
            print(f"  {name:<12}{workloads.ALL[name].__doc__}")
    rows = measure(names, counts, options.size, options.repeat)
    if options.json:
        print(json.dumps({"implementation": sys.implementation.name, "cores": cores(), "rows": rows}))
    else:
        show(rows)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        progress("")
        sys.exit(130)
    except subprocess.CalledProcessError as error:
        sys.exit(f"demo: the other run failed with status {error.returncode}")
