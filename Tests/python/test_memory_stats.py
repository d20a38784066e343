"""Figures about memory: they are plausible, and follow what the program does. Braid only."""
import gc
import os
import subprocess
import sys
import unittest

BRAID = os.environ.get("BRAID", sys.executable)


class MemoryStats(unittest.TestCase):
    def test_allocated_blocks_follow_allocation(self):
        before = sys.getallocatedblocks()
        kept = [[i] for i in range(10_000)]
        self.assertGreaterEqual(sys.getallocatedblocks() - before, 9_000)
        del kept
        self.assertLess(sys.getallocatedblocks() - before, 1_000)

    def test_a_collection_is_a_pause(self):
        before = gc.get_pause_stats()
        gc.collect()
        after = gc.get_pause_stats()
        self.assertGreater(after["pauses"], before["pauses"])
        self.assertGreater(after["total_seconds"], before["total_seconds"])
        self.assertLessEqual(after["longest_seconds"], max(after["histogram"]))
        self.assertEqual(sum(after["histogram"].values()), after["pauses"])

    def run_braid(self, *arguments):
        return subprocess.run([BRAID, *arguments], capture_output=True, text=True, check=True).stderr

    def test_debugmallocstats_names_every_cause(self):
        text = self.run_braid("-c", "import sys; sys._debugmallocstats()")
        for cause in ("Object pages", "grace period", "merge", "stopped", "resident"):
            self.assertIn(cause, text)

    def test_gcstats_reports_at_exit(self):
        self.assertRegex(self.run_braid("-X", "gcstats", "-c", "import gc; gc.collect()"), r"gc: \d+ pauses, .* longest")


if __name__ == "__main__":
    unittest.main()
