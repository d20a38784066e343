"""Threads that write to the same objects: the time that N threads take for a fixed amount of work, divided by the time that one takes
for all of it. 1.0 or less is what one hopes for; more than 1.3 is a convoy. Run it with the interpreter to be measured, on an idle machine.
    braid Tests/bench/writers.py [--threads 4] [names]"""
import argparse
import collections
import os
import queue
import threading
import time


class Shared:
    """Fresh objects for each run."""

    def __init__(self):
        self.list, self.dict, self.set, self.deque = [], {}, set(), collections.deque()
        self.lock, self.rlock, self.count = threading.Lock(), threading.RLock(), 0
        self.simple, self.queue = queue.SimpleQueue(), queue.Queue()
        self.box = [None] * 8


def list_append(shared, me, n):
    append = shared.list.append
    for i in range(n):
        append(i)


def list_store(shared, me, n):
    items = shared.box
    for i in range(n):
        items[i & 7] = i


def dict_insert(shared, me, n):
    items = shared.dict
    for i in range(n):
        items[me, i & 4095] = i


def set_add(shared, me, n):
    add = shared.set.add
    for i in range(n):
        add(i & 4095)


def attribute_store(shared, me, n):
    for i in range(n):
        shared.count = i


def counter_under_lock(shared, me, n):
    lock = shared.lock
    for _ in range(n):
        with lock:
            shared.count += 1


def counter_under_rlock(shared, me, n):
    lock = shared.rlock
    for _ in range(n):
        with lock:
            shared.count += 1


def simple_queue(shared, me, n):
    put, get = shared.simple.put, shared.simple.get
    for i in range(n):
        put(i)
        get()


def queue_queue(shared, me, n):
    put, get = shared.queue.put, shared.queue.get
    for i in range(n // 8):
        put(i)
        get()


def deque_as_queue(shared, me, n):
    append, popleft = shared.deque.append, shared.deque.popleft
    for i in range(n):
        append(i)
        popleft()


def hand_off(shared, me, n):
    """Objects made by one thread and dropped by whichever comes next."""
    box = shared.box
    for i in range(n // 4):
        box[i & 7] = [i]


def short_threads(shared, me, n):
    """n / 256 threads that do nothing, one after the other."""
    for _ in range(n // 256):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()


ROWS = [list_append, list_store, dict_insert, set_add, attribute_store, counter_under_lock, counter_under_rlock, simple_queue, queue_queue,
        deque_as_queue, hand_off, short_threads]


def seconds(run, total, threads):
    """Wall and processor time for `total` operations in all."""
    shared, gate = Shared(), threading.Barrier(threads + 1)

    def work(me):
        gate.wait()
        run(shared, me, total // threads)
    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    gate.wait()
    wall, cpu = time.perf_counter(), time.process_time()
    for worker in workers:
        worker.join()
    return time.perf_counter() - wall, time.process_time() - cpu


def best(run, total, threads, repeat):
    return map(min, zip(*(seconds(run, total, threads) for _ in range(repeat))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=5, help="the best of so many runs")
    parser.add_argument("--operations", type=int, default=200_000)
    parser.add_argument("names", nargs="*")
    options = parser.parse_args()
    slow = 0
    print(f"time of {options.threads} threads for the work of one, which is 1.00")
    print(f"{'operation':<22} {'ns alone':>9} {'wall':>6} {'processor':>10}")
    for run in ROWS:
        if options.names and run.__name__ not in options.names:
            continue
        wall_alone, cpu_alone = best(run, options.operations, 1, options.repeat)
        wall, cpu = best(run, options.operations, options.threads, options.repeat)
        ratio = wall / wall_alone
        slow += ratio > 1.3
        print(f"{run.__name__:<22} {wall_alone / options.operations * 1e9:>9.1f} {ratio:>6.2f} {cpu / cpu_alone:>10.2f}"
              f"{'  <' if ratio > 1.3 else ''}", flush=True)
    print(f"{slow} rows above 1.3")


if __name__ == "__main__":
    main()
