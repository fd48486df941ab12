//! The life of the program: start the core, open the window, end in order.
//!
//! The core is shut down before the process ends, however the end is asked for (the window, the
//! tray, a signal), because it writes the last drafts and marks. The core bounds that in time.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tauri::webview::{Color, NewWindowResponse};
use tauri::{App, AppHandle, Manager as _, RunEvent, WebviewUrl, WebviewWindowBuilder};
use yingke_client::Core;
use yingke_client::bridge::types::{UiReply, UiRequest};
use yingke_client::host::SystemHost;

use crate::args::Args;
use crate::bridge::{self, Bridge};
use crate::instance::Instance;
use crate::notifications::Notifications;
use crate::secrets::{Probe, SystemStore};
use crate::{MAIN_WINDOW, links, tray};

const SIZE: (f64, f64) = (1280.0, 800.0);
const SIZE_MIN: (f64, f64) = (1024.0, 640.0);
/// The workbench's own background, so that a start does not flash.
const BACKGROUND: Color = Color(0xF5, 0xF7, 0xF6, 0xFF);

/// Keeps what the content security policy refused where a test can read it.
#[cfg(debug_assertions)]
const VIOLATIONS_SCRIPT: &str = "window.__CSP_VIOLATIONS__ = []; \
    addEventListener('securitypolicyviolation', (event) => window.__CSP_VIOLATIONS__.push(\
    `${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));";

/// Runs until the person quits.
pub(crate) fn run(args: &Args) -> Result<(), Box<dyn std::error::Error>> {
    let (probe, store) = Probe::begin(SystemStore);
    let data = args.data.clone();
    let app = tauri::Builder::default()
        .invoke_handler(bridge::handler())
        .setup(move |app| {
            let data = match data {
                Some(data) => std::path::absolute(data)?,
                None => app.path().app_data_dir()?,
            };
            make_private(&data)?;
            let instance = Instance::claim(app.handle(), &data.canonicalize()?);
            #[cfg(target_os = "linux")]
            if let Instance::Second = instance {
                tracing::info!("this client runs already; its window is shown");
                app.handle().exit(0);
                return Ok(());
            }
            app.manage(Mutex::new(Some(instance)));
            // First the window, because its web process takes longest; what its page asks for
            // waits until this returns.
            open_window(app, data.join("webview"))?;
            let secrets = probe.works().then_some(store);
            let notifier = Arc::new(Notifications::begin(app.handle().clone()));
            let host = Arc::new(SystemHost::new(data, secrets).with_notifier(notifier));
            let core = tauri::async_runtime::block_on(Core::start(host))?;
            tray::install(app, &tray::Words::of(&locale(&core)), &core);
            app.manage(Bridge::new(core));
            quit_on_signals(app.handle());
            Ok(())
        })
        .build(tauri::generate_context!())?;
    let ending = Arc::new(AtomicU8::new(RUNNING));
    app.run(move |app, event| {
        if let RunEvent::ExitRequested { api, .. } = event {
            end_in_order(app, &api, &ending);
        }
    });
    Ok(())
}

/// The folder holds conversations: nobody else on this computer may look into it.
fn make_private(folder: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(folder)
}

fn open_window(app: &App, web_data: PathBuf) -> tauri::Result<()> {
    let window = WebviewWindowBuilder::new(app, MAIN_WINDOW, WebviewUrl::App("index.html".into()))
        .title("迎客")
        .inner_size(SIZE.0, SIZE.1)
        .min_inner_size(SIZE_MIN.0, SIZE_MIN.1)
        .center()
        .background_color(BACKGROUND)
        .data_directory(web_data)
        .zoom_hotkeys_enabled(true)
        .on_navigation(|url| {
            let is_own = links::is_own(url);
            if !is_own {
                links::open_outside(url);
            }
            is_own
        })
        .on_new_window(|url, _| {
            links::open_outside(&url);
            NewWindowResponse::Deny
        });
    #[cfg(debug_assertions)]
    let window = window.initialization_script(VIOLATIONS_SCRIPT);
    window.build()?;
    Ok(())
}

/// The language of the tray: the one chosen in the workbench, else the system's.
fn locale(core: &Core) -> String {
    let state = tauri::async_runtime::block_on(core.ui(UiRequest::GetState {}));
    let chosen = match state {
        Ok(UiReply::State(state)) => state.preferences.locale,
        _ => String::new(),
    };
    if !chosen.is_empty() {
        return chosen;
    }
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .unwrap_or_default()
}

const RUNNING: u8 = 0;
const ENDING: u8 = 1;
const ENDED: u8 = 2;

/// The first request to exit shuts the core down and asks again when that is done.
fn end_in_order(app: &AppHandle, api: &tauri::ExitRequestApi, ending: &Arc<AtomicU8>) {
    match ending.load(Ordering::SeqCst) {
        ENDED => {}
        ENDING => api.prevent_exit(),
        _ => {
            api.prevent_exit();
            ending.store(ENDING, Ordering::SeqCst);
            if let Some(instance) = app.try_state::<Mutex<Option<Instance>>>() {
                let instance = instance.lock().unwrap_or_else(PoisonError::into_inner).take();
                instance.into_iter().for_each(Instance::end);
            }
            let (app, ending) = (app.clone(), Arc::clone(ending));
            tauri::async_runtime::spawn(async move {
                if let Some(bridge) = app.try_state::<Bridge>() {
                    bridge.core.shutdown().await;
                }
                ending.store(ENDED, Ordering::SeqCst);
                app.exit(0);
            });
        }
    }
}

/// A signal asks for the same orderly end as closing the window.
#[cfg(unix)]
fn quit_on_signals(app: &AppHandle) {
    use tokio::signal::unix::{SignalKind, signal};
    for kind in [SignalKind::terminate(), SignalKind::interrupt(), SignalKind::hangup()] {
        let app = app.clone();
        tauri::async_runtime::spawn(async move {
            if let Ok(mut signals) = signal(kind) {
                signals.recv().await;
                app.exit(0);
            }
        });
    }
}

/// Windows ends its windows by closing them.
#[cfg(not(unix))]
fn quit_on_signals(_app: &AppHandle) {}
