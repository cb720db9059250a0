"""Processes: how they are started, spoken with and ended, and what they and their children have used."""

import os
import queue
import signal
import subprocess
import threading
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


class Failed(Exception):
    """Something did not go as it should; its text says what and where."""


class Program:
    """A program that runs until it is stopped. Its lines are read as they come; its complaints go to `NAME.log`."""

    def __init__(self, name, command, folder, **options):
        self.name = name
        # Variables of other programs are no settings of a server.
        options.setdefault("env", {name: value for name, value in os.environ.items() if not name.startswith("CORETO_")})
        self.log = folder / f"{name}.log"
        with self.log.open("a") as log:
            pipe = subprocess.PIPE
            self.process = subprocess.Popen(
                [str(part) for part in command], stdin=pipe, stdout=pipe, stderr=log, text=True, cwd=folder, **options
            )
        self.pid = self.process.pid
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.strip())
        self.lines.put(None)

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def hear(self, seconds):
        """The next line, waiting for it so long at most."""
        try:
            line = self.lines.get(timeout=seconds)
        except queue.Empty:
            raise self.failed(f"said nothing for {seconds} s") from None
        if line is None:
            raise self.failed("has ended")
        return line

    def expect(self, word, seconds):
        """The words behind `word`, with which the next line has to begin."""
        found, *rest = self.hear(seconds).split()
        if found != word:
            raise self.failed(f"said `{found}` where `{word}` was expected")
        return rest

    def failed(self, what):
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
        return Failed(f"`{self.name}` {what}; the end of its log:\n{tail}")

    def stop(self, gently=signal.SIGTERM):
        """Asks the program to end, and ends it after 20 s."""
        signal_all(self.pid, signal.SIGCONT)
        self.process.send_signal(gently)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            signal_all(self.pid, signal.SIGKILL)
            self.process.wait()


def signal_all(root, number):
    for pid in tree(root):
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def tree(root):
    """The process `root` and all below it."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and (fields := stat(entry.name)):
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    found = [root]
    for pid in found:
        found.extend(children.get(pid, []))
    return found


def stat(pid):
    """The fields of /proc/PID/stat behind the name: state, parent, ...; none if the process has gone."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def cpu_seconds(roots):
    """User and system time of the processes, of all below them, and of those below them that have ended."""
    ticks = 0
    for root in roots:
        for pid in tree(root):
            ticks += sum(int(field) for field in stat(pid)[11:15])
    return ticks / TICKS


def memory_bytes(roots):
    """Resident memory of the processes and all below them; pages that they share count once."""
    kib = 0
    for root in roots:
        for pid in tree(root):
            try:
                rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
            except (FileNotFoundError, ProcessLookupError):
                continue
            kib += sum(int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:"))
    return kib * 1024
