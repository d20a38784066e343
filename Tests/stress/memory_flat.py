"""Memory stays flat: big blocks made in one thread and dropped in another, small objects likewise, and many short threads.

    memory_flat.py [--seconds N] [--threads N] [CASE ...]

Each case runs a warm-up, takes the resident size, runs on, and takes it again: it fails if the size has grown by more than a
quarter and 32 MiB. Cases: blocks, objects, cycles, taken, published, threads."""
import argparse
import gc
import queue
import sys
import threading
import time

PAGE = 4096


def resident():
    """Bytes of memory that the process has in RAM."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def hand_over(make, seconds):
    """One thread makes, this one drops what it gets. Few are on the way, as the allocator keeps for a while what they took."""
    box, stop = queue.Queue(maxsize=16), threading.Event()

    def producer():
        while not stop.is_set():
            box.put(make())
        box.put(None)

    thread = threading.Thread(target=producer)
    thread.start()
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        item = box.get()
        count += 1
    stop.set()
    while item is not None:
        item = box.get()
    thread.join()
    return count


class Node:
    def __init__(self, value):
        self.value = value
        self.me = self


def blocks(seconds, threads):
    return hand_over(lambda: bytearray(1 << 20), seconds)


def objects(seconds, threads):
    return hand_over(lambda: [(i, str(i), {i: i}) for i in range(500)], seconds)


def cycles(seconds, threads):
    return hand_over(lambda: [Node(i) for i in range(500)], seconds)


def taken(seconds, threads):
    """This thread makes, another one drops what it gets."""
    box = queue.Queue(maxsize=16)

    def consumer():
        while box.get() is not None:
            pass

    thread = threading.Thread(target=consumer)
    thread.start()
    end = time.monotonic() + seconds
    count = 0
    while time.monotonic() < end:
        box.put(bytearray(1 << 20) if count % 8 == 0 else [(i, str(i), {i: i}) for i in range(100)])
        count += 1
    box.put(None)
    thread.join()
    return count


def published(seconds, threads):
    """Items of a shared list are replaced by all threads: every item waits for a grace period."""
    shared, stop = [[0] * 100 for _ in range(64)], threading.Event()
    counts = [0] * threads

    def work(me):
        while not stop.is_set():
            for i in range(64):
                shared[i] = [me] * (i * 10 + 1)
            counts[me] += 64

    workers = [threading.Thread(target=work, args=(i,)) for i in range(threads)]
    for worker in workers:
        worker.start()
    time.sleep(seconds)
    stop.set()
    for worker in workers:
        worker.join()
    return sum(counts)


def short_threads(seconds, threads):
    end, count = time.monotonic() + seconds, 0
    results = []

    def work():
        results.append([str(i) for i in range(50)])

    while time.monotonic() < end:
        batch = [threading.Thread(target=work) for _ in range(threads * 4)]
        for thread in batch:
            thread.start()
        for thread in batch:
            thread.join()
        count += len(batch)
        results.clear()
    return count


CASES = {"blocks": blocks, "objects": objects, "cycles": cycles, "taken": taken, "published": published, "threads": short_threads}


def run(name, seconds, threads):
    case = CASES[name]
    case(seconds / 4, threads)
    gc.collect()
    before = resident()
    count = case(seconds, threads)
    gc.collect()
    after = resident()
    flat = after < before * 5 // 4 + (32 << 20)
    print(f"{name:10} {count:9} done  {before >> 20:5} MiB before, {after >> 20:5} MiB after  {'flat' if flat else 'GROWS'}", flush=True)
    return flat


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", choices=[[], *CASES], default=[])
    parser.add_argument("--seconds", type=float, default=4.0, help="for each case (4)")
    parser.add_argument("--threads", type=int, default=4)
    options = parser.parse_args()
    results = [run(name, options.seconds, options.threads) for name in options.cases or CASES]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
