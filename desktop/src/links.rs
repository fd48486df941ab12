//! Addresses that leave the workbench: opened in the system's browser, or not at all.
//!
//! The window itself never shows anything but the packed workbench.

use url::Url;

/// Whether an address is the workbench itself. On Windows the custom scheme is a host name.
pub(crate) fn is_own(url: &Url) -> bool {
    match url.scheme() {
        "tauri" => url.host_str() == Some("localhost"),
        "http" | "https" => url.host_str() == Some("tauri.localhost"),
        _ => false,
    }
}

/// Opens a web address in the system's browser; anything else is refused.
pub(crate) fn open_outside(url: &Url) {
    if !is_web(url) {
        tracing::warn!(url.scheme = url.scheme(), "an address of this kind is not opened");
        return;
    }
    // In a thread of its own: the system may take its time.
    let address = url.to_string();
    std::thread::spawn(move || {
        if let Err(error) = open::that_detached(address) {
            tracing::warn!(%error, "the system's browser could not be opened");
        }
    });
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host() && !is_own(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_web_addresses_leave() {
        let web = |text: &str| is_web(&Url::parse(text).unwrap());
        assert!(web("https://shop.example/p/88?a=b#c"));
        assert!(web("http://192.168.1.10:8080/"));
        for refused in [
            "file:///etc/passwd",
            "javascript:alert(1)",
            "tel:110",
            "tauri://localhost/",
            "data:,x",
        ] {
            assert!(!web(refused), "{refused}");
        }
    }

    #[test]
    fn the_window_stays_at_home() {
        let own = |text: &str| is_own(&Url::parse(text).unwrap());
        assert!(own("tauri://localhost/index.html"));
        assert!(own("http://tauri.localhost/"));
        assert!(!own("tauri://elsewhere/"));
        assert!(!own("https://tauri.localhost.example/"));
        assert!(!own("about:blank"));
    }
}
