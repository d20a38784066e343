"""The end of threads: what runs before join() comes back."""
import sys
import threading
import time
import unittest
import weakref


def drop(things, ending):
    ending.wait()
    while things:
        things.pop()
        time.sleep(0.0005)


class EndTest(unittest.TestCase):
    def test_no_code_after_join(self):
        """Objects of a thread that others drop while it ends: it runs their finalisers before it is joined, or others do."""
        joined, late = set(), []

        class Thing:
            def __del__(self):
                time.sleep(0.002)
                if threading.get_native_id() in joined:
                    late.append(1)

        def make():
            local.much = [[] for _ in range(200000)]        # takes a while to drop, without a safe point
            things.extend([Thing() for _ in range(20)])
            ready.wait()
            ending.set()

        for _ in range(4):
            things, local, ready, ending = [], threading.local(), threading.Barrier(2), threading.Event()
            maker = threading.Thread(target=make)
            maker.start()
            dropper = threading.Thread(target=drop, args=(things, ending))
            dropper.start()
            ready.wait()
            maker.join()
            joined.add(maker.native_id)
            dropper.join()
        self.assertEqual(late, [])

    def test_finaliser_uses_what_is_cleared(self):
        """A finaliser that runs at the very end may use thread-local storage again."""
        local, seen = threading.local(), []

        class Last:
            def __del__(self):
                local.again = [1]
                seen.append(threading.get_ident())

        def work():
            local.last = Last()
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        self.assertEqual(len(seen), 1)

    def test_lock_of_thread_with_callback(self):
        """The lock that join() waits for may be watched."""
        called, gate = [], threading.Event()
        thread = threading.Thread(target=gate.wait)
        thread.start()
        reference = weakref.ref(thread._tstate_lock, called.append)
        gate.set()
        thread.join()
        self.assertFalse(thread.is_alive())
        del thread, reference

    def test_many_ends(self):
        for _ in range(30):
            threads = [threading.Thread(target=lambda: [object() for _ in range(10)]) for _ in range(8)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        self.assertEqual(threading.active_count(), 1, sys.version)


if __name__ == "__main__":
    unittest.main()
