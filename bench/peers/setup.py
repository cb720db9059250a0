"""What the peers are made of: fetched and built once into `.setup`, from what pom.xml, go.mod and go.sum pin."""

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from processes import Failed

HERE = Path(__file__).resolve().parent
SETUP = HERE / ".setup"
# Both take minutes: a library or two hundred are fetched, and Temporal's server is a large build.
FETCH_SECONDS = 1200
BUILD_SECONDS = 3600


def finish(command, seconds, **options):
    if not shutil.which(command[0]):
        raise Failed(f"`{command[0]}` is not on this machine")
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=seconds, **options)
    if done.returncode:
        raise Failed(f"`{' '.join(command[:3])} ...` failed:\n{done.stdout[-2000:]}")


def once(folder, sources, make):
    """Calls `make(folder)` unless it has succeeded before with the same sources."""
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    mark = folder / "made-of"
    if mark.is_file() and mark.read_text() == digest:
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    print(f"setting up {folder.name}, once", flush=True)
    make(folder)
    mark.write_text(digest)


def java(name):
    """The class path of the program for a Java engine: its libraries, and our classes."""
    pom = HERE / "java" / name / "pom.xml"
    sources = sorted((HERE / "java").glob("*.java"))
    program = HERE / "java" / f"{name.capitalize()}.java"

    def libraries(folder):
        maven = ["mvn", "-q", "-B", "-f", pom, f"-Dmaven.repo.local={SETUP / 'maven'}"]
        finish([*maven, "dependency:copy-dependencies", f"-DoutputDirectory={folder}"], FETCH_SECONDS)

    def classes(folder):
        path = ["-cp", f"{jars}/*", "-sourcepath", program.parent]
        finish(["javac", "-proc:none", *path, "-d", folder, program], BUILD_SECONDS)

    jars = SETUP / f"{name}-libraries"
    once(jars, [pom], libraries)
    built = SETUP / f"{name}-classes"
    once(built, [pom, *sources], classes)
    return f"{built}:{jars}/*"


def temporal():
    """The directory of Temporal's server, its schema tool and our load."""
    module = HERE / "temporal"
    sources = [module / name for name in ("go.mod", "go.sum", "main.go")]
    toolchain = next(line.split()[1] for line in sources[0].read_text().splitlines() if line.startswith("toolchain "))
    caches = {"GOMODCACHE": SETUP / "go-modules", "GOCACHE": SETUP / "go-build"}
    environment = {**os.environ, **{key: str(value) for key, value in caches.items()}, "GOTOOLCHAIN": toolchain}

    def build(folder):
        for program, package in {
            "server": "go.temporal.io/server/cmd/server",
            "sql-tool": "go.temporal.io/server/cmd/tools/sql",
            "load": ".",
        }.items():
            command = ["go", "build", "-mod=readonly", "-modcacherw", "-o", folder / program, package]
            finish(command, BUILD_SECONDS, cwd=module, env=environment)

    built = SETUP / "temporal"
    once(built, sources, build)
    return built
