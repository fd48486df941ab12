//! Real pages: the widget in Chromium, the workbench in the real desktop window. Both are driven by
//! WebDriver and looked at through [`Page`].

mod chromium;
mod desktop;
mod page;
mod window;

pub use chromium::{Chromium, Profile};
pub use desktop::{Desktop, Notification, SessionBus, Tray, TrayLine};
pub use page::{AFTER_CLICK, Line, Page};
pub use window::{DesktopHome, DesktopWindow};

use std::time::Duration;

use tokio::sync::{Mutex, MutexGuard, Semaphore, SemaphorePermit};

/// A driver that takes longer for one order is stuck.
const DRIVER_WITHIN: Duration = Duration::from_secs(120);

/// Browsers that run at once in this test process; each wants most of a core while it starts.
static SEATS: Semaphore = Semaphore::const_new(2);

async fn one_seat() -> SemaphorePermit<'static> {
    SEATS.acquire().await.expect("the semaphore is never closed")
}

static PAIR: Mutex<()> = Mutex::const_new(());

/// Held by a story that opens a second browser beside its first: two such stories at once would
/// each wait for the other's seat.
pub async fn pair_of_seats() -> MutexGuard<'static, ()> {
    PAIR.lock().await
}
