"""What the races have in common: options, threads, a seed that is printed so that a failure can be tried again."""
import argparse
import random
import sys
import sysconfig
import threading
import time
import traceback

# What lies behind a memoryview is plain memory: writing there while others read is a data race of the program's, never of
# the interpreter's (Doc/free-threading.md, "exported buffers"). ThreadSanitizer cannot tell the two apart.
RACES_ON_BYTES = "sanitizer=thread" not in (sysconfig.get_config_var("CONFIG_ARGS") or "")


def memory_mib():
    """What of this process is in memory now."""
    with open("/proc/self/statm") as f:
        return int(f.read().split()[1]) * 4096 / 2 ** 20


def race(*scenarios):
    """Runs scenarios (functions of (random, threads) that return a list of functions to run at once, and a check)
    one after another until the time is up. Exit status 1 if any thread raised or any check failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--minutes", type=float, help="a soak: for so long, and memory must stay flat")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", help="only the scenario of this name")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.threads} threads", flush=True)
    chosen = [s for s in scenarios if options.only in (None, s.__name__)]
    seconds = options.minutes * 60 if options.minutes else options.seconds
    begin, rounds, settled = time.monotonic(), 0, None
    end = begin + seconds
    while time.monotonic() < end or rounds < len(chosen):
        scenario = chosen[rounds % len(chosen)]
        seed = options.seed + rounds
        bodies, check = scenario(random.Random(seed), options.threads)
        errors, gate = [], threading.Barrier(len(bodies))

        def work(body):
            try:
                gate.wait()
                body()
            except BaseException:
                errors.append(traceback.format_exc())

        threads = [threading.Thread(target=work, args=(body,)) for body in bodies]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        try:
            check()
        except BaseException:
            errors.append(traceback.format_exc())
        if errors:
            print(f"{scenario.__name__} failed; again: --only {scenario.__name__} --seed {seed}\n{errors[0]}")
            sys.exit(1)
        rounds += 1
        if options.minutes:
            if settled is None and time.monotonic() > begin + seconds / 5:
                settled = memory_mib()
            elif settled is not None and memory_mib() > settled * 1.5 + 50:
                print(f"memory grew from {settled:.0f} to {memory_mib():.0f} MiB in {rounds} rounds")
                sys.exit(1)
    print(f"{rounds} rounds, {memory_mib():.0f} MiB")
