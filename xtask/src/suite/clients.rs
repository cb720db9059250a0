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

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    let folder = workspace.root.join("tests").join("clients");
    let mut scripts = Vec::new();
    if tool::is_here("python3") {
        let requirements = folder.join("pyzeebe").join("requirements.txt");
        let python = tool::python(&folder.join(".setup").join("python"), &requirements)?;
        let mut command = Command::new(python);
        command.arg(folder.join("pyzeebe").join("scenario.py"));
        scripts.push(("pyzeebe", command));
    } else {
        println!("skipped: pyzeebe needs Python 3");
    }
    if tool::is_here("node") && tool::is_here("npm") {
        let packages = folder.join(".setup").join("node");
        tool::node(&packages, &folder.join("node/package.json"), &folder.join("node/package-lock.json"))?;
        for name in ["zeebe-node", "zbctl"] {
            let mut command = Command::new("node");
            command.arg(folder.join("node").join(format!("{name}.js")));
            command.env("NODE_PATH", packages.join("node_modules"));
            scripts.push((name, command));
        }
    } else {
        println!("skipped: zeebe-node and zbctl need Node 20");
    }
    if scripts.is_empty() {
        return Ok(Verdict::Skipped);
    }

    let mut verdict = Verdict::Passed;
    for (name, command) in scripts {
        // Each has a server of its own, so that one cannot take another's jobs.
        let mut server = Server::start(workspace, &format!("clients-{name}"), &[])?;
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

fn run_one(
    name: &str,
    mut command: Command,
    folder: &Path,
    workspace: &Workspace,
    server: &Server,
) -> anyhow::Result<bool> {
    command
        .env("ZEEBE_ADDRESS", &server.grpc)
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
