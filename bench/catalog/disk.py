"""What the disk itself takes, in the same minutes as what is measured."""

import os
import threading
import time

BLOCK = 512
BLOCKS = 16_384


class Disk:
    """A file that is there in full, as the log's segments are: a write into it and its fdatasync change nothing else."""

    def __init__(self, path):
        self.file = os.open(path, os.O_RDWR | os.O_CREAT)
        os.write(self.file, bytes(BLOCK * BLOCKS))
        os.fsync(self.file)
        self.at, self.took = 0, []

    def force(self):
        """One write and its fdatasync."""
        begin = time.monotonic()
        os.pwrite(self.file, bytes(BLOCK), self.at % BLOCKS * BLOCK)
        os.fdatasync(self.file)
        self.took.append(time.monotonic() - begin)
        self.at += 1

    def taken(self):
        """Seconds that each took since the last call."""
        took, self.took = sorted(self.took), []
        return took

    def meanwhile(self, do, pause=0.002):
        """What `do` gives, while the disk is asked again and again beside it."""
        over = threading.Event()

        def ask():
            while not over.wait(pause):
                self.force()

        beside = threading.Thread(target=ask)
        beside.start()
        try:
            return do()
        finally:
            over.set()
            beside.join()

    def close(self):
        os.close(self.file)
