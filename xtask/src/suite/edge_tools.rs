//! Tools that people know against the gateway, and whether its bench and that of discovery still run; what is not here is
//! told of and left out.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{self, End};
use crate::workspace::Workspace;
use crate::{Verdict, tool};

/// How long the tools, and each bench, may take.
const TIME: Duration = Duration::from_mins(2);

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    if !tool::is_here("python3") {
        println!("skipped: the script needs Python 3");
        return Ok(Verdict::Skipped);
    }
    let folder = workspace.root.join("tests").join("clients");
    let requirements = folder.join("pyzeebe").join("requirements.txt");
    let python = tool::python(&folder.join(".setup").join("python"), &requirements)?;
    let mut scenario = Command::new(python);
    scenario.arg(folder.join("edge").join("scenario.py"));
    if tool::is_here("node") && tool::is_here("npm") {
        let (packages, of) = (folder.join(".setup").join("edge-node"), folder.join("edge"));
        tool::node(&packages, &of.join("package.json"), &of.join("package-lock.json"))?;
        scenario.env("NODE_PATH", packages.join("node_modules"));
    } else {
        println!("skipped: ws needs Node 20");
    }
    let bench = |of: &str| {
        let mut bench = Command::new("python3");
        bench.arg(workspace.root.join("bench").join(of).join("run.py")).arg("--smoke");
        bench.env("CARGO_TARGET_DIR", &workspace.target);
        bench
    };
    let mut verdict = Verdict::Passed;
    for mut command in [scenario, bench("edge"), bench("catalog")] {
        command.env("CORETO_PROGRAM", workspace.program("coreto")).stdin(Stdio::null());
        match process::run(&mut command, TIME)? {
            End::Exited(status) if status.success() => {}
            End::Exited(status) => {
                println!("FAIL: ended with {status}");
                verdict = Verdict::Failed;
            }
            End::OutOfTime => {
                println!("FAIL: stopped after {} s", TIME.as_secs());
                verdict = Verdict::Failed;
            }
        }
    }
    Ok(verdict)
}
