"""What the races have in common: options, threads, a seed that is printed so that a failure can be tried again."""
import argparse
import random
import sys
import threading
import time
import traceback


def race(*scenarios):
    """Runs scenarios (functions of (random, threads) that return a list of functions to run at once, and a check)
    one after another until the time is up. Exit status 1 if any thread raised or any check failed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=2.0)
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--only", help="only the scenario of this name")
    options = parser.parse_args()
    print(f"seed {options.seed}, {options.threads} threads", flush=True)
    chosen = [s for s in scenarios if options.only in (None, s.__name__)]
    end, rounds = time.monotonic() + options.seconds, 0
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
    print(f"{rounds} rounds")
