"""The peers. Each starts, warms up, takes its turns and stops; between turns its processes are held still."""

import os
import re
import signal
import time
from dataclasses import dataclass

import setup
from postgres import USER, Postgres, free_port
from processes import Failed, Program, cpu_seconds, memory_bytes, signal_all

START_SECONDS = 120
DRAIN_SECONDS = 60
# The settings of Operaton's own container image, which are sensible for Flowable too.
JVM = ["-Xmx768m", "-XX:MaxMetaspaceSize=256m"]


@dataclass
class Turn:
    """What one turn showed: instances ended per second, and what all server processes took for them."""

    per_second: float
    cpu_us_per_instance: float
    memory_bytes: int


class Peer:
    """A peer that speaks the protocol of the load programs. `servers` and `load` are set by `start`."""

    def start(self, folder):
        raise NotImplementedError

    def programs(self):
        """All that runs, what is used first in front."""
        raise NotImplementedError

    def turn(self, seconds):
        for program in self.programs():
            signal_all(program.pid, signal.SIGCONT)
        time.sleep(self.settle_seconds)
        servers = [program.pid for program in self.servers]
        self.load.say(f"run {seconds}")
        self.load.expect("begin", 30)
        cpu, begin = cpu_seconds(servers), time.monotonic()
        completed, failed = map(int, self.load.expect("end", seconds + 30))
        cpu, seconds = cpu_seconds(servers) - cpu, time.monotonic() - begin
        memory = memory_bytes(servers)
        self.load.expect("drained", DRAIN_SECONDS)
        if failed or not completed:
            raise self.load.failed(f"has {failed} failed and {completed} ended instances")
        return Turn(completed / seconds, cpu / completed * 1e6, memory)

    def hold(self):
        """Stops the processes where they are, so that they take nothing from the turns of others."""
        for program in reversed(self.programs()):
            signal_all(program.pid, signal.SIGSTOP)

    def stop(self):
        for program in reversed(self.programs()):
            program.stop()


class Embedded(Peer):
    """An engine in the Java program that is its load too."""

    settle_seconds = 1

    def __init__(self, key, name, way, *arguments):
        self.key = f"{key}-{arguments[0]}" if arguments else key
        self.library, self.arguments = key, arguments
        pom = (setup.HERE / "java" / key / "pom.xml").read_text()
        version = re.search(rf"<artifactId>{key}-engine</artifactId>\s*<version>(.*?)</version>", pom)[1]
        self.name, self.way = f"{name} {version}, embedded", way
        self.postgres = self.load = None

    def prepare(self):
        self.path = setup.java(self.library)

    def start(self, folder):
        self.postgres = Postgres(self.key, folder)
        environment = {
            "PEER_JDBC_URL": f"jdbc:postgresql://127.0.0.1:{self.postgres.port}/postgres",
            "PEER_USER": USER,
            "PEER_PASSWORD": self.postgres.password,
        }
        quiet = "-Dorg.slf4j.simpleLogger.defaultLogLevel=error"
        main = [self.library.capitalize(), *self.arguments]
        command = ["java", *JVM, quiet, "-cp", self.path, *main]
        self.load = Program(self.key, command, folder, env={**os.environ, **environment})
        self.load.expect("ready", START_SECONDS)

    @property
    def servers(self):
        return [self.postgres, self.load]

    def programs(self):
        return [program for program in (self.postgres, self.load) if program]


class Temporal(Peer):
    """A Temporal server; the workflows' and activities' worker is in the load, outside."""

    # Its services look at each other, and have to find that all are still there.
    settle_seconds = 4
    key, way = "temporal", "workflow of one activity, through gRPC"

    def __init__(self):
        module = (setup.HERE / "temporal" / "go.mod").read_text()
        self.name = "Temporal " + re.search(r"go\.temporal\.io/server v([\d.]+)", module)[1]
        self.postgres = self.server = self.load = None

    def prepare(self):
        self.bin = setup.temporal()

    def start(self, folder):
        self.postgres = Postgres(self.key, folder)
        secret = {**os.environ, "SQL_PASSWORD": self.postgres.password}
        for database, schema in {"temporal": "temporal", "temporal_visibility": "visibility"}.items():
            address = ["--ep", "127.0.0.1", "-p", self.postgres.port, "-u", USER, "--plugin", "postgres12"]
            tool = [self.bin / "sql-tool", *address, "--db", database]
            for step in (
                ["create"],
                ["setup-schema", "-v", "0.0"],
                ["update-schema", "--schema-name", f"postgresql/v12/{schema}"],
            ):
                setup.finish([*map(str, tool), *step], START_SECONDS, env=secret)
        home = folder / "temporal"
        (home / "config").mkdir(parents=True)
        frontend = free_port()
        (home / "config" / "bench.yaml").write_text(self._configuration(frontend))
        command = [self.bin / "server", "--root", home, "--config", "config", "--env", "bench", "start"]
        self.server = Program("temporal-server", command, folder)
        self.load = Program("temporal-load", [self.bin / "load", f"127.0.0.1:{frontend}"], folder)
        try:
            self.load.expect("ready", START_SECONDS)
        except Failed as error:
            raise self.server.failed(f"does not answer as it should: {error}") from None

    def _configuration(self, frontend):
        template = (setup.HERE / "temporal" / "server.yaml").read_text()
        ports = re.sub(r"\bPORT\b", lambda _: str(free_port()), template)
        values = {"FRONTEND": frontend, "POSTGRES": self.postgres.port, "USER": USER, "PASSWORD": self.postgres.password}
        return re.sub(r"\$(\w+)", lambda found: str(values[found[1]]), ports)

    @property
    def servers(self):
        return [self.postgres, self.server]

    def programs(self):
        return [program for program in (self.postgres, self.server, self.load) if program]


ALL = [
    Embedded("flowable", "Flowable", "asynchronous service task, no worker", "async"),
    Embedded("flowable", "Flowable", "external worker task, in process", "external"),
    Embedded("operaton", "Operaton", "external task, in process"),
    Temporal(),
]
