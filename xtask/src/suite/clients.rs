//! Unmodified foreign clients against the program, at pinned versions.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{self, End};
use crate::server::Server;
use crate::workspace::Workspace;
use crate::{Verdict, tool};

/// How long the script of one client may take.
const TIME: Duration = Duration::from_mins(2);

/// A client by its name, and the command that runs its script.
type Script = (&'static str, Command);

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    let folder = workspace.root.join("tests").join("clients");
    let mut scripts = python(&folder)?;
    scripts.extend(node(&folder)?);
    scripts.extend(java(&folder)?);
    scripts.extend(rust(&folder)?);
    if scripts.is_empty() {
        return Ok(Verdict::Skipped);
    }

    let mut verdict = Verdict::Passed;
    for (name, command) in scripts {
        // Each has a server of its own, so that one cannot take another's jobs.
        let doors = ["--catalog", "127.0.0.1:0", "--dns", "127.0.0.1:0"];
        let mut server = Server::start(workspace, &format!("clients-{name}"), &doors)?;
        let passed = run_one(name, command, &folder, workspace, &server)?;
        if !server.lives() {
            println!("FAIL {name}: the server has ended; see `{}`", server.log.display());
        }
        if !passed || !server.lives() {
            verdict = Verdict::Failed;
        }
    }
    Ok(verdict)
}

fn python(folder: &Path) -> anyhow::Result<Vec<Script>> {
    if !tool::is_here("python3") {
        println!("skipped: pyzeebe, zeebe-grpc and py-consul need Python 3");
        return Ok(Vec::new());
    }
    // Each needs another version of the same package.
    let script = |name: &'static str, setup: &str| -> anyhow::Result<Script> {
        let python =
            tool::python(&folder.join(".setup").join(setup), &folder.join(name).join("requirements.txt"))?;
        let mut command = Command::new(python);
        command.arg(folder.join(name).join("scenario.py"));
        Ok((name, command))
    };
    Ok(vec![
        script("pyzeebe", "python")?,
        script("zeebe-grpc", "zeebe-grpc")?,
        script("py-consul", "py-consul")?,
    ])
}

fn node(folder: &Path) -> anyhow::Result<Vec<Script>> {
    if !tool::is_here("node") || !tool::is_here("npm") {
        println!("skipped: zeebe-node, zbctl, camunda-sdk and consul need Node 20");
        return Ok(Vec::new());
    }
    let packages = folder.join(".setup").join("node");
    tool::node(&packages, &folder.join("node/package.json"), &folder.join("node/package-lock.json"))?;
    let script = |name: &'static str| {
        let mut command = Command::new("node");
        command.arg(folder.join("node").join(format!("{name}.js")));
        command.env("NODE_PATH", packages.join("node_modules"));
        (name, command)
    };
    Ok(["zeebe-node", "zbctl", "camunda-sdk", "consul"].map(script).into())
}

fn java(folder: &Path) -> anyhow::Result<Vec<Script>> {
    if !tool::is_here("java") || !tool::is_here("javac") || !tool::is_here("mvn") {
        println!("skipped: java and spring need a JDK 17 and Maven");
        return Ok(Vec::new());
    }
    let script = |name: &'static str| -> anyhow::Result<Script> {
        let project = folder.join(name);
        let libraries = tool::java(&folder.join(".setup").join(name), &project.join("pom.xml"))?;
        let mut command = Command::new("java");
        command.arg("--class-path").arg(libraries).arg(project.join("Scenario.java"));
        Ok((name, command))
    };
    Ok(vec![script("java")?, script("spring")?])
}

fn rust(folder: &Path) -> anyhow::Result<Vec<Script>> {
    if !tool::is_here("protoc") {
        println!("skipped: rust needs protoc");
        return Ok(Vec::new());
    }
    let program = tool::rust(&folder.join(".setup").join("rust"), &folder.join("rust"), "foreign-client")?;
    Ok(vec![("rust", Command::new(program))])
}

fn run_one(
    name: &str,
    mut command: Command,
    folder: &Path,
    workspace: &Workspace,
    server: &Server,
) -> anyhow::Result<bool> {
    command
        .env("ZEEBE_ADDRESS", &server.grpc)
        .env("CONSUL_HTTP_ADDR", &server.catalog)
        .env("CORETO_PROGRAM", workspace.program("coreto"))
        .env("MODELS", folder.join("models"))
        .current_dir(folder)
        .stdin(Stdio::null());
    Ok(match process::run(&mut command, TIME)? {
        End::Exited(status) if status.success() => true,
        End::Exited(status) => {
            println!("FAIL {name}: ended with {status}");
            false
        }
        End::OutOfTime => {
            println!("FAIL {name}: stopped after {} s", TIME.as_secs());
            false
        }
    })
}
