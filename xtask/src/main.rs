//! The one front door of the repository: `cargo xtask VERB`.
//!
//! Each verb lives in its own module; this file only reads the command line. Few dependencies on
//! purpose: the first thing a newcomer waits for is this crate being compiled.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command-line tool talks")]
#![allow(clippy::indexing_slicing, reason = "only JSON values are indexed: absent reads as null")]

mod bindings;
mod builds;
mod check;
mod limits;
mod paths;
mod procs;
mod run;
mod say;
mod setup;
mod shapes;
mod test;
mod tidy;

use anyhow::{Context as _, Result, bail};

const HELP: &str = "\
迎客 Yingke: one front door.   cargo xtask VERB

  run      Build and start everything on this computer: relay, demo shop, workbench
             --port N        the relay's port (8787)
             --shop-port N   the demo shop's port (8788)
             --data DIR      where all data is kept (.data)
             --headless      the workbench in a browser, even if there is a display
  test     Every check and test, in stages; a table of times at the end
             STAGE…          only these: setup check build unit e2e
             --filter TEXT   only Rust tests whose name contains TEXT
             --full NAME     the full dose of a promise instead of the daily one
  check    Format, lints, types, stale bindings, tidy rules
             STEP…           only these: format tidy biome types clippy bindings
  build    Build: relay, desktop, widget or everything
             --release       optimised, and the desktop's .deb
  gen      Write what is generated: TypeScript (shared/bindings), docs/LIMITS.md, docs/SHAPES.md
  setup    Install what is missing: system packages, npm packages, the window driver
             STEP…           only these: run test
";

fn main() {
    procs::stop_on_signals();
    let code = match dispatch(&std::env::args().skip(1).collect::<Vec<_>>()) {
        Ok(()) => 0,
        Err(_) if procs::is_stopping() => procs::wait_until_stopped(),
        Err(error) => {
            say::failed(&format!("{error:#}"));
            1
        }
    };
    procs::stop_all();
    std::process::exit(code);
}

fn dispatch(args: &[String]) -> Result<()> {
    let Some((verb, rest)) = args.split_first() else {
        print!("{HELP}");
        return Ok(());
    };
    if rest.iter().any(|arg| arg == "--help" || arg == "-h") {
        print!("{HELP}");
        return Ok(());
    }
    let mut args = Args::new(rest);
    match verb.as_str() {
        "run" => {
            let wish = run::Wish {
                port: args.number("--port")?.unwrap_or(8787),
                shop_port: args.number("--shop-port")?.unwrap_or(8788),
                data: args.value("--data")?,
                headless: args.flag("--headless"),
            };
            args.finish(&[])?;
            run::run(&wish)
        }
        "test" => {
            let wish = test::Wish { full: args.value("--full")?, filter: args.value("--filter")? };
            test::test(&args.finish(&test::STAGES)?, &wish)
        }
        "check" => check::check(&args.finish(&check::STEPS)?),
        "build" => {
            let release = args.flag("--release");
            builds::build(&args.finish(&["relay", "desktop", "widget"])?, release)
        }
        "gen" => {
            args.finish(&[])?;
            limits::write()?;
            bindings::write()?;
            shapes::write()
        }
        "setup" => {
            let steps = args.finish(&["run", "test"])?;
            setup::setup(&steps)
        }
        "help" | "--help" | "-h" => {
            print!("{HELP}");
            Ok(())
        }
        other => bail!("there is no verb `{other}`; `cargo xtask help` lists them"),
    }
}

/// What stands after the verb: options are taken out one by one, the rest must be known words.
struct Args {
    left: Vec<String>,
}

impl Args {
    fn new(args: &[String]) -> Self {
        Self { left: args.to_vec() }
    }

    fn flag(&mut self, name: &str) -> bool {
        let before = self.left.len();
        self.left.retain(|arg| arg != name);
        self.left.len() != before
    }

    fn value(&mut self, name: &str) -> Result<Option<String>> {
        if let Some(at) = self.left.iter().position(|arg| arg == name) {
            self.left.remove(at);
            if at >= self.left.len() {
                bail!("{name} needs a value");
            }
            return Ok(Some(self.left.remove(at)));
        }
        let head = format!("{name}=");
        if let Some(at) = self.left.iter().position(|arg| arg.starts_with(&head)) {
            let arg = self.left.remove(at);
            return Ok(arg.strip_prefix(&head).map(str::to_owned));
        }
        Ok(None)
    }

    fn number(&mut self, name: &str) -> Result<Option<u16>> {
        self.value(name)?
            .map(|text| text.parse().with_context(|| format!("{name}: `{text}` is not a port")))
            .transpose()
    }

    fn finish(self, known: &[&str]) -> Result<Vec<String>> {
        for arg in &self.left {
            if !known.contains(&arg.as_str()) {
                match known {
                    [] => bail!("`{arg}` is not understood here; see `cargo xtask help`"),
                    _ => bail!("`{arg}` is not one of: {}", known.join(" ")),
                }
            }
        }
        Ok(self.left)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(words: &[&str]) -> Args {
        Args::new(&words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn options_come_in_both_forms_and_anywhere() {
        let mut args = args(&["--port", "9", "unit", "--data=x y"]);
        assert_eq!(args.number("--port").unwrap(), Some(9));
        assert_eq!(args.value("--data").unwrap().as_deref(), Some("x y"));
        assert_eq!(args.finish(&["unit"]).unwrap(), ["unit"]);
    }

    #[test]
    fn what_is_not_understood_is_said() {
        assert!(args(&["--prot", "9"]).finish(&[]).is_err());
        assert!(args(&["--port"]).number("--port").is_err());
        assert!(args(&["--port", "70000"]).number("--port").is_err());
    }
}
