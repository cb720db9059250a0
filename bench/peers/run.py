#!/usr/bin/env python3
"""Measures Coreto and its peers on this machine, in turns, with every step durable.

    bench/peers/run.py [--only NAME,...] [--seconds S] [--warmup S] [--rounds N] [--json FILE]

It needs a build (cargo build --release -p coreto), Python 3.9, Java 17 with Maven, Go and PostgreSQL's server.
What the peers are made of is fetched into `bench/peers/.setup` by the first run, which takes its time; `--only`
leaves out what cannot be had. Servers listen on loopback, data lies in a temporary directory on a disk, and all is
stopped and removed at the end.
"""

import argparse
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "bench"))

import peers
from peers import Turn
from processes import Failed, Program, memory_bytes

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
# The work of every row.
LOAD = ["--scenario", "one-task", "--concurrency", "64", "--payload-bytes", "100", "--worker", "stream"]
COLUMNS = ["what", "the task", "instances/s", "server CPU per instance", "times Coreto's", "memory of all servers"]


class Coreto:
    """One `coreto start` a turn, on an empty directory."""

    key, way = "coreto", "service task, streaming worker, through gRPC"

    def __init__(self, program):
        self.program = program
        version = subprocess.run([program, "--version"], stdout=subprocess.PIPE, text=True, check=True, timeout=10)
        self.name = f"Coreto {version.stdout.split()[-1]}"

    def turn(self, folder, seconds):
        data = folder / "coreto"
        ports = ["--grpc", "127.0.0.1:0", "--management", "127.0.0.1:0", "--catalog", "off"]
        server = Program("coreto", [self.program, "start", "--data", data, *ports, "--json"], folder)
        try:
            address = "http://" + json.loads(server.hear(30))["grpc"]
            watch = ["--address", address, "--pid", str(server.pid), "--warmup", "2s", "--duration", f"{seconds}s"]
            bench = [self.program, "bench", "--json", *LOAD, *watch]
            done = subprocess.run(bench, stdout=subprocess.PIPE, check=True, timeout=seconds + 60)
            memory = memory_bytes([server.pid])
        finally:
            server.stop()
            shutil.rmtree(data, ignore_errors=True)
        report = json.loads(done.stdout)
        if report["failed"] or report["unfinished"]:
            raise Failed(f"`coreto bench` has {report['failed']} failed and {report['unfinished']} unfinished instances")
        return Turn(report["completed_per_second"], report["server"]["cpu_us_per_instance"], memory)


def durable(folder):
    """Refuses a directory in memory, where nothing is durable and a flush costs nothing."""
    mounts = [line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines()]
    above = [(place, kind) for place, kind in mounts if folder.is_relative_to(place)]
    place, kind = max(above, key=lambda mount: len(mount[0]))
    if kind in ("tmpfs", "ramfs"):
        raise Failed(f"`{folder}` is in memory (`{kind}` at `{place}`); name a directory on a disk with --data")


def measure(coreto, rivals, args, folder):
    """The turns of each, by key. All are warm before the first turn, and one at a time runs."""
    turns = {each.key: [] for each in [coreto, *rivals]}
    started = []
    try:
        for peer in rivals:
            print(f"{peer.name} ({peer.way}): starting, and warm after {args.warmup} s", flush=True)
            started.append(peer)
            peer.start(folder)
            peer.turn(args.warmup)
            peer.hold()
        for number in range(args.rounds):
            for each in [coreto, *rivals]:
                turn = coreto.turn(folder, args.seconds) if each is coreto else each.turn(args.seconds)
                if each is not coreto:
                    each.hold()
                turns[each.key].append(turn)
                print(f"round {number + 1}: {each.name} ({each.way}): {turn.per_second:,.0f}/s", flush=True)
    finally:
        for peer in reversed(started):
            peer.stop()
    return turns


def row(each, turns, ours):
    middle = lambda field: statistics.median(getattr(turn, field) for turn in turns)
    cpu, rate = middle("cpu_us_per_instance"), middle("per_second")
    shown = f"{cpu:.1f} µs" if cpu < 1000 else f"{cpu / 1000:.2f} ms"
    return [
        each.name,
        each.way,
        f"{rate:,.0f}",
        shown,
        f"{cpu / ours:,.0f}",
        f"{middle('memory_bytes') / 2**20:,.0f} MiB",
    ]


def table(everybody, turns):
    ours = statistics.median(turn.cpu_us_per_instance for turn in turns["coreto"])
    rows = [row(each, turns[each.key], ours) for each in everybody]
    lines = [COLUMNS, ["---"] * len(COLUMNS), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def save(path, everybody, turns, args):
    rows = [
        {"key": each.key, "name": each.name, "task": each.way, "turns": [asdict(turn) for turn in turns[each.key]]}
        for each in everybody
    ]
    settings = {name: getattr(args, name) for name in ("seconds", "warmup", "rounds")}
    postgres = {each.postgres.version for each in everybody if hasattr(each, "postgres")}
    Path(path).write_text(json.dumps({**settings, "postgresql": sorted(postgres), "rows": rows}, indent=2) + "\n")


def arguments():
    keys = [peer.key for peer in peers.ALL]
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(keys), help=f"peers to measure, some of {', '.join(keys)}")
    parser.add_argument("--seconds", type=int, default=6, help="seconds of each turn")
    parser.add_argument("--warmup", type=int, default=60, help="seconds that a peer runs before its first turn")
    parser.add_argument("--rounds", type=int, default=3, help="turns of each, of which the median counts")
    parser.add_argument("--json", metavar="FILE", help="write every turn to this file too")
    parser.add_argument("--data", type=Path, default=tempfile.gettempdir(), help="where the databases lie, on a disk")
    parser.add_argument("--coreto", type=Path, default=TARGET / "release" / "coreto", help="the program to measure")
    args = parser.parse_args()
    unknown = set(args.only.split(",")) - set(keys)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    if not args.coreto.is_file():
        parser.error(f"`{args.coreto}` is not there; build it first")
    return args


def main():
    args = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    rivals = [peer for peer in peers.ALL if peer.key in args.only.split(",")]
    try:
        for peer in rivals:
            peer.prepare()
        folder = Path(tempfile.mkdtemp(prefix="coreto-peers-", dir=args.data)).resolve()
        try:
            # The user that PostgreSQL runs as has to come through to its own directory.
            folder.chmod(0o711)
            durable(folder)
            coreto = Coreto(args.coreto.resolve())
            turns = measure(coreto, rivals, args, folder)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
    except (Failed, subprocess.SubprocessError) as error:
        sys.exit(str(error))
    everybody = [coreto, *rivals]
    print("\n" + table(everybody, turns))
    if args.json:
        save(args.json, everybody, turns, args)


if __name__ == "__main__":
    main()
