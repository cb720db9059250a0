"""A PostgreSQL of its own for each peer, with its default settings, on loopback and in a temporary directory."""

import os
import pwd
import random
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from processes import Failed, Program

USER = "bench"
# What every step durable means here. None is set: these are the defaults, and the run is refused without them.
DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}


def free_port():
    """A port that nobody listens on; below 32768, since Temporal keeps some in a signed number of 16 bits."""
    for _ in range(100):
        port = random.randrange(10_000, 30_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue
    raise Failed("no free port was found on 127.0.0.1 between 10000 and 30000")


def programs():
    """The directory of initdb and postgres: that of the newest version that is installed."""
    if found := shutil.which("initdb"):
        return Path(found).resolve().parent
    installed = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    if not installed:
        raise Failed("PostgreSQL's `initdb` is not on this machine; install its server (Debian: postgresql)")
    return max(installed, key=lambda path: int(path.parent.name))


def identity():
    """Popen's options for running as `postgres` where we are root, since PostgreSQL refuses to run as root."""
    if os.geteuid():
        return {}
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        raise Failed("run as root, PostgreSQL needs a user `postgres`; there is none") from None
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


class Postgres:
    def __init__(self, name, folder):
        self.bin = programs()
        self.port = free_port()
        self.password = secrets.token_hex(16)
        self.home = folder / f"{name}-postgres"
        self.home.mkdir(mode=0o700)
        who = identity()
        if who:
            os.chown(self.home, who["user"], who["group"])
        secret = self.home / "password"
        secret.write_text(self.password)
        secret.chmod(0o644)
        data = self.home / "data"
        command = ["initdb", "-D", data, "-U", USER, "-A", "scram-sha-256", f"--pwfile={secret}", "-E", "UTF8"]
        self._finish([*command, "--locale=C"], **who)
        secret.unlink()
        options = {"listen_addresses": "127.0.0.1", "port": self.port, "unix_socket_directories": self.home}
        settings = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        self.program = Program(f"{name}-postgres", [self.bin / "postgres", "-D", data, *settings], folder, **who)
        self.pid = self.program.pid
        try:
            self._wait()
            self.version = self.query("show server_version").split()[0]
            for setting, wanted in DURABLE.items():
                if (found := self.query(f"show {setting}")) != wanted:
                    raise Failed(f"PostgreSQL has `{setting}` = `{found}`; only `{wanted}` is durable")
        except BaseException:
            self.stop()
            raise

    def _finish(self, command, timeout=60, **options):
        command = [str(self.bin / command[0]), *map(str, command[1:])]
        pipe = subprocess.PIPE
        done = subprocess.run(
            command, stdout=pipe, stderr=subprocess.STDOUT, text=True, timeout=timeout, cwd=self.home, **options
        )
        if done.returncode:
            raise Failed(f"`{Path(command[0]).name}` failed: {done.stdout.strip()}")
        return done.stdout.strip()

    def _wait(self):
        until = time.monotonic() + 30
        while True:
            try:
                return self.query("select 1")
            except Failed:
                if time.monotonic() > until:
                    raise self.program.failed("is not ready after 30 s") from None
            time.sleep(0.1)

    def query(self, statement):
        address = ["-h", "127.0.0.1", "-p", self.port, "-U", USER, "-d", "postgres"]
        environment = {**os.environ, "PGPASSWORD": self.password}
        return self._finish(["psql", "-XAtq", *address, "-c", statement], env=environment)

    def stop(self):
        self.program.stop(signal.SIGINT)
