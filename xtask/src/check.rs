//! Everything that can be said about the source without running the product. All steps run, then
//! all failures are listed: one round of mending instead of several.

use anyhow::{Result, bail};

use crate::{bindings, builds, procs, say, setup, tidy};

/// The steps, cheap ones first.
pub(crate) const STEPS: [&str; 6] = ["format", "tidy", "biome", "types", "clippy", "bindings"];

/// `cargo xtask check`.
pub(crate) fn check(steps: &[String]) -> Result<()> {
    setup::for_running(true)?;
    let wanted: Vec<&str> = if steps.is_empty() {
        STEPS.to_vec()
    } else {
        STEPS.into_iter().filter(|step| steps.iter().any(|word| word == step)).collect()
    };
    run(&wanted)
}

/// Runs these steps; all that fail are named together.
pub(crate) fn run(steps: &[&str]) -> Result<()> {
    let mut failures = Vec::new();
    for step in steps {
        say::step(&format!("check: {step}"));
        if let Err(error) = one(step) {
            say::failed(&format!("{step}: {error:#}"));
            failures.push(*step);
        }
    }
    if !failures.is_empty() {
        bail!("check failed: {}", failures.join(", "));
    }
    Ok(())
}

fn one(step: &str) -> Result<()> {
    match step {
        "format" => procs::run(procs::cargo().args(["fmt", "--all", "--check"]), "cargo fmt"),
        "tidy" => tidy::check(),
        "biome" => procs::run(
            procs::npm().args(["exec", "--", "biome", "check", "--error-on-warnings"]),
            "biome",
        ),
        "types" => {
            for name in builds::FRONT_ENDS {
                procs::run(
                    procs::npm().args(["run", "--silent", "check", "--workspace", name]),
                    &format!("the types of {name}"),
                )?;
            }
            Ok(())
        }
        "clippy" => {
            // The relay and the shell carry the front ends inside: they must exist to compile.
            for name in builds::FRONT_ENDS {
                builds::front_end(name)?;
            }
            procs::run(
                procs::cargo().args([
                    "clippy",
                    "--workspace",
                    "--all-targets",
                    "--quiet",
                    "--",
                    "-D",
                    "warnings",
                ]),
                "cargo clippy",
            )
        }
        "bindings" => bindings::check(),
        other => bail!("there is no step `{other}`"),
    }
}
