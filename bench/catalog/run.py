#!/usr/bin/env python3
"""Measures the catalog on this machine and prints a table.

    bench/catalog/run.py [--only NAME,...] [--seconds S] [--services N] [--watchers N] [--smoke]

It needs a build (cargo build --release -p coreto), wrk, h2load and dnsperf. The server is on the first processor and the
load on the second; there are 1,000 services of 10 instances. All listen on loopback and are stopped at the end.
"""

import argparse
import json
import os
import re
import resource
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))

from disk import Disk
from load import Link, Watchers, exchange, request
from processes import Failed, Program, cpu_seconds
from table import Table

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
SERVER_CORE, LOAD_CORE = 0, 1
HTTP, DNS, GATEWAY, MANAGEMENT = range(19801, 19805)
INSTANCES = 10


class Run(Table):
    def __init__(self, args, tools, folder):
        self.args, self.tools, self.folder = args, tools, folder
        super().__init__()
        self.names = [f"service-{number}" for number in range(args.services)]

    def start(self):
        command = [TARGET / "release" / "coreto", "start", "--data", self.folder / "data", "--catalog", f"127.0.0.1:{HTTP}"]
        command += ["--dns", f"127.0.0.1:{DNS}", "--grpc", f"127.0.0.1:{GATEWAY}", "--management", f"127.0.0.1:{MANAGEMENT}"]
        self.server = Program("coreto", ["taskset", "-c", SERVER_CORE, *command], self.folder)
        for _ in range(200):
            if self.server.process.poll() is not None:
                raise self.server.failed("has ended")
            try:
                socket.create_connection(("127.0.0.1", HTTP), timeout=1).close()
                return
            except OSError:
                time.sleep(0.05)
        raise self.server.failed(f"does not listen on port {HTTP}")

    def all_instances(self):
        for name in self.names:
            for number in range(INSTANCES):
                yield registration(name, number)

    def register(self):
        """Fills the catalog, which the others read; how long one registration takes, and what each holds."""
        time.sleep(1)
        before = resident(self.server.pid)
        with closing(Disk(self.folder / "forced")) as disk:
            begin = time.monotonic()
            together = disk.meanwhile(lambda: exchange(HTTP, self.all_instances(), 16))
            took = time.monotonic() - begin
            self.registered("16 at a time", together, disk.taken(), f"; {len(together) / took:,.0f}/s")
            time.sleep(2)
            after = resident(self.server.pid)
            alone = self.alone(disk, [registration("alone", number) for number in range(self.args.changes * 5)])
            self.registered("one at a time", alone, disk.taken())
        self.say(f"memory of an instance, of {len(together):,}", f"{(after - before) / len(together) / 1024:.2f} KiB", "2 KiB")

    def alone(self, disk, requests):
        """One after the other over one connection, and the disk's own part in between."""
        took = []
        with closing(Link(HTTP)) as link:
            for wanted in requests:
                disk.force()
                link.send(wanted)
                while link.receive() is None:
                    pass
                took.append(time.monotonic() - link.sent)
        return sorted(took)

    def registered(self, how, took, disk, more=""):
        """What registrations took, and in the row below what the disk did in between: what of it is ours."""
        self.say(f"registration, durable, {how}", times(took) + more, "p99 3 ms")
        share = at(took, 0.99) / at(disk, 0.99)
        self.say("the disk meanwhile, a write and its fdatasync", f"{times(disk)}; the p99 above is {share:.1f} of these", "")

    def lookup(self):
        script = self.folder / "lookup.lua"
        for name, more in [("strong", ""), ("stale", "&stale")]:
            path = f'"/v1/health/service/service-" .. at .. "?passing{more}"'
            script.write_text(f"local at = 0\nrequest = function() at = (at + 7) % {len(self.names)}; return wrk.format('GET', {path}) end\n")
            self.load([self.tools["wrk"], "-t1", "-c64", "-d1", "-s", script, f"http://127.0.0.1:{HTTP}"])
            said = self.load([self.tools["wrk"], "-t1", "-c64", f"-d{self.args.seconds}", "-s", script, f"http://127.0.0.1:{HTTP}"])
            if trouble := re.search(r"Non-2xx.*|Socket errors.*", said):
                raise Failed(f"wrk saw other answers than 200: {trouble[0]}")
            rate = float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])
            self.say(f"lookups by HTTP, {name}, one core", f"{rate:,.0f}/s", "50,000/s")

    def dns(self):
        for kind in ("A", "SRV"):
            questions = self.folder / "questions"
            questions.write_text("".join(f"{name}.service.consul {kind}\n" for name in self.names))
            command = [self.tools["dnsperf"], "-s", "127.0.0.1", "-p", DNS, "-d", questions, "-l", self.args.seconds, "-q", 200]
            said = self.load(command)
            rate, lost = float(re.search(r"Queries per second:\s+([\d.]+)", said)[1]), re.search(r"Queries lost:\s+(\d+)", said)[1]
            self.say(f"lookups by DNS, {kind}, one core", f"{rate:,.0f}/s, {lost} lost", "100,000/s")

    def renew(self):
        count = min(1000, len(self.names))
        ids = [f"ttl-{number}" for number in range(count)]
        exchange(HTTP, [with_ttl(name) for name in ids], 16)
        paths = self.folder / "paths"
        paths.write_text("".join(f"http://127.0.0.1:{HTTP}/v1/agent/check/pass/service:{name}\n" for name in ids))
        exchange(HTTP, [request("PUT", f"agent/check/pass/service:{name}") for name in ids], 16)
        rate, seconds = 10_000, max(2, self.args.seconds)
        before = cpu_seconds([self.server.pid])
        said = self.load([self.tools["h2load"], "--h1", "-c16", f"--rps={rate / 16}", f"-D{seconds}", "-H:method: PUT", "-i", paths])
        used = cpu_seconds([self.server.pid]) - before
        done = int(re.search(r"(\d+) succeeded", said)[1])
        self.say(f"TTL renewals at {done / seconds:,.0f}/s", f"{used / done * 1e6 * 100 * rate / 1e6:.1f} % of a core at 10,000/s", "10 %")

    def watch_spread(self):
        self.watch("spread", [self.names[number % len(self.names)] for number in range(self.args.watchers)])

    def watch_one(self):
        self.watch("on one service", [self.names[0]] * self.args.watchers)

    def watch(self, what, names):
        """A change of each service that is watched, again and again; from the moment that the change was asked for."""
        seen, changer = [], Link(HTTP)
        with closing(changer), closing(Watchers(HTTP, names)) as watchers:
            distinct = sorted(set(names), key=names.index)
            for number in range(self.args.changes):
                name = distinct[number % len(distinct)]
                asked = time.monotonic()
                changer.send(registration(name, 0, f"{what} {number}"))
                seen += [came - asked for came in watchers.hear(names.count(name))]
                while changer.receive() is None:
                    pass
                time.sleep(0.02)
            self.say(f"a change to {len(names):,} watchers, {what}", times(sorted(seen)), "p99 50 ms")

    def idle(self):
        names = [self.names[number % len(self.names)] for number in range(self.args.watchers)]
        with closing(Watchers(HTTP, names)):
            time.sleep(3)
            before, begin = switches(self.server.pid), time.monotonic()
            time.sleep(max(5, self.args.seconds))
            rate = (switches(self.server.pid) - before) / (time.monotonic() - begin)
        self.say(f"context switches with {len(names):,} idle watchers", f"{rate:.1f}/s", "10/s")

    def load(self, command):
        command = ["taskset", "-c", str(LOAD_CORE), *map(str, command)]
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=self.args.seconds + 60)
        if done.returncode:
            raise Failed(f"`{command[3]}` failed:\n{done.stdout}")
        return done.stdout


ALL = ["lookup", "dns", "renew", "watch_spread", "watch_one", "idle"]


def registration(service, number, *tags):
    body = {
        "Name": service, "ID": f"{service}-{number}", "Address": f"10.{number // 256}.{number % 256}.7", "Port": 8000 + number,
        "Tags": ["v1", *tags], "Meta": {"version": "1.2.3"},
    }
    return request("PUT", "agent/service/register", json.dumps(body).encode())


def with_ttl(name):
    body = {"Name": "renewed", "ID": name, "Port": 80, "Check": {"TTL": "60s"}}
    return request("PUT", "agent/service/register", json.dumps(body).encode())


def at(seconds, share):
    """So large a share took no longer than this, in milliseconds."""
    return seconds[min(len(seconds) - 1, int(len(seconds) * share))] * 1000


def times(seconds):
    return f"p50 {at(seconds, 0.5):.2f}, p99 {at(seconds, 0.99):.2f} ms"


def status(pid, *names):
    """The sum of some fields of all threads of a process."""
    total = 0
    for task in Path(f"/proc/{pid}/task").iterdir():
        text = (task / "status").read_text()
        total += sum(int(re.search(rf"^{name}:\s+(\d+)", text, re.M)[1]) for name in names)
    return total


def switches(pid):
    return status(pid, "voluntary_ctxt_switches", "nonvoluntary_ctxt_switches")


def resident(pid):
    return int(re.search(r"^VmRSS:\s+(\d+)", Path(f"/proc/{pid}/status").read_text(), re.M)[1]) * 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ALL), help=f"some of {', '.join(ALL)}, after the registrations")
    parser.add_argument("--seconds", type=int, default=5, help="seconds of each measurement")
    parser.add_argument("--services", type=int, default=1000, help="services, of 10 instances each")
    parser.add_argument("--watchers", type=int, default=1000, help="watchers")
    parser.add_argument("--changes", type=int, default=200, help="changes that watchers hear of")
    parser.add_argument("--smoke", action="store_true", help="only see that it runs: no figure of it means anything")
    args = parser.parse_args()
    if args.smoke:
        args.seconds, args.services, args.watchers, args.changes = 1, 20, 20, 10
    if unknown := set(args.only.split(",")) - set(ALL):
        sys.exit(f"unknown: {', '.join(sorted(unknown))}")
    tools = {name: shutil.which(name) for name in ("wrk", "h2load", "dnsperf")}
    for name, program in [("coreto", (TARGET / "release" / "coreto").is_file()), *tools.items()]:
        if not program and args.smoke:
            return print(f"skipped: `{name}` is not there")
        if not program:
            sys.exit(f"`{name}` is needed and not there")
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    os.sched_setaffinity(0, {LOAD_CORE})
    TARGET.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-catalog-", dir=TARGET))
    run = Run(args, tools, folder)
    try:
        run.start()
        run.register()
        for name in args.only.split(","):
            getattr(run, name)()
    except Failed as failed:
        sys.exit(str(failed))
    finally:
        run.server.stop()
        shutil.rmtree(folder, ignore_errors=True)
    run.show()


if __name__ == "__main__":
    main()
