//! Tools that people know against the gateway; those that are not here are told of and left out.

use std::process::{Command, Stdio};
use std::time::Duration;

use crate::process::{self, End};
use crate::workspace::Workspace;
use crate::{Verdict, tool};

/// How long all of them may take.
const TIME: Duration = Duration::from_mins(2);

pub(crate) fn run(workspace: &Workspace) -> anyhow::Result<Verdict> {
    if !tool::is_here("python3") {
        println!("skipped: the script needs Python 3");
        return Ok(Verdict::Skipped);
    }
    let folder = workspace.root.join("tests").join("clients");
    let requirements = folder.join("pyzeebe").join("requirements.txt");
    let python = tool::python(&folder.join(".setup").join("python"), &requirements)?;
    let mut command = Command::new(python);
    command.arg(folder.join("edge").join("scenario.py"));
    command.env("CORETO_PROGRAM", workspace.program("coreto")).stdin(Stdio::null());
    Ok(match process::run(&mut command, TIME)? {
        End::Exited(status) if status.success() => Verdict::Passed,
        End::Exited(_) => Verdict::Failed,
        End::OutOfTime => {
            println!("FAIL: stopped after {} s", TIME.as_secs());
            Verdict::Failed
        }
    })
}
