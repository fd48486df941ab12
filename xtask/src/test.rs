//! `cargo xtask test`: every check and test in stages, with a table of times at the end.
//!
//! The first failing stage stops the run and is named. Test programs are built once, by one cargo
//! invocation, and run directly; what they leave behind is ended and named.

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::builds::{self, TestProgram};
use crate::{bindings, check, paths, procs, say, setup};

/// The stages in their order.
pub(crate) const STAGES: [&str; 5] = ["setup", "check", "build", "unit", "e2e"];

/// The package of the end-to-end tests; everything else is unit tests.
const END_TO_END: &str = "yingke-tests";
/// Marks the processes of this run, so that what outlives it can be found.
const MARK: &str = "YINGKE_TEST_RUN";

/// What was asked for beside the stages.
pub(crate) struct Wish {
    /// The promise whose full dose is run.
    pub(crate) full: Option<String>,
    /// Only Rust tests with this in their name.
    pub(crate) filter: Option<String>,
}

/// Runs the named stages, or all.
pub(crate) fn test(stages: &[String], wish: &Wish) -> Result<()> {
    let wanted: Vec<&str> = STAGES
        .into_iter()
        .filter(|stage| stages.is_empty() || stages.iter().any(|word| word == stage))
        .collect();
    let mut times: Vec<(&str, Duration)> = Vec::new();
    let mut programs = None;
    let mut outcome = Ok(());
    for stage in &wanted {
        say::heading(&format!("stage {stage}"));
        let begun = Instant::now();
        let result = run_stage(stage, wish, &mut programs);
        times.push((stage, begun.elapsed()));
        if let Err(error) = result {
            outcome = Err(error.context(format!("stage {stage} failed")));
            break;
        }
    }
    print_table(&wanted, &times, outcome.is_ok());
    outcome
}

fn run_stage(stage: &str, wish: &Wish, programs: &mut Option<Vec<TestProgram>>) -> Result<()> {
    match stage {
        "setup" => setup::for_testing(),
        // Stale bindings are found by the unit stage, which runs the export tests anyway.
        "check" => check::run(&["format", "tidy", "biome", "types", "clippy"]),
        "build" => {
            built(programs)?;
            Ok(())
        }
        "unit" => unit(built(programs)?, wish),
        "e2e" => end_to_end(built(programs)?, wish),
        other => bail!("there is no stage `{other}`"),
    }
}

fn built(programs: &mut Option<Vec<TestProgram>>) -> Result<&[TestProgram]> {
    if programs.is_none() {
        for name in builds::FRONT_ENDS {
            builds::front_end(name)?;
        }
        *programs = Some(builds::workspace()?);
    }
    Ok(programs.as_deref().unwrap_or_default())
}

fn unit(programs: &[TestProgram], wish: &Wish) -> Result<()> {
    let fresh = bindings::fresh_folder()?;
    for program in programs.iter().filter(|program| program.package != END_TO_END) {
        let mut command = test_command(program, wish);
        command.envs(bindings::environment(&fresh));
        run_program(&mut command, program)?;
    }
    if wish.filter.is_some() {
        return Ok(());
    }
    bindings::compare(&fresh)?;
    for name in builds::FRONT_ENDS {
        say::heading(name);
        procs::run(
            procs::npm().args(["run", "--silent", "test", "--workspace", name]),
            &format!("the tests of {name}"),
        )?;
    }
    Ok(())
}

fn end_to_end(programs: &[TestProgram], wish: &Wish) -> Result<()> {
    let mut is_any = false;
    for program in programs.iter().filter(|program| program.package == END_TO_END) {
        is_any = true;
        let mut command = test_command(program, wish);
        command
            .env("LANG", "C.UTF-8")
            .env("GDK_BACKEND", "x11")
            .env("NO_AT_BRIDGE", "1")
            // Without it screenshots show an earlier page behind green assertions.
            .env("WEBKIT_DISABLE_COMPOSITING_MODE", "1")
            .env("TAURI_DRIVER", setup::tauri_driver_path())
            .env("PATH", path_with_tools()?);
        run_program(&mut command, program)?;
    }
    if !is_any {
        bail!("{END_TO_END} has no test program");
    }
    Ok(())
}

fn path_with_tools() -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let dirs: Vec<PathBuf> =
        std::iter::once(paths::tools().join("bin")).chain(std::env::split_paths(&path)).collect();
    std::env::join_paths(dirs).context("PATH")
}

fn test_command(program: &TestProgram, wish: &Wish) -> Command {
    let mut command = Command::new(&program.executable);
    command
        .current_dir(&program.folder)
        .env("CARGO_MANIFEST_DIR", &program.folder)
        .env("CARGO_TARGET_DIR", paths::target())
        .env("YINGKE_BIN_DIR", paths::target().join("debug"));
    if let Some(name) = &wish.full {
        // The figures of a full dose are what it is run for: they are shown as they come.
        command.env("YINGKE_FULL", name.to_uppercase()).arg("--nocapture");
    }
    if let Some(filter) = &wish.filter {
        command.arg(filter);
    }
    command
}

fn run_program(command: &mut Command, program: &TestProgram) -> Result<()> {
    let name = format!("{} {}", program.package, program.target);
    say::heading(&name);
    let mark = std::process::id().to_string();
    command.env(MARK, &mark);
    let result = procs::run(command, &name);
    let left = procs::end_marked(&format!("{MARK}={mark}"));
    if !left.is_empty() {
        say::failed(&format!("{name} left behind, now ended: {}", left.join(", ")));
    }
    result
}

fn print_table(wanted: &[&str], times: &[(&str, Duration)], is_success: bool) {
    say::heading("stage times");
    for (index, stage) in wanted.iter().enumerate() {
        let line = match times.get(index) {
            Some((_, time)) => {
                let is_failed = !is_success && index + 1 == times.len();
                format!(
                    "{stage:<8}{:>13}  {}",
                    say::time(*time),
                    if is_failed { "FAILED" } else { "ok" }
                )
            }
            None => format!("{stage:<8}{:>13}  not run", "-"),
        };
        say::detail(&line);
    }
    let total: Duration = times.iter().map(|(_, time)| *time).sum();
    say::detail(&format!("{:<8}{:>13}", "total", say::time(total)));
}
