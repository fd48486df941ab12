//! The two commands of the window: ask the client core, and hear it.

use std::sync::{Mutex, PoisonError};

use tauri::State;
use tauri::async_runtime::JoinHandle;
use tauri::ipc::Channel;
use yingke_client::Core;
use yingke_client::bridge::types::{UiError, UiPush, UiReply, UiRequest};

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

/// Carries out what a person did in the workbench.
#[tauri::command]
pub(crate) async fn ui(bridge: State<'_, Bridge>, request: UiRequest) -> Result<UiReply, UiError> {
    bridge.core.ui(request).await
}

/// Sends everything the core pushes into this channel, from now on.
#[tauri::command]
#[expect(clippy::needless_pass_by_value, reason = "a command is given its state by value")]
pub(crate) fn listen(bridge: State<'_, Bridge>, channel: Channel<UiPush>) {
    let mut pushes = bridge.core.subscribe();
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
