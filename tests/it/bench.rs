//! `yingke-relay bench`: its figures are there and are figures; what it cannot do it says; stopped, it
//! leaves nothing behind. A tiny dose: what the figures are is not asserted anywhere.

use std::path::Path;
use std::process::{Command, Output};

use anyhow::{Context as _, Result, ensure};
use yingke_tests::processes::Group;
use yingke_tests::relay::relay_program;
use yingke_tests::wait;

fn bench(arguments: &[&str]) -> (Output, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(relay_program().unwrap());
    command.arg("bench").args(arguments);
    if !arguments.contains(&"--data") {
        command.arg("--data").arg(folder.path());
    }
    (command.output().unwrap(), folder)
}

/// Numbers above zero stand there.
fn are_figures(of: &serde_json::Value, names: &[&str]) {
    for name in names {
        let figure = of.pointer(name).and_then(serde_json::Value::as_f64);
        assert!(figure.is_some_and(|figure| figure > 0.0), "{name}: {of}");
    }
}

#[test]
fn r04_the_bench_prints_one_object_with_every_figure() {
    let dose = ["--visitors", "200", "--stored", "500", "--rounds", "1", "--seconds", "0.2"];
    let arguments = [&["--quick", "--json", "--rate", "50"][..], &dose[..]].concat();
    let (output, folder) = bench(&arguments);
    let progress = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{progress}");
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), 1, "{text}");
    let figures: serde_json::Value = serde_json::from_str(&text).unwrap();
    for name in ["S1", "S3", "S4", "S5", "S7", "S8", "S9"] {
        let figure = figures[name].as_f64();
        assert!(figure.is_some_and(|figure| figure > 0.0), "{name}: {text}");
    }
    for name in ["message_ms", "preview_ms", "presence_ms"] {
        let figure = figures["P16"][name].as_f64();
        assert!(figure.is_some_and(|figure| figure > 0.0), "{name}: {text}");
    }
    let raw = &figures["raw"];
    assert_eq!(raw["live"]["troubles"], 0);
    let pairs: Vec<_> =
        raw["durable"].as_array().unwrap().iter().map(|of| of["pairs"].as_u64()).collect();
    assert_eq!(pairs, [Some(1), Some(10), Some(100)]);
    let rates: Vec<_> =
        raw["latency"].as_array().unwrap().iter().map(|of| of["rate"].as_u64()).collect();
    assert_eq!(rates, [Some(500), Some(5_000), Some(50)]);
    for of in raw["durable"].as_array().unwrap() {
        let each = [
            "/relay_per_second/median",
            "/bare_in_batches_per_second/median",
            "/bare_alone_per_second/median",
            "/ratio_to_batches",
            "/bare_cpu_us_per_message/median",
            "/ratio_to_alone",
        ];
        are_figures(of, &each);
        if of["pairs"] == 100 {
            are_figures(of, &["/echoes_per_second/median", "/ratio_to_echoes"]);
            are_figures(of, &["/relay_resident_kib"]);
        }
    }
    for of in raw["latency"].as_array().unwrap() {
        are_figures(of, &["/relay_ms/p50", "/relay_ms/p99", "/relay_ms/p999"]);
        are_figures(of, &["/bare_ms/p50", "/bare_ms/p99", "/bare_p99_ms/most"]);
        are_figures(of, &["/bare_cpu_us_per_message/median"]);
        are_figures(of, &["/echo_ms/p99", "/echo_ms/p999", "/ratio_to_echo"]);
    }
    are_figures(raw, &["/took_s", "/crowd/kib_each", "/crowd/busy_kib_each"]);
    assert_eq!(raw["crowd"]["visitors"], 200);
    assert_eq!(raw["crowd"]["troubles"], 0);
    assert_eq!(raw["start"]["stored"], 500);
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "it leaves nothing behind");
}

#[test]
fn r04_a_part_is_measured_alone_and_shown_as_a_table() {
    let dose = ["--stored", "100", "--rounds", "1", "--seconds", "0.2"];
    let (output, _folder) = bench(&[&["--part", "start"][..], &dose[..]].concat());
    assert!(output.status.success());
    let table = String::from_utf8(output.stdout).unwrap();
    assert!(table.contains("启动到首个连接 start to the first socket (S8)"), "{table}");
    assert!(!table.contains("(S1)"), "{table}");
}

/// The command lines of all processes that name this folder.
fn at_work_in(folder: &Path) -> Result<Vec<String>> {
    let folder = folder.to_str().context("a folder's name")?;
    let mut found = Vec::new();
    for process in std::fs::read_dir("/proc")? {
        // One that has just ended is not missed; one that nobody has waited for yet has no line.
        let line = std::fs::read(process?.path().join("cmdline")).unwrap_or_default();
        let line = String::from_utf8_lossy(&line).replace('\0', " ");
        if line.contains(folder) {
            found.push(line);
        }
    }
    Ok(found)
}

/// Stopped as a supervisor stops it. Made to fail by a bench that waited for Ctrl+C alone: folder and
/// relay stayed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r04_a_bench_that_is_stopped_leaves_neither_folder_nor_relay() -> Result<()> {
    let (folder, log) = (tempfile::tempdir()?, tempfile::NamedTempFile::new()?);
    let mut command = Command::new(relay_program()?);
    command.args(["bench", "--part", "durable", "--seconds", "600", "--data"]).arg(folder.path());
    let mut bench = Group::start("the bench", &mut command, log.path())?;
    wait::until("the bench has a relay", || async {
        let lines = at_work_in(folder.path())?;
        Ok(lines.iter().any(|line| line.contains(" serve ")).then_some(()))
    })
    .await?;
    bench.signal("TERM")?;
    let status = wait::until("the bench ends", || std::future::ready(bench.ended())).await?;
    let said = std::fs::read_to_string(log.path())?;
    ensure!(status.code() == Some(1) && said.contains("it was interrupted"), "{status} {said}");
    let left = std::fs::read_dir(folder.path())?.count();
    ensure!(left == 0, "its folder is there: {said}");
    wait::until("no relay of it is there", || async {
        let left = at_work_in(folder.path())?;
        ensure!(left.is_empty(), "{left:?}");
        Ok(Some(()))
    })
    .await
}

#[test]
fn r04_wrong_options_are_refused_with_what_is_right() {
    for (arguments, expected) in [
        (&["--rate", "0"][..], "--rate must be 1 to 100000"),
        (&["--visitors", "0"], "--visitors must be 1 to 50000"),
        (&["--rounds", "1000"], "--rounds must be 1 to 100"),
        (&["--seconds", "0"], "--seconds must be 0.1 to 600"),
        (&["--data", "/nowhere"], "there is no folder /nowhere"),
        (&["--part", "everything"], "[possible values: durable, latency, live, crowd, start]"),
    ] {
        let (output, _folder) = bench(arguments);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && output.stdout.is_empty());
        assert!(said.contains(expected), "{said}");
    }
}
