#!/usr/bin/env python3
"""Holds the cases of tests/cases/proxy against Coreto, nginx, HAProxy and Envoy, and prints what each lets through.

    bench/edge/attacks.py [--peers NAME,...] [--envoy FILE] [--case TEXT]

It takes requests.txt (what clients send) and upstreams.txt (what services answer), and of the proxies what is there.
Each is set up as for the benchmark, with one origin that keeps what it is sent. A case is held in one of four ways:

    as wanted      the status is one of those that are wanted, and as many requests reach the origin
    stricter       it refuses what may pass
    otherwise      it answers another status, without harm
    lets through   something reaches the origin that must not, more requests reach it than were sent, or an answer of
                   the origin passes that must not
"""

import argparse
import re
import shutil
import socket
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.append(str(ROOT / "bench"))

from processes import Failed, Program
from proxies import Coreto, Envoy, Haproxy, Nginx, Setup
from run import TARGET, found, until_open

ORIGIN = 19701
PORTS = {"coreto": 19710, "nginx": 19720, "haproxy": 19730, "envoy": 19740}
# What is still on its way has come after this, in seconds.
SETTLE = 0.05
# An answer that has not begun by then does not come.
SILENCE = 1.0


class Case:
    def __init__(self, claim):
        self.claim, self.send, self.want, self.reply, self.close = claim, b"", [], None, False
        # Requests that may reach the origin: none without a line that says so, and any number with `*`.
        self.up = 0

    def line(self, word, rest):
        if word == "send":
            self.send += unescaped(rest)
        elif word == "want":
            self.want = rest.split(" ")
        elif word == "up":
            self.up = None if rest == "*" else requests(unescaped(rest))
        elif word == "reply":
            self.reply, self.up = unescaped(rest), None
        elif word == "reply-close":
            self.reply, self.close, self.up = self.reply or b"", True, None


def unescaped(text):
    """`\\r \\n \\t \\\\ \\xHH`, and `{text*count}`."""
    text = re.sub(r"\{([^{}]*)\*(\d+)\}", lambda found: found[1] * int(found[2]), text)
    pairs = {"r": b"\r", "n": b"\n", "t": b"\t", "\\": b"\\"}
    parts = re.split(r"(\\x[0-9a-fA-F]{2}|\\[rnt\\])", text)
    decoded = (bytes([int(part[2:], 16)]) if part[1] == "x" else pairs[part[1]] for part in parts[1::2])
    plain = [part.encode() for part in parts[::2]]
    return plain[0] + b"".join(escape + after for escape, after in zip(decoded, plain[1:]))


def requests(sent):
    """How many heads of requests are in what was sent."""
    return len(re.findall(rb"(?m)^[!#$%&'*+.^_`|~0-9A-Za-z-]+ \S+ HTTP/1\.[01]\r$", sent))


def read(name):
    cases = []
    for line in (ROOT / "tests/cases/proxy" / name).read_text().splitlines():
        if line.startswith("== "):
            cases.append(Case(line[3:]))
        elif line and not line.startswith("#"):
            cases[-1].line(*(line.split(" ", 1) if " " in line else (line, "")))
    # A proxy's own name is known to itself alone; what takes its time is another matter.
    return [case for case in cases if b"coreto-self" not in case.send]


class Origin:
    """Keeps what it is sent, and answers as a case says or `ok`."""

    def __init__(self):
        self.lock, self.seen, self.reply, self.close = threading.Lock(), b"", None, False
        self.listener = socket.create_server(("127.0.0.1", ORIGIN), backlog=256)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                stream, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(stream,), daemon=True).start()

    def serve(self, stream):
        request = b""
        with stream:
            try:
                while piece := stream.recv(65536):
                    request += piece
                    with self.lock:
                        self.seen += piece
                        head = b"\r\n\r\n" in request
                        reply, close = self.reply, self.close
                        if head and reply is not None:
                            self.reply = None
                    if head and reply is not None:
                        request = b""
                        stream.sendall(reply)
                        if close:
                            return
                    elif whole(request):
                        request = b""
                        stream.sendall(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok")
            except OSError:
                return

    def begin(self, case):
        with self.lock:
            self.seen, self.reply, self.close = b"", case.reply, case.close

    def end(self):
        with self.lock:
            return self.seen


def whole(request):
    head, between, body = request.partition(b"\r\n\r\n")
    if not between:
        return False
    if b"transfer-encoding: chunked" in head.lower():
        return body.startswith(b"0\r\n") or b"\r\n0\r\n" in body
    length = re.search(rb"(?im)^content-length: *(\d+)", head)
    return len(body) >= (int(length[1]) if length else 0)


def statuses(port, sent, count):
    """The statuses of the answers, as far as they come."""
    answers = b""
    with socket.create_connection(("127.0.0.1", port), timeout=SILENCE) as stream:
        try:
            stream.sendall(sent)
            while len(found := final(answers)) < count:
                piece = stream.recv(65536)
                if not piece:
                    break
                answers += piece
        except OSError:
            pass
        found = final(answers)
        time.sleep(SETTLE)
    return found


def final(answers):
    return [status for status in re.findall(rb"(?m)^HTTP/1\.[01] (\d{3})", answers) if not status.startswith(b"1") or status == b"101"]


def judged(case, found, reached):
    found = [status.decode() for status in found]
    wanted = [status.split("|") for status in case.want[:-1]]
    first = found[0] if found else "none"
    right = bool(wanted) and all(status in alternatives for status, alternatives in zip(found + ["none"] * len(wanted), wanted))
    if case.reply is not None:
        # An answer of the proxy's own may be another one, and so may that to a second try.
        passes = case.reply.startswith(f"HTTP/1.1 {first} ".encode()) or case.reply.startswith(f"HTTP/1.0 {first} ".encode())
        return "as wanted" if right else ("lets through" if passes else "otherwise")
    if case.up is not None and reached > case.up:
        return "lets through"
    if right and (case.up is None or reached == case.up):
        return "as wanted"
    return "stricter" if wanted and wanted[0][0].startswith("2") and reached == 0 else "otherwise"


class Configured(Coreto):
    """Coreto as the cases want it."""

    def command(self, setup, folder):
        command = super().command(setup, folder)
        with open(folder / "edge.toml", "a") as file:
            file.write('encoded-slash = "keep"\nupgrades = ["websocket"]\n')
        return command


def main():
    peers = {"coreto": Configured, "nginx": Nginx, "haproxy": Haproxy, "envoy": Envoy}
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--peers", default=",".join(peers), help=f"some of {', '.join(peers)}")
    parser.add_argument("--envoy", default="envoy", help="Envoy's program")
    parser.add_argument("--case", default="", help="those alone whose claim has this text")
    args = parser.parse_args()
    if unknown := set(args.peers.split(",")) - set(peers):
        sys.exit(f"unknown peers: {', '.join(sorted(unknown))}")
    TARGET.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="attacks-", dir=TARGET))
    cases = [case for name in ["requests.txt", "upstreams.txt"] for case in read(name) if args.case in case.claim]
    origin, table = Origin(), {}
    try:
        for key in args.peers.split(","):
            where = {"coreto": TARGET / "release" / "coreto", "envoy": args.envoy}.get(key, key)
            program = found(str(where))
            if not program:
                print(f"{key} is not there and left out", flush=True)
                continue
            table[key] = held(peers[key](program), cases, origin, folder)
    except Failed as failed:
        sys.exit(str(failed))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    tell(cases, table)


def held(proxy, cases, origin, folder):
    setup = Setup(ORIGIN, PORTS[proxy.key])
    program = Program(proxy.name, proxy.command(setup, folder), folder)
    try:
        until_open(program, setup.port)
        results = []
        for case in cases:
            origin.begin(case)
            found = statuses(setup.port, case.send, max(len(case.want) - 1, 1))
            status = found[0].decode() if found else "none"
            results.append((judged(case, found, requests(origin.end())), status))
        return results
    finally:
        program.stop()


def tell(cases, table):
    ways = ["as wanted", "stricter", "otherwise", "lets through"]
    print(f"\n{len(cases)} cases\n\n| proxy | {' | '.join(ways)} |\n| --- |{' --- |' * len(ways)}")
    for key, results in table.items():
        counts = [sum(1 for way, _ in results if way == wanted) for wanted in ways]
        print(f"| {key} | {' | '.join(map(str, counts))} |")
    print(f"\nlet through by somebody, with the status that was answered:\n\n| case | wanted | {' | '.join(table)} |\n| --- | --- |{' --- |' * len(table)}")
    for at, case in enumerate(cases):
        row = [results[at] for results in table.values()]
        if any(way == "lets through" for way, _ in row):
            told = [f"**{status}**" if way == "lets through" else status for way, status in row]
            claim = case.claim.replace("|", "\\|")
            print(f"| {claim} | {' '.join(case.want).replace('|', ' or ')} | {' | '.join(told)} |")


if __name__ == "__main__":
    main()
