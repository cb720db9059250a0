//! The commonest uses of the catalog, as `docs/discovery.md` shows them.

use std::fs::{File, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process_group};

use crate::catalog::settings;
use crate::support::{Directory, Server, skip, until};

const PAGE: &str = include_str!("../../../../docs/discovery.md");

/// What a paragraph shows: commands, and what they print a part of.
struct Use<'a> {
    commands: Vec<&'a str>,
    printed: Vec<&'a str>,
}

/// The uses of the page, in their order.
fn uses() -> Vec<Use<'static>> {
    let (_, section) = PAGE.split_once("## The commonest uses\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let shown = |paragraph: &'static str| {
        let lines: Vec<_> = paragraph.lines().filter_map(|line| line.strip_prefix("    ")).collect();
        let printed = lines.iter().filter_map(|line| line.strip_prefix("# ")).collect();
        let commands = lines.into_iter().filter(|line| !line.starts_with("# ")).collect();
        Use { commands, printed }
    };
    section.split("\n\n").map(shown).filter(|shown| !shown.commands.is_empty()).collect()
}

/// A shell that carries out commands; all that it has started ends with it.
struct Shell(Child);

impl Drop for Shell {
    fn drop(&mut self) {
        let group = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        let _ = kill_process_group(group, Signal::TERM);
        let _ = self.0.wait();
    }
}

fn start(shown: &Use<'_>, server: &Server, place: &Path, output: &Path) -> Shell {
    let (_, port) = server.dns().rsplit_once(':').unwrap();
    let script = shown.commands.join("\n");
    let script = script.replace("127.0.0.1:8500", server.catalog()).replace("-p 8600", &format!("-p {port}"));
    let program = Path::new(env!("CARGO_BIN_EXE_coreto")).parent().unwrap();
    let path = format!("{}:{}", program.display(), std::env::var("PATH").unwrap());
    let out = File::create(output).unwrap();
    let mut command = Command::new("sh");
    command.args(["-ec", &script]).current_dir(place).process_group(0).stdin(Stdio::null());
    command.env("PATH", path).env("CONSUL_HTTP_ADDR", server.catalog());
    Shell(command.stdout(out.try_clone().unwrap()).stderr(out).spawn().unwrap())
}

#[tokio::test]
async fn the_commonest_uses_are_as_they_are_shown() {
    for tool in ["curl", "dig"] {
        if Command::new(tool).arg("-v").output().is_err() {
            return skip(&format!("there is no `{tool}`"));
        }
    }
    let directory = Directory::new();
    let server = settings(&directory).start();
    let place = directory.join("place");
    std::fs::create_dir(&place).unwrap();
    // The program that the page has.
    std::fs::write(place.join("orders"), "#!/bin/sh\nexec sleep 600\n").unwrap();
    std::fs::set_permissions(place.join("orders"), Permissions::from_mode(0o755)).unwrap();
    let uses = uses();
    assert_eq!(uses.len(), 5);
    let mut shells = Vec::new();
    for (number, shown) in uses.iter().enumerate() {
        let output = directory.join(format!("output-{number}"));
        shells.push(start(shown, &server, &place, &output));
        let shell = shells.last_mut().unwrap();
        until(&format!("{:?} in `{}`", shown.printed, output.display()), async || {
            let told = std::fs::read_to_string(&output).unwrap();
            let mut rest = &*told;
            let whole = shown.printed.iter().all(|printed| match rest.split_once(printed) {
                Some((_, after)) => {
                    rest = after;
                    true
                }
                None => false,
            });
            if !whole && let Some(status) = shell.0.try_wait().unwrap() {
                panic!("{shown}: {status}, and printed {told}", shown = shown.commands.join("\n"));
            }
            whole.then_some(())
        })
        .await;
    }
    drop(shells);
    server.stop().await;
}
