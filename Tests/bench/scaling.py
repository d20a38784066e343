"""How much more work N threads do than one on the same shared objects (shared_reads.py), one row per operation, private work as
the control; run it with the interpreter to be measured, on an idle machine. On a busy one --cpu shows contention as processor
time that the threads lose to each other. On a machine that does not always give its cores (virtual processors that share a
core with each other or with strangers) --patience repeats a row until private work scaled right before and after it; what
private work did around the runs that count is the last column.
    braid Tests/bench/scaling.py [--threads 4] [--cpu] [--patience 60] [names]"""
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


class Machine:
    """Says whether private work scales at the moment: where it doesn't, no figure of a shared row means anything."""

    def __init__(self, wanted, length):
        self.run, self.wanted = shared_reads.CONTROLS["private_work"], wanted
        self.n = fitting_count(self.run, length)

    def scaling(self, threads, cpu):
        alone = min(seconds(self.run, self.n, 1, cpu) for _ in range(2))
        return threads * alone / seconds(self.run, self.n, threads, cpu)

    def steady_scaling(self, run, n, threads, cpu, repeat, patience):
        """How much `threads` threads do in the time of one, and the scaling of private work around the run that says so:
        the best of `repeat` runs on the machine as wanted, or of all runs where `patience` seconds ended before there were so
        many."""
        give_up, counted, all_runs = time.monotonic() + patience, [], []
        while len(counted) < repeat:
            before = self.scaling(threads, cpu)
            alone = min(seconds(run, n, 1, cpu) for _ in range(2))
            done = threads * alone / min(seconds(run, n, threads, cpu) for _ in range(2))
            control = min(before, self.scaling(threads, cpu))
            all_runs.append((done, control))
            if control >= self.wanted * threads:
                counted.append((done, control))
            elif time.monotonic() > give_up:
                break
        return alone, max(counted or all_runs)


def main():
    cores = len(os.sched_getaffinity(0))
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, help=f"largest number of threads (cores: {cores})", default=cores)
    parser.add_argument("--repeat", type=int, default=3, help="the best of so many runs")
    parser.add_argument("--seconds", type=float, default=0.2, help="length of a run")
    parser.add_argument("--below", type=float, default=0.9, help="mark rows that do less than this part of perfect scaling")
    parser.add_argument("--cpu", action="store_true", help="processor time of the slowest thread instead of wall time")
    parser.add_argument("--patience", type=float, help="seconds that a row may wait for the machine to give its cores")
    parser.add_argument("--control", type=float, default=0.93,
                        help="with --patience: private work must do this part of perfect scaling")
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    counts = sorted({n for n in (1, 2, 4, 8, 16, 32, 64, options.threads) if n <= options.threads})
    rows = {**shared_reads.CONTROLS, **shared_reads.ALL}
    print("work done by N threads in the time in which one does 1.0")
    print(f"{'operation':<26} {'ns alone':>9}  " + " ".join(f"{n:>6}" + " (own)" * bool(options.patience) for n in counts[1:]))
    machine = Machine(options.control, options.seconds / 4) if options.patience else None
    weak = 0
    for name in options.names or rows:
        run = rows[name]
        n = fitting_count(run, options.seconds)
        alone = min(seconds(run, n, 1, options.cpu) for _ in range(options.repeat))
        line, mark = "", ""
        for threads in counts[1:]:
            if machine:
                alone, (done, control) = machine.steady_scaling(run, n, threads, options.cpu, options.repeat, options.patience)
                line += f" {done:>6.2f} ({control:.2f})"
            else:
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
