"""How much more work N threads do than one, each doing the same; run it with the interpreter to be measured.
    braid Tests/bench/scaling.py [--threads 4]"""
import argparse
import os
import threading
import time

import programs


def seconds(function, n):
    gate = threading.Barrier(n + 1)

    def work():
        gate.wait()
        function()
    threads = [threading.Thread(target=work) for _ in range(n)]
    for thread in threads:
        thread.start()
    gate.wait()
    begin = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - begin


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--repeat", type=int, default=3)
    options = parser.parse_args()
    print(f"{'program':<14} {'1 thread':>9} {options.threads:>3} threads  work done (of {options.threads})")
    for name, function in programs.ALL.items():
        function()
        one = min(seconds(function, 1) for _ in range(options.repeat))
        many = min(seconds(function, options.threads) for _ in range(options.repeat))
        print(f"{name:<14} {one:>9.4f} {many:>11.4f} {options.threads * one / many:>9.2f}x", flush=True)


if __name__ == "__main__":
    main()
