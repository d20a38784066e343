"""What the tests with threads have in common."""
import threading


def run_threads(count, work):
    """Runs work(i) in threads that start at the same moment; returns what they raised."""
    return _run(count, work)[1]


def together(work, count=4):
    """The same; returns the results, and raises what one of them raised."""
    results, errors = _run(count, work)
    if errors:
        raise errors[0]
    return results


def _run(count, work):
    gate, results, errors = threading.Barrier(count), [None] * count, []

    def guarded(i):
        try:
            gate.wait(30)
            results[i] = work(i)
        except BaseException as error:      # handed to the main thread
            errors.append(error)

    threads = [threading.Thread(target=guarded, args=(i,)) for i in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results, errors
