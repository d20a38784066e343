"""Many threads: thousands alive at once, and very many short ones.

    many_threads.py [--alive 10000] [--short 100000]

All of the first kind wait for one event, then end: what they take is measured per thread. Those of the second kind come one after the
other and eight at once: the resident size must stay flat."""
import argparse
import gc
import sys
import threading
import time

PAGE = 4096


def resident():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * PAGE


def alive(count):
    gc.collect()
    before, begin = resident(), time.monotonic()
    go, ended = threading.Event(), [0] * count

    def work(i):
        go.wait()
        ended[i] = 1
    threads = [threading.Thread(target=work, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    started = time.monotonic()
    each = (resident() - before) / count / 1024
    go.set()
    for thread in threads:
        thread.join()
    done = time.monotonic()
    print(f"{count} threads alive: started in {started - begin:.2f} s, ended in {done - started:.2f} s, {each:.1f} KiB each", flush=True)
    return sum(ended) == count and threading.active_count() == 1


def short(count, at_once):
    results = []

    def work():
        results.append(str(len(results)))

    def run(count):
        for _ in range(count // at_once):
            batch = [threading.Thread(target=work) for _ in range(at_once)]
            for thread in batch:
                thread.start()
            for thread in batch:
                thread.join()
            results.clear()
    run(count // 10)
    gc.collect()
    before, begin = resident(), time.monotonic()
    run(count)
    took = time.monotonic() - begin
    gc.collect()
    grown = resident() - before
    print(f"{count} short threads, {at_once} at once: {took / count * 1e6:.0f} us each, resident size {grown >> 10:+} KiB", flush=True)
    return grown < 8 << 20


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--alive", type=int, default=10000)
    parser.add_argument("--short", type=int, default=100000)
    options = parser.parse_args()
    results = [alive(options.alive), alive(options.alive), short(options.short, 1), short(options.short, 8)]
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
