//! The two commands of the window: ask the client core, and hear it.

use std::sync::{Mutex, PoisonError};

use tauri::async_runtime::JoinHandle;
use tauri::ipc::{Channel, CommandArg as _, CommandItem, Invoke, InvokeError};
use tauri::{Manager as _, State};
use yingke_client::Core;
use yingke_client::bridge::types::{UiPush, UiRequest};

/// What the commands work on.
pub(crate) struct Bridge {
    pub(crate) core: Core,
    /// The page that listens now. A page loaded again takes the place of the one before.
    listener: Mutex<Option<JoinHandle<()>>>,
}

impl Bridge {
    /// In front of this core.
    pub(crate) fn new(core: Core) -> Self {
        Self { core, listener: Mutex::new(None) }
    }
}

/// Every command the window's capability allows; anything else is refused before it comes here.
pub(crate) fn handler() -> impl Fn(Invoke) -> bool + Send + Sync + 'static {
    let others: fn(Invoke) -> bool = tauri::generate_handler![listen];
    move |invoke| match invoke.message.command() {
        "ui" => {
            ui(invoke);
            true
        }
        _ => others(invoke),
    }
}

/// Carries out what a person did in the workbench. Requests come here one after the other, in the
/// order the page made them: each takes its place in the core's line before the next one comes, and
/// only its answer is waited for apart. (A command with `async` would begin in a task of its own,
/// and one would overtake the other.)
fn ui(invoke: Invoke) {
    let Invoke { message, resolver, acl } = invoke;
    let request = UiRequest::from_command(CommandItem {
        plugin: None,
        name: "ui",
        key: "request",
        message: &message,
        acl: &acl,
    });
    let request = match request {
        Ok(request) => request,
        Err(error) => return resolver.invoke_error(error),
    };
    let submitted = message.webview_ref().state::<Bridge>().core.try_submit(request);
    resolver.respond_async(async move {
        let answered = match submitted {
            Ok(submitted) => submitted.answer().await,
            Err(error) => Err(error),
        };
        answered.map_err(InvokeError::from)
    });
}

/// Sends everything the core pushes into this channel, from now on.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "a command is given its state by value")]
pub(crate) fn listen(bridge: State<'_, Bridge>, channel: Channel<UiPush>) {
    let mut pushes = bridge.core.subscribe_page();
    let listener = tauri::async_runtime::spawn(async move {
        while let Some(push) = pushes.next().await {
            if channel.send(push).is_err() {
                return;
            }
        }
    });
    let mut current = bridge.listener.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(earlier) = current.replace(listener) {
        earlier.abort();
    }
}
