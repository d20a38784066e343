"""How much more work N threads do than one on the same shared objects (shared_reads.py), one row per operation, private work as
the control; run it with the interpreter to be measured, on an idle machine. On a busy one --cpu shows contention as processor
time that the threads lose to each other.
    braid Tests/bench/scaling.py [--threads 4] [--cpu] [names]"""
import argparse
import os
import threading
import time

import shared_reads


def seconds(run, n, threads, cpu=False):
    """Wall time until each of the threads has done its n operations; or the most processor time that one of them took."""
    gate = threading.Barrier(threads)
    spent = []

    def work():
        run(10)                     # caches of this thread
        gate.wait()
        begin, begin_cpu = time.perf_counter(), time.thread_time()
        run(n)
        spent.append((begin, time.perf_counter(), time.thread_time() - begin_cpu))
    workers = [threading.Thread(target=work) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    begins, ends, cpus = zip(*spent)
    return max(cpus) if cpu else max(ends) - min(begins)


def fitting_count(run, wanted):
    """As many operations as take about `wanted` seconds."""
    n = 1000
    while True:
        took = seconds(run, n, 1, cpu=True)
        if took > wanted / 4:
            return max(1000, int(n * wanted / took))
        n *= 4


def main():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help=f"largest number of threads (cores: {cores})", default=cores)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a run")
    parser.add_argument("--below", type=float, default=0.9, help="mark rows that do less than this part of perfect scaling")
    parser.add_argument("--cpu", action="store_true", help="processor time of the slowest thread instead of wall time")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    counts = sorted({n for n in (1, 2, 4, 8, 16, 32, 64, options.threads) if n <= options.threads})
    rows = {**shared_reads.CONTROLS, **shared_reads.ALL}
    print("work done by N threads in the time in which one does 1.0")
    print(f"{'operation':<26} {'ns alone':>9}  " + " ".join(f"{n:>6}" for n in counts[1:]))
    weak = 0
    for name in options.names or rows:
        run = rows[name]
        n = fitting_count(run, options.seconds)
        alone = min(seconds(run, n, 1, options.cpu) for _ in range(options.repeat))
        line, mark = "", ""
        for threads in counts[1:]:
            together = min(seconds(run, n, threads, options.cpu) for _ in range(options.repeat))
            done = threads * alone / together
            line += f" {done:>6.2f}"
            if done < options.below * threads:
                mark = "  <"
        weak += bool(mark)
        print(f"{name:<26} {alone / n * 1e9:>9.1f}  {line[1:]}{mark}", flush=True)
    print(f"{weak} rows below {options.below:.0%} of perfect scaling")


if __name__ == "__main__":
    main()
