#!/usr/bin/env python3
"""Takes every figure of bench/README.md on this machine and prints them as its table.

    bench/run.py [--only NAME,...] [--parked N] [--seconds S] [--pairs N]

It needs a build (cargo build --release -p coreto -p coreto-view --bin coreto --example sink) and a quiet machine.
Servers listen on loopback, data lies in a temporary directory beside the repository's target, and all is stopped
and removed at the end.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from table import Table

ROOT = Path(__file__).resolve().parent.parent
TARGET = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
CORETO = TARGET / "release" / "coreto"
SINK = TARGET / "release" / "examples" / "sink"
KIB = 1024
MULTI = """<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL" xmlns:zeebe="http://camunda.org/schema/zeebe/1.0">
<process id="multi" isExecutable="true">
<startEvent id="start"/><sequenceFlow id="in" sourceRef="start" targetRef="task"/>
<serviceTask id="task"><extensionElements><zeebe:taskDefinition type="nobody"/></extensionElements>
<multiInstanceLoopCharacteristics><extensionElements>
<zeebe:loopCharacteristics inputCollection="=for i in 1..count return i" inputElement="item"/>
</extensionElements></multiInstanceLoopCharacteristics></serviceTask>
<sequenceFlow id="out" sourceRef="task" targetRef="end"/><endEvent id="end"/>
</process></definitions>"""


class Server:
    """One `coreto start`, until it is stopped."""

    def __init__(self, data, *options):
        self.data = data
        command = [CORETO, "start", "--data", data, "--grpc", "127.0.0.1:0", "--management", "127.0.0.1:0", "--catalog", "off", "--json"]
        self.process = subprocess.Popen([*map(str, command), *options], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit("the server did not start")
        self.ready = json.loads(line)
        self.address = "http://" + self.ready["grpc"]

    def rss(self):
        for line in Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) * KIB
        raise SystemExit("the server is gone")

    def cpu(self):
        fields = Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(120)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()


def bench(*options, timeout=900):
    done = subprocess.run([CORETO, "bench", "--json", *map(str, options)], stdout=subprocess.PIPE, timeout=timeout)
    if done.returncode:
        raise SystemExit(f"bench {options} failed")
    return json.loads(done.stdout)


def load(server, *options, suffix=""):
    return bench("--address", server.address, "--pid", server.process.pid, "--suffix", suffix, *options)


class Run(Table):
    def __init__(self, args, folder):
        self.args = args
        self.folder = folder
        super().__init__()
        self.rate = None

    def fresh(self, name):
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        return path

    def seconds(self):
        return ["--warmup", "2s", "--duration", f"{self.args.seconds}s"]

    def start(self):
        ready = []
        for number in range(5):
            server = Server(self.fresh("cold"))
            ready.append(server.ready["readyInMs"])
            if number == 4:
                time.sleep(3)
                self.say("memory, idle", f"{server.rss() / KIB / KIB:.0f} MiB", "40 MiB")
            server.stop()
        self.say("ready, cold", f"{min(ready)} to {max(ready)} ms", "200 ms")

    def definitions(self):
        server = Server(self.fresh("definitions"))
        models = self.folder / "models"
        models.mkdir(exist_ok=True)
        model = (ROOT / "examples/order/order.bpmn").read_text()
        paths = []
        for number in range(1000):
            path = models / f"order-{number}.bpmn"
            path.write_text(model.replace('id="order"', f'id="order-{number}"').replace('"order"', f'"order-{number}"'))
            paths.append(path)
        for at in range(0, 1000, 100):
            command = [CORETO, "deploy", "--address", server.address, *paths[at : at + 100]]
            subprocess.run(command, stdout=subprocess.DEVNULL, check=True)
        server.stop()
        again = Server(server.data)
        self.say("ready with 1,000 definitions", f"{again.ready['readyInMs']} ms", "500 ms")
        again.stop()

    def one_task(self):
        ours, limit, cpu, cpu_limit = [], [], [], []
        for number in range(self.args.pairs):
            server = Server(self.fresh("one-task"))
            report = load(server, *self.seconds())
            server.stop()
            bare = bench("--ceiling", "--ceiling-file", self.folder / "ceiling", *self.seconds())
            ours.append(report["completed_per_second"])
            limit.append(bare["completed_per_second"])
            cpu.append(report["server"]["cpu_us_per_instance"])
            cpu_limit.append(bare["server"]["cpu_us_per_instance"])
        ratio = statistics.median(a / b for a, b in zip(ours, limit))
        self.rate = statistics.median(ours)
        self.say("one-task, 64 in flight, every step durable", f"{self.rate:,.0f}/s")
        self.say("the ceiling in the same run", f"{statistics.median(limit):,.0f}/s")
        self.say("share of the ceiling", f"{100 * ratio:.0f} %", "50 %")
        self.say("server CPU per instance", f"{statistics.median(cpu):.1f} µs beside {statistics.median(cpu_limit):.1f} µs of the ceiling")

    def pairs(self, scenario):
        """Runs beside the ceiling's, in turns: the reports of both."""
        pairs = []
        for number in range(self.args.pairs):
            server = Server(self.fresh(scenario))
            ours = load(server, "--scenario", scenario, *self.seconds())
            server.stop()
            ceiling = ["--ceiling", "--ceiling-file", self.folder / "ceiling"]
            pairs.append((ours, bench(*ceiling, "--scenario", scenario, *self.seconds())))
        return pairs

    def share(self, name, scenario, reach):
        per_second = [[report["completed_per_second"] for report in pair] for pair in self.pairs(scenario)]
        ours, limit = (statistics.median(column) for column in zip(*per_second))
        ratio = statistics.median(ours / limit for ours, limit in per_second)
        self.say(f"{name}, 64 in flight", f"{ours:,.0f}/s beside {limit:,.0f}/s of the ceiling: {100 * ratio:.0f} %", reach)

    def ten_tasks(self):
        self.share("ten tasks one after the other", "ten-tasks", "45 %")

    def message(self):
        self.share("a message for each instance", "message", "40 %")
        server = Server(self.fresh("message"))
        report = load(server, "--scenario", "message", "--rate", 1000, *self.seconds())
        server.stop()
        seen = report["latency_ms"]["correlate"]
        self.say("from a message's publication to the job behind it at 1,000/s, p50 and p99", f"{seen['p50']:.2f} and {seen['p99']:.2f} ms", "p50 1 ms")

    def timers(self):
        options = ["--in-process", "--in-process-data", self.fresh("timers"), "--scenario", "timers"]
        waiting = bench(*options, "--count", self.args.timers, "--rate", 50_000)
        self.say(f"{waiting['timers']:,} timers that wait", f"{100 * waiting['idleCores']:.2f} % of a core", "1 %")
        late = waiting["lateMs"]
        figure = f"p50 {late['p50']:.0f}, p99 {late['p99']:.0f} ms late, {waiting['cpuMicrosPerTimer']:.1f} µs CPU each"
        self.say("timers due at 50,000/s, each with a job behind it", figure, "p99 100 ms")
        options[2] = self.fresh("timers-at-once")
        most = bench(*options, "--count", self.args.timers // 4, "--rate", 1_000_000)
        self.say("timers due at once", f"{most['firedPerSecond']:,.0f}/s", "50,000/s")

    def multi(self):
        """Other instances' times while one repeats a task for 100,000 items, and while that is cancelled."""
        server = Server(self.fresh("multi"))
        model = self.folder / "multi.bpmn"
        model.write_text(MULTI)
        run = lambda *command: subprocess.run([CORETO, *map(str, command), "--address", server.address, "--json"], stdout=subprocess.PIPE, check=True, timeout=60).stdout
        run("deploy", model)
        others = ["--rate", 500, "--warmup", "300ms", "--duration", "1s"]

        def beside(name, *command):
            options = [CORETO, "bench", "--json", "--address", server.address, "--suffix", name, *map(str, others)]
            with subprocess.Popen(options, stdout=subprocess.PIPE) as running:
                time.sleep(0.3)
                said = run(*command) if command else None
                report = json.loads(running.communicate(timeout=60)[0])
            return said, report["latency_ms"]["instance"]

        _, alone = beside("alone")
        made, during = beside("during", "create", "multi", "--variables", '{"count":100000}')
        time.sleep(2)
        _, cancelled = beside("cancelled", "cancel", json.loads(made)["processInstanceKey"])
        server.stop()
        figure = "p50 {p50:.2f}, p99 {p99:.2f} ms".format
        self.say("other instances at 500/s, whole", figure(**alone))
        self.say("the same in the second in which one repeats a task for 100,000 items", figure(**during), "p99 20 ms")
        self.say("the same in the second in which that is cancelled", figure(**cancelled), "p99 20 ms")

    def partitions(self):
        """One partition and three in turns, with who keeps the processors busy."""
        turns = {1: [], 3: []}
        for number in range(self.args.pairs):
            for count, reports in turns.items():
                server = Server(self.fresh("partitions"), "--partitions", str(count))
                reports.append(load(server, "--concurrency", 256, *self.seconds()))
                server.stop()
        middle = lambda count, figure: statistics.median(map(figure, turns[count]))
        rate = lambda report: report["completed_per_second"]
        one, three = middle(1, rate), middle(3, rate)
        self.say("three partitions beside one, 256 in flight", f"{three:,.0f}/s beside {one:,.0f}/s: {three / one:.2f} times", "1.3 times")
        for count in turns:
            cpu = middle(count, lambda report: report["server"]["cpu_us_per_instance"])
            cores = middle(count, lambda report: report["server"]["user_cores"] + report["server"]["system_cores"])
            generator = middle(count, lambda report: report["generator_cores"])
            figure = f"server {cpu:.1f} µs per instance, {cores:.2f} cores; generator {generator:.2f} cores"
            self.say(f"who is busy with {count} of them", figure)

    def in_process(self):
        report = bench("--in-process", *self.seconds())
        self.say("partition and disk log in process, CPU of all threads", f"{report['cpuMicrosPerInstance']:.1f} µs", "25 µs")
        self.say("written to the log per instance", f"{report['logBytesPerInstance']:,} bytes", "1 KiB")
        self.say("the same before compression", f"{report['recordBytesPerInstance']:,} bytes")

    def half(self):
        if self.rate is None:
            server = Server(self.fresh("rate"))
            self.rate = load(server, *self.seconds())["completed_per_second"]
            server.stop()
        return int(self.rate / 2)

    def latency(self):
        server = Server(self.fresh("latency"))
        for rate, name, reach in [(100, "100/s", "0.6 and 3 ms"), (self.half(), "half of the maximum", "p99 10 ms")]:
            report = load(server, "--rate", rate, *self.seconds(), suffix=str(rate))
            bare = bench("--ceiling", "--ceiling-file", self.folder / "ceiling", "--rate", rate, *self.seconds())
            seen, limit = (of["latency_ms"]["job_visible"] for of in (report, bare))
            figure = f"{seen['p50']:.2f} and {seen['p99']:.2f} ms beside {limit['p50']:.2f} and {limit['p99']:.2f} of the ceiling"
            self.say(f"job at a streaming worker at {name}, p50 and p99", figure, reach)
        server.stop()

    def exporter(self):
        sink = subprocess.Popen([SINK], stdout=subprocess.PIPE, text=True)
        url = "http://" + sink.stdout.readline().split()[1]
        summary = lambda: json.load(urllib.request.urlopen(f"{url}/summary"))
        rate = self.half()
        figures = {}
        for number in range(self.args.pairs):
            for name, options in [("off", []), ("on", ["--export-elasticsearch", url])]:
                server = Server(self.fresh("exporter"), *options)
                summary()
                half = load(server, "--rate", rate, *self.seconds())
                lag = summary()["lagMs"]["p99"]
                full = load(server, *self.seconds(), suffix="full")
                drained = time.monotonic()
                while name == "on" and summary()["documents"] and time.monotonic() - drained < 120:
                    time.sleep(0.5)
                drained = time.monotonic() - drained
                server.stop()
                p99 = half["latency_ms"]["job_visible"]["p99"]
                row = (p99, half["server"]["cpu_us_per_instance"], full["completed_per_second"], lag, drained)
                figures.setdefault(name, []).append(row)
        sink.terminate()
        sink.wait()
        middle = lambda name, at: statistics.median(row[at] for row in figures[name])
        self.say("exporter at half of the maximum: p99 over p99 without", f"{middle('on', 0) / middle('off', 0):.2f}", "1.2")
        self.say("exporter: CPU per instance", f"{middle('on', 1) - middle('off', 1):.1f} µs", "25 µs")
        self.say("exporter: lag p99", f"{middle('on', 3):.0f} ms", "1 s")
        self.say("exporter, saturated: throughput over that without", f"{100 * middle('on', 2) / middle('off', 2):.0f} %", "60 %")
        self.say("exporter: the lag is gone after", f"{middle('on', 4):.1f} s")

    def parked(self):
        count = self.args.parked
        data = self.fresh("parked")
        server = Server(data)
        time.sleep(2)
        idle = server.rss()
        begin = time.monotonic()
        load(server, "--scenario", "parked", "--count", count, "--settle", "5s")
        took = time.monotonic() - begin
        each = (server.rss() - idle) / count
        self.say(f"memory per parked instance, {count:,} of them", f"{each:,.0f} bytes", "1,280 bytes")
        self.say("parked instances created", f"{count / took:,.0f}/s")
        beside = load(server, *self.seconds())["completed_per_second"]
        empty = self.half() * 2
        self.say("throughput beside them over that without", f"{100 * beside / empty:.0f} %", "90 %")
        server.stop()
        again = Server(data)
        self.say("ready with them", f"{again.ready['readyInMs'] / 1000:.1f} s", "10 s")
        again.process.kill()
        again.process.wait()
        again = Server(data)
        self.say("ready with them after kill -9", f"{again.ready['readyInMs'] / 1000:.1f} s", "10 s")
        again.stop()

    def recovery(self):
        data = self.fresh("recovery")
        server = Server(data)
        load(server, *self.seconds())
        server.stop()
        partition = data / "engine-1"
        shutil.rmtree(partition / "store")
        log = sum(path.stat().st_size for path in partition.glob("*.log"))
        again = Server(data)
        metrics = urllib.request.urlopen(f"http://{again.ready['management']}/metrics").read().decode()
        name = "coreto_log_durable_position"
        records = next(int(line.split()[1]) for line in metrics.splitlines() if line.startswith(name))
        seconds = again.ready["readyInMs"] / 1000
        self.say("recovery from the log alone", f"{records / seconds:,.0f} records/s", "1,000,000 events/s")
        self.say("recovery per GiB of segments", f"{seconds * 2**30 / log:.1f} s")
        again.stop()


ALL = [
    "start", "definitions", "in_process", "one_task", "ten_tasks", "message", "timers", "multi", "partitions", "latency",
    "exporter", "parked", "recovery",
]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default=",".join(ALL), help=f"some of {', '.join(ALL)}")
    parser.add_argument("--parked", type=int, default=1_000_000, help="parked instances")
    parser.add_argument("--timers", type=int, default=1_000_000, help="timers that wait")
    parser.add_argument("--seconds", type=int, default=10, help="seconds of each measurement")
    parser.add_argument("--pairs", type=int, default=3, help="pairs A B of which the median counts")
    args = parser.parse_args()
    unknown = set(args.only.split(",")) - set(ALL)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}")
    for program in [CORETO, SINK]:
        if not program.is_file():
            sys.exit(f"`{program}` is not there; build it first")
    TARGET.mkdir(exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir=TARGET))
    run = Run(args, folder)
    try:
        for name in args.only.split(","):
            getattr(run, name)()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    run.show()


if __name__ == "__main__":
    main()
