"""The load: as many requests as go, requests at a rate, and connections that wait."""

import re
import resource
import socket
import ssl
import statistics
import subprocess
from dataclasses import dataclass

from processes import Failed


@dataclass(frozen=True)
class Load:
    """The tools, the processor that they run on, and where their files lie."""

    wrk: str
    h2load: str
    core: int
    folder: object

    def full(self, setup, seconds):
        """Requests answered by keep-alive connections that never wait, 64 of them, over all routes in turn."""
        script = self.folder / "paths.lua"
        script.write_text(
            f"""local at, paths = 0, {setup.routes}
local requests = {{}}
init = function()
  for number = 0, paths - 1 do
    requests[number] = wrk.format("GET", paths == 1 and "/orders/7?full=1" or "/service-" .. number .. "/orders/7?full=1")
  end
end
request = function() at = (at + 7) % paths; return requests[at] end
"""
        )
        said = self.run([self.wrk, "-t1", "-c64", f"-d{seconds}", "-s", script, f"http://127.0.0.1:{setup.port}"], seconds)
        if trouble := re.search(r"Non-2xx.*|Socket errors.*", said):
            raise Failed(f"wrk saw other answers than 200: {trouble[0]}")
        return int(re.search(r"(\d+) requests in", said)[1])

    def paced(self, port, rate, seconds):
        """Milliseconds that each request took, sent at a rate by 16 connections."""
        log = self.folder / "paced.log"
        log.unlink(missing_ok=True)
        options = ["--h1", "-c16", f"--rps={rate / 16}", f"-D{seconds}", f"--log-file={log}"]
        self.run([self.h2load, *options, f"http://127.0.0.1:{port}/orders/7"], seconds)
        rows = [line.split() for line in log.read_text().splitlines()]
        other = {row[1] for row in rows} - {"200"}
        if other or not rows:
            raise Failed(f"h2load saw {len(rows)} answers, of them with other statuses than 200: {sorted(other)}")
        return sorted(int(row[2]) / 1000 for row in rows)

    def run(self, command, seconds):
        command = ["taskset", "-c", str(self.core), *map(str, command)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds + 30)
        if done.returncode:
            raise Failed(f"`{command[3]}` failed:\n{done.stdout}")
        return done.stdout


def quantile(values, share):
    return values[min(len(values) - 1, int(len(values) * share))]


def middle(values):
    return statistics.median(values)


class Waiting:
    """Connections that had one answer each and stay open."""

    def __init__(self, setup, count):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.sockets = []
        for _ in range(count):
            link = socket.create_connection(("127.0.0.1", setup.port), timeout=10)
            link = context.wrap_socket(link, server_hostname="bench.example") if setup.tls else link
            link.sendall(b"GET /orders/7 HTTP/1.1\r\nHost: bench.example\r\n\r\n")
            if not link.recv(4096).startswith(b"HTTP/1.1 200"):
                raise Failed("a connection that was to wait got no 200")
            self.sockets.append(link)

    def close(self):
        for link in self.sockets:
            link.close()
