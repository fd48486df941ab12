//! Mistakes that an operator makes in the first hour, on the real program: each is one line that says
//! what is wrong and what to do, with the exit code that OPERATING names, and changes nothing. Once made
//! to fail by the system's and the engine's own words, which for a folder that may not be written were
//! that it holds no database of the relay's.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use rusqlite::Connection;
use yingke_tests::relay::relay_program;

/// It could not start, or could not do it.
const FAILED: i32 = 1;
/// The configuration is wrong.
const USAGE: i32 = 64;

/// Verbs that write into the data folder, and those that look at it.
const WRITE: [&[&str]; 3] = [
    &["serve", "--listen", "127.0.0.1:0"],
    &["create-admin", "--account", "ben"],
    &["add-site", "--name", "tea", "--domain", "https://shop.example"],
];
const LOOK: [&[&str]; 1] = [&["check"]];

/// How root's rights over other people's files and over ports are put down.
const POWERLESS: [&str; 4] =
    ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs"];

/// Whether the program can be run as somebody whom modes and owners keep out.
fn is_kept_out() -> bool {
    let mut tried = Command::new("env");
    tried.args(POWERLESS).arg("true");
    let is_so = !rustix::process::geteuid().is_root()
        || tried.output().is_ok_and(|done| done.status.success());
    if !is_so {
        println!("root cannot put its rights down here: not shown");
    }
    is_so
}

/// The program, ended if a mistake lets it go on.
fn as_anybody() -> Result<Command> {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120"]).arg(relay_program()?);
    Ok(command)
}

/// The same without root's rights.
fn program() -> Result<Command> {
    if !rustix::process::geteuid().is_root() {
        return as_anybody();
    }
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120"]).args(POWERLESS).arg(relay_program()?);
    Ok(command)
}

/// Runs it to its end: it says one line, with `expected` in it, and ends with `code`.
fn refuses(
    mut command: Command,
    arguments: &[&str],
    data: &Path,
    code: i32,
    expected: &str,
) -> Result<()> {
    command.args(arguments).arg("--data").arg(data).env("YINGKE_LOG_FILTER", "error");
    let done = command.stdin(Stdio::null()).output()?;
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let what = format!("{arguments:?} on {}: {} {said:?}", data.display(), done.status);
    ensure!(done.status.code() == Some(code), "{what} instead of {code}");
    ensure!(said.contains(expected), "{what}, not {expected:?}");
    ensure!(!said.contains("os error"), "{what}: the system's words");
    // A configuration has a line for each problem, below one that counts them.
    let lines = if code == USAGE { 2 } else { 1 };
    ensure!(said.lines().count() == lines, "{what}: not one line");
    ensure!(done.stdout.is_empty(), "{what}: something for scripts");
    Ok(())
}

/// A data folder with an admin, below a folder of the test's.
fn begun(scratch: &Path, name: &str) -> Result<PathBuf> {
    let data = scratch.join(name);
    let mut command = Command::new(relay_program()?);
    let done = command.args(["create-admin", "--account", "ana", "--data"]).arg(&data).output()?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(data)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .with_context(|| path.display().to_string())
}

/// A folder or a file of the data that this user may not use, a folder that cannot be made, and one that
/// is not there.
#[test]
fn a_data_folder_that_may_not_be_used_is_named_with_what_to_do() -> Result<()> {
    if !is_kept_out() {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    let closed = scratch.path().join("closed");
    std::fs::create_dir(&closed)?;
    set_mode(&closed, 0o500)?;
    refuses(program()?, WRITE[0], &closed.join("data"), FAILED, "cannot be made: user ")?;
    refuses(program()?, WRITE[1], &closed.join("data"), FAILED, "cannot be made: user ")?;
    let advice = "mend that with chmod -R u+rwX";
    refuses(program()?, WRITE[0], &closed, FAILED, advice)?;

    let data = begun(scratch.path(), "data")?;
    let backup = scratch.path().join("backup");
    let to = backup.display().to_string();
    let copy = ["backup", "--to", &to];
    for mode in [0o500, 0o000] {
        set_mode(&data, mode)?;
        for verb in WRITE.into_iter().chain(LOOK).chain([copy.as_slice()]) {
            refuses(program()?, verb, &data, FAILED, advice)?;
        }
    }
    set_mode(&data, 0o700)?;
    for file in ["yingke.db", "relay.lock"] {
        set_mode(&data.join(file), 0o000)?;
        for verb in WRITE {
            refuses(program()?, verb, &data, FAILED, advice)?;
        }
        set_mode(&data.join(file), 0o600)?;
    }

    refuses(
        program()?,
        &["backup", "--to", &closed.join("b").display().to_string()],
        &data,
        FAILED,
        "cannot be made: user ",
    )?;
    let missing = scratch.path().join("mistyped");
    for verb in [WRITE[2], LOOK[0], &copy] {
        refuses(program()?, verb, &missing, FAILED, "holds no relay's data: see to --data")?;
    }
    let file = scratch.path().join("file");
    std::fs::write(&file, "")?;
    for verb in WRITE.into_iter().chain(LOOK) {
        refuses(program()?, verb, &file, FAILED, "is a file and no folder")?;
    }
    ensure!(!missing.exists() && !backup.exists(), "something was made");
    Ok(())
}

/// Data of another user: as after a first command by root.
#[test]
fn data_of_another_user_is_said_to_be_theirs() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = begun(scratch.path(), "data")?;
    let is_given = rustix::process::geteuid().is_root()
        && std::os::unix::fs::chown(&data, Some(65_534), None).is_ok();
    if !is_given || !is_kept_out() {
        println!("only root can give a folder away, and then be kept out: not shown");
        return Ok(());
    }
    for verb in WRITE.into_iter().chain(LOOK) {
        refuses(
            program()?,
            verb,
            &data,
            FAILED,
            "which belongs to user 65534: run the command as",
        )?;
    }
    Ok(())
}

/// A file system in memory that is mounted read-only; gone with the value.
struct ReadOnly<'a>(&'a Path);

impl ReadOnly<'_> {
    fn mount(&self, options: &str) -> bool {
        let mut command = Command::new("mount");
        command.args(["-t", "tmpfs", "-o", options, "yingke-test"]).arg(self.0);
        command.output().is_ok_and(|done| done.status.success())
    }
}

impl Drop for ReadOnly<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).output();
    }
}

/// A disk that is mounted read-only, as a system does with one that fails. A backup on it is checked all
/// the same.
#[test]
fn a_disk_that_is_mounted_read_only_is_said_to_be_so() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let path = scratch.path().join("disk");
    std::fs::create_dir(&path)?;
    let disk = ReadOnly(&path);
    if !disk.mount("size=24m") {
        println!("nothing may be mounted here: not shown");
        return Ok(());
    }
    let (data, untouched) = (begun(&path, "data")?, begun(&path, "untouched")?);
    let backup = path.join("backup");
    let done = Command::new(relay_program()?)
        .args(["backup", "--data"])
        .arg(&data)
        .arg("--to")
        .arg(&backup)
        .output()?;
    ensure!(done.status.success(), "{done:?}");
    ensure!(disk.mount("remount,ro"), "it cannot be mounted read-only");

    let to = path.join("another").display().to_string();
    let copy = ["backup", "--to", &to];
    let advice = "is on a disk that is mounted read-only: mount it for writing";
    for verb in WRITE.into_iter().chain([copy.as_slice()]) {
        refuses(as_anybody()?, verb, &data, FAILED, advice)?;
    }
    // Whoever looked before has left what is needed to look again.
    refuses(as_anybody()?, LOOK[0], &untouched, FAILED, advice)?;
    refuses(as_anybody()?, WRITE[1], &path.join("new"), FAILED, advice)?;
    let elsewhere = begun(scratch.path(), "elsewhere")?;
    refuses(as_anybody()?, &copy, &elsewhere, FAILED, advice)?;
    let checked = Command::new(relay_program()?).args(["check", "--data"]).arg(&backup).output()?;
    ensure!(checked.status.success(), "{checked:?}");
    Ok(())
}

/// A port that somebody has, one that needs a right, an address of another computer.
#[test]
fn an_address_that_cannot_be_listened_on_is_said_with_what_to_do() -> Result<()> {
    if !is_kept_out() {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    let data = begun(scratch.path(), "data")?;
    let taken = TcpListener::bind("127.0.0.1:0")?;
    let listen = |address: &str, expected: &str| {
        refuses(program()?, &["serve", "--listen", address], &data, FAILED, expected)
    };
    let port = taken.local_addr()?.port();
    listen(&format!("127.0.0.1:{port}"), &format!("port {port} is in use, perhaps by another"))?;
    let nonlocal = std::fs::read_to_string("/proc/sys/net/ipv4/ip_nonlocal_bind")?;
    if nonlocal.trim() == "0" {
        // Kept for examples: nobody has it.
        listen("192.0.2.1:8765", "this computer has no such address")?;
    }
    let first_free = std::fs::read_to_string("/proc/sys/net/ipv4/ip_unprivileged_port_start")?;
    match first_free.trim().parse::<u16>()?.checked_sub(1) {
        Some(port) if port > 0 => {
            listen(&format!("127.0.0.1:{port}"), &format!("may not take port {port}"))
        }
        _ => {
            println!("every port is free for everybody here: not shown");
            Ok(())
        }
    }
}

/// A file that is named and cannot be read: the configuration, the certificate, its key.
#[test]
fn a_file_that_may_not_be_read_is_named_with_what_to_do() -> Result<()> {
    if !is_kept_out() {
        return Ok(());
    }
    let scratch = tempfile::tempdir()?;
    let data = scratch.path().join("data");
    let file = |name: &str| -> Result<String> {
        let path = scratch.path().join(name);
        std::fs::write(&path, "")?;
        set_mode(&path, 0o000)?;
        Ok(path.display().to_string())
    };
    let (config, cert, key) = (file("relay.toml")?, file("chat.pem")?, file("chat.key")?);
    let missing = scratch.path().join("mistyped.toml").display().to_string();
    for verb in ["serve", "check-config", "check"] {
        refuses(program()?, &[verb, "--config", &config], &data, USAGE, "relay.toml: user ")?;
        refuses(
            program()?,
            &[verb, "--config", &missing],
            &data,
            USAGE,
            "there is no such file; see",
        )?;
    }
    // Both are said.
    for (name, path) in [("tls_cert", &cert), ("tls_key", &key)] {
        let mut command = program()?;
        let arguments = ["serve", "--tls-cert", &cert, "--tls-key", &key, "--data"];
        let done = command.args(arguments).arg(&data).output()?;
        let said = String::from_utf8_lossy(&done.stderr).into_owned();
        ensure!(done.status.code() == Some(USAGE), "{}: {said}", done.status);
        let line = format!("{name}: {path}: user ");
        let advice = "may not read it; let this user read the file and enter its folder";
        ensure!(said.contains(&line) && said.contains(advice), "{said}");
    }
    ensure!(!data.exists(), "a folder was made");
    Ok(())
}

/// Data that a newer release has migrated is not damaged: neither the start nor the check says so, and
/// both end with the same code. Data of an older one is not damaged either.
#[test]
fn data_of_another_release_is_not_said_to_be_damaged() -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let data = begun(scratch.path(), "data")?;
    let schema = |change: &str| -> Result<()> {
        let database = Connection::open(data.join("yingke.db"))?;
        Ok(database.execute_batch(change)?)
    };
    schema("INSERT INTO schema_migrations VALUES (9999, '9999_later', 1)")?;
    for verb in WRITE.into_iter().chain(LOOK) {
        let by_newer = if verb == LOOK[0] { "use that release" } else { "install that version" };
        refuses(program()?, verb, &data, FAILED, by_newer)?;
        refuses(program()?, verb, &data, FAILED, "(schema 9999; this one knows up to ")?;
    }
    schema(
        "DELETE FROM schema_migrations WHERE number = 9999;
         DELETE FROM schema_migrations WHERE number = (SELECT max(number) FROM schema_migrations)",
    )?;
    refuses(program()?, LOOK[0], &data, FAILED, "the data is from an older release of the relay")?;
    Ok(())
}
