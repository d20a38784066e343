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

    def __init__(self, threads):
        self.keys = 4096 // threads         # of each thread
        self.list, self.dict, self.set, self.deque = [], {}, set(), collections.deque()
        self.lock, self.rlock, self.count = threading.Lock(), threading.RLock(), 0
        self.simple, self.queue = queue.SimpleQueue(), queue.Queue()


def list_append(shared, me, n):
    append, clear = shared.list.append, shared.list.clear
    for i in range(n):
        append(me)
        if i & 4095 == 0:
            clear()


def dict_insert(shared, me, n):
    items, mask = shared.dict, shared.keys - 1
    for i in range(n):
        items[me, i & mask] = i


def attribute_store(shared, me, n):
    for i in range(n):
        shared.count = i


def attribute_replace(shared, me, n):
    """Each drops what the other has stored."""
    for i in range(n):
        shared.count = (i,)


def set_add(shared, me, n):
    add = shared.set.add
    for i in range(n):
        add(i & 4095)


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


def lock_for_a_third(shared, me, n):
    """A lock that is held for a third of the time: there is room for two."""
    lock = shared.lock
    for _ in range(n // 256):
        with lock:
            for _ in range(80):
                shared.count += 1
        mine = 0
        for _ in range(400):
            mine += 1


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
    """Objects made by one thread and dropped by another, or the same."""
    put, get = shared.simple.put, shared.simple.get
    for i in range(16):
        put([i])
    for i in range(n // 2):
        put([i])
        get()


def short_threads(shared, me, n):
    """n / 256 threads that do nothing, one after the other."""
    for _ in range(n // 256):
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()


ROWS = [list_append, dict_insert, attribute_store, attribute_replace, set_add, counter_under_lock, counter_under_rlock,
        lock_for_a_third, simple_queue, queue_queue, deque_as_queue, hand_off, short_threads]


def seconds(run, total, threads):
    """Wall and processor time for `total` operations in all."""
    shared, gate, spent = Shared(threads), threading.Barrier(threads), []

    def work(me):
        gate.wait()
        begin, cpu = time.perf_counter(), time.thread_time()
        run(shared, me, total // threads)
        spent.append((begin, time.perf_counter(), time.thread_time() - cpu))
    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    begins, ends, cpu = zip(*spent)
    return max(ends) - min(begins), sum(cpu)


def best(run, total, threads, repeat):
    return map(min, zip(*(seconds(run, total, threads) for _ in range(repeat))))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--repeat", type=int, default=5, help="the best of so many runs")
    parser.add_argument("--operations", type=int, default=400_000)
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
