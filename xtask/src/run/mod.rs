//! `cargo xtask run`: the whole product on this computer, from nothing to a first conversation.
//!
//! The relay and the demo shop have different names on purpose (`chat.localhost` and
//! `shop.localhost`): the widget is always a guest on someone else's site. Data is only ever added:
//! a data folder that exists is used as it is.

mod demo;
mod http;
mod shop;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use crate::{builds, paths, procs, say, setup};

/// How long the relay and the headless client may take until they answer.
const START_LIMIT: Duration = Duration::from_secs(30);
/// How often the running programs are looked after.
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// What was asked for.
pub(crate) struct Wish {
    /// The relay's port.
    pub(crate) port: u16,
    /// The demo shop's port.
    pub(crate) shop_port: u16,
    /// Where data is kept, if not in `.data`.
    pub(crate) data: Option<String>,
    /// The workbench in a browser, even if there is a display.
    pub(crate) headless: bool,
}

/// Runs until Ctrl+C.
pub(crate) fn run(wish: &Wish) -> Result<()> {
    let has_window = !wish.headless && has_display();
    let data = paths::root().join(wish.data.as_deref().unwrap_or(".data"));
    let shop_listener = free_port(wish.shop_port, "--shop-port")?;
    drop(free_port(wish.port, "--port")?);

    setup::for_running(has_window)?;
    builds::front_end("widget")?;
    builds::front_end("desktop-ui")?;
    say::step("编译中继与客户端 · building the relay and the client");
    if has_window {
        builds::every_program()?;
    } else {
        // The window's libraries may not be here, and nobody would look at it.
        builds::cargo_build(&["yingke-relay", "yingke-client"], false)?;
    }

    let logs = data.join("logs");
    std::fs::create_dir_all(&logs).with_context(|| format!("making {}", logs.display()))?;
    let demo = demo::prepare(&data, wish)?;
    let mut relay = start_relay(&relay_folder(&data), wish.port, &logs.join("relay.log"))?;
    shop::serve(shop_listener, &demo.snippet(wish.port))?;
    let workbench = if has_window {
        Workbench::Window(start_window(&data, &logs)?)
    } else {
        Workbench::Browser(start_headless(&data, &logs)?)
    };
    procs::signal_is_success();
    print_block(wish, &data, &demo, &workbench);
    look_after(&mut relay, workbench, &logs)
}

/// Where the agent works: a window of its own, or a page of the headless client.
enum Workbench {
    Window(procs::Task),
    Browser(Headless),
}

struct Headless {
    task: procs::Task,
    address: String,
}

fn has_display() -> bool {
    cfg!(not(target_os = "linux"))
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()))
}

fn free_port(port: u16, option: &str) -> Result<TcpListener> {
    TcpListener::bind(("127.0.0.1", port)).with_context(|| {
        format!(
            "端口 {port} 已被占用,请用 {option} 换一个 · port {port} is taken: end what uses it (a \
             second `cargo xtask run`?) or choose another with {option}"
        )
    })
}

fn log_file(path: &Path) -> Result<(Stdio, Stdio)> {
    let file =
        std::fs::File::create(path).with_context(|| format!("writing {}", path.display()))?;
    Ok((file.try_clone()?.into(), file.into()))
}

/// Starts the relay on a data folder and waits until it says that it is ready.
fn start_relay(data: &Path, port: u16, log: &Path) -> Result<procs::Task> {
    let (out, err) = log_file(log)?;
    let mut command = procs::command(paths::executable("yingke-relay"));
    command
        .args(["serve", "--data"])
        .arg(data)
        .args(["--listen", &format!("127.0.0.1:{port}")])
        .stdout(out)
        .stderr(err);
    let mut relay = procs::Task::start(&mut command, "relay", true)?;
    let until = Instant::now() + START_LIMIT;
    loop {
        if http::get(port, "/healthz").is_ok_and(|reply| reply.status == 200) {
            return Ok(relay);
        }
        if let Some(status) = relay.ended() {
            bail!("the relay did not start ({status}):\n{}", tail(log));
        }
        if Instant::now() >= until {
            bail!("the relay is not ready after {} s:\n{}", START_LIMIT.as_secs(), tail(log));
        }
        std::thread::sleep(Duration::from_millis(30));
    }
}

fn start_window(data: &Path, logs: &Path) -> Result<procs::Task> {
    let (out, err) = log_file(&logs.join("desktop.log"))?;
    let mut command = procs::command(paths::executable("yingke-desktop"));
    command.arg("--data").arg(data.join("desktop")).stdout(out).stderr(err);
    procs::Task::start(&mut command, "desktop client", true)
}

/// Starts the headless client and waits for the address it prints.
fn start_headless(data: &Path, logs: &Path) -> Result<Headless> {
    let log = logs.join("headless.log");
    let (_, err) = log_file(&log)?;
    let mut command = procs::command(paths::executable("yingke-headless"));
    command
        .arg("--data")
        .arg(data.join("headless"))
        .arg("--ui")
        .arg(paths::root().join("desktop-ui/dist"))
        .stdout(Stdio::piped())
        .stderr(err);
    let mut task = procs::Task::start(&mut command, "headless client", true)?;
    let stdout = task.stdout().context("the headless client has no output")?;
    let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let address = lines.find_map(|line| {
        line.split_whitespace().find(|word| word.starts_with("http://")).map(str::to_owned)
    });
    let Some(address) = address else {
        bail!("the headless client did not start:\n{}", tail(&log));
    };
    // It goes on writing; a full pipe would stop it.
    std::thread::spawn(move || lines.for_each(drop));
    Ok(Headless { task, address })
}

fn tail(log: &Path) -> String {
    const LINES: usize = 20;
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(LINES);
    lines.get(from..).unwrap_or_default().join("\n")
}

fn look_after(relay: &mut procs::Task, workbench: Workbench, logs: &Path) -> Result<()> {
    let mut workbench = Some(workbench);
    loop {
        std::thread::sleep(LOOK_EVERY);
        if procs::is_stopping() {
            // Ended children are collected here while the signal's thread ends them.
            let _ = relay.ended();
            if let Some(Workbench::Window(task) | Workbench::Browser(Headless { task, .. })) =
                workbench.as_mut()
            {
                let _ = task.ended();
            }
            continue;
        }
        if let Some(status) = relay.ended() {
            bail!("the relay ended by itself ({status}):\n{}", tail(&logs.join("relay.log")));
        }
        let ended = match workbench.as_mut() {
            Some(Workbench::Window(task)) => task.ended().map(|status| (status, "desktop.log")),
            Some(Workbench::Browser(headless)) => {
                headless.task.ended().map(|status| (status, "headless.log"))
            }
            None => None,
        };
        if let Some((status, log)) = ended {
            if !status.success() {
                bail!("the workbench ended by itself ({status}):\n{}", tail(&logs.join(log)));
            }
            workbench = None;
            say::step(
                "工作台已关闭,中继与商店仍在运行;按 Ctrl+C 全部停止 · the workbench was closed; relay \
                 and shop go on, Ctrl+C stops them",
            );
        }
    }
}

fn print_block(wish: &Wish, data: &Path, demo: &demo::Demo, workbench: &Workbench) {
    let shop = format!("http://shop.localhost:{}/", wish.shop_port);
    let server = format!("http://localhost:{}", wish.port);
    let (place, where_zh, where_en) = match workbench {
        Workbench::Window(_) => {
            ("桌面客户端窗口 · the desktop window", "客户端窗口里", "its window")
        }
        Workbench::Browser(headless) => (headless.address.as_str(), "工作台页面", "its page"),
    };
    let rule = "─".repeat(76);
    println!("\n{rule}");
    println!("  迎客 Yingke 已启动 · is running\n");
    println!("  商店 Demo shop    {shop}");
    println!("  工作台 Workbench  {place}");
    println!("  服务器 Server     {server}");
    println!("  聊天链接 Link     http://chat.localhost:{}/c/{}", wish.port, demo.site);
    println!("  数据 Data         {}", data.display());
    if demo.accounts.is_empty() {
        println!("\n  账号与密码在首次启动时显示过。忘记密码时先按 Ctrl+C 停止,再运行:");
        println!(
            "  Passwords were shown at the first start. To set a new one, stop with Ctrl+C, run:"
        );
        println!("    {}", demo::reset_command(data));
    } else {
        println!("\n  {}", demo::FIRST_ACCOUNTS);
        for account in &demo.accounts {
            println!("    {}", account.line());
        }
    }
    if !has_display() {
        println!("\n  没有图形显示:同一个工作台在浏览器中打开。");
        println!("  There is no display here: the same workbench opens in a browser.");
    }
    println!("\n  下一步:");
    println!("   1. 在{where_zh}填写服务器地址,用客服账号登录");
    println!("   2. 在浏览器打开商店,点右下角图标,发一条消息");
    println!("   3. 回到工作台回复。Ctrl+C 停止全部");
    println!("\n  Next:");
    println!("   1. Workbench: in {where_en}, sign in with the server's address, as an agent");
    println!(
        "   2. Open the shop in a browser, click the icon at the lower right, write something"
    );
    println!("   3. Answer in the workbench. Ctrl+C stops everything");
    println!("{rule}");
}

/// Where the relay's data is kept.
fn relay_folder(data: &Path) -> PathBuf {
    data.join("relay")
}
