//! One client per data folder: a second start brings the window of the first to the front and ends. A
//! second folder is a second client (see `args`).
//!
//! The desktop's session bus knows who was first. Without one, or if it does not answer, every start
//! counts as the first: two clients of one folder then meet at the account's files, which only one of
//! them can open.

#[cfg(target_os = "linux")]
pub(crate) use bus::Instance;

#[cfg(target_os = "linux")]
mod bus {
    use std::path::Path;
    use std::sync::mpsc::sync_channel;
    use std::time::Duration;

    use tauri::AppHandle;
    use zbus::blocking::{Connection, connection};
    use zbus::fdo::RequestNameFlags;

    use crate::tray;

    const PATH: &str = "/com/yingke/Desktop";
    const INTERFACE: &str = "com.yingke.Desktop";
    /// A healthy bus answers in milliseconds; a start never waits longer than this.
    const ANSWER_WITHIN: Duration = Duration::from_secs(2);

    /// What another start may ask for.
    struct Window {
        app: AppHandle,
    }

    #[zbus::interface(name = "com.yingke.Desktop")]
    impl Window {
        fn show(&self) {
            tray::show_window(&self.app);
        }
    }

    /// The connection and the name on it.
    pub(crate) struct Door {
        bus: Connection,
        name: String,
    }

    /// This start's place among those of its folder.
    pub(crate) enum Instance {
        /// The first: whoever comes next finds it on the bus, if there is one.
        First(Option<Door>),
        /// Another one runs and has brought its window to the front.
        Second,
    }

    impl Instance {
        /// Looks who was first.
        pub(crate) fn claim(app: &AppHandle, data: &Path) -> Self {
            let name = name_of(data);
            let (answer, answered) = sync_channel(1);
            let app = app.clone();
            // In a thread of its own: a bus that hangs keeps that thread, and nothing else.
            std::thread::spawn(move || drop(answer.send(ask(app, name))));
            match answered.recv_timeout(ANSWER_WITHIN) {
                Ok(Ok(instance)) => instance,
                Ok(Err(error)) => {
                    tracing::info!(%error, "whether another one runs is not known");
                    Self::First(None)
                }
                Err(_) => {
                    tracing::warn!("the session bus does not answer");
                    Self::First(None)
                }
            }
        }

        /// This one ends: whoever starts from now on is the first.
        pub(crate) fn end(self) {
            let Self::First(Some(Door { bus, name })) = self else { return };
            // The bus may be slow, and nobody waits for it.
            std::thread::spawn(move || {
                if let Err(error) = bus.release_name(name) {
                    tracing::debug!(%error, "the name goes with the connection");
                }
            });
        }
    }

    fn ask(app: AppHandle, name: String) -> zbus::Result<Instance> {
        let bus = connection::Builder::session()?
            .method_timeout(ANSWER_WITHIN)
            .serve_at(PATH, Window { app })?
            .build()?;
        let flags = RequestNameFlags::DoNotQueue.into();
        match bus.request_name_with_flags(name.as_str(), flags) {
            Ok(_) => Ok(Instance::First(Some(Door { bus, name }))),
            Err(zbus::Error::NameTaken) => {
                bus.call_method(Some(name.as_str()), PATH, Some(INTERFACE), "Show", &())?;
                Ok(Instance::Second)
            }
            Err(error) => Err(error),
        }
    }

    /// The folder's name on the bus (FNV-1a: the same in every version of this program).
    fn name_of(data: &Path) -> String {
        let bytes = data.as_os_str().as_encoded_bytes();
        let hash = bytes.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
        });
        format!("{INTERFACE}.data_{hash:016x}")
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn each_folder_has_a_name_of_its_own_that_the_bus_takes() {
            let (one, other) =
                (name_of(Path::new("/home/ana/.local/share")), name_of(Path::new("/迎客")));
            assert_ne!(one, other);
            for name in [one, other] {
                zbus::names::WellKnownName::try_from(name).unwrap();
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) enum Instance {
    /// Nobody else is known of.
    First,
}

#[cfg(not(target_os = "linux"))]
impl Instance {
    pub(crate) fn claim(_app: &tauri::AppHandle, _data: &std::path::Path) -> Self {
        Self::First
    }

    pub(crate) fn end(self) {}
}
