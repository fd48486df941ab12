//! A relay's address as a person types it: what is accepted, what must be asked, and where its
//! socket and routes are. Pure.

use std::fmt;

use url::{Host, Url};

/// A checked address of a relay: scheme, host and port, nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct ServerAddress {
    origin: Url,
}

/// Why a text is not a usable address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not an address of a server.
    #[error("not the address of a server")]
    Malformed,
    /// Unencrypted, and not this computer: the person has not agreed to that.
    #[error("the address is unencrypted and not on this computer")]
    PlainHttp,
}

impl ServerAddress {
    /// Reads what was typed. A missing scheme means `https`, or `http` for this computer. Plain
    /// `http` is refused except for this computer, unless `allow_plain_http`.
    pub fn parse(typed: &str, allow_plain_http: bool) -> Result<Self, AddressError> {
        let typed = typed.trim();
        let url = if typed.contains("://") {
            Url::parse(typed).map_err(|_| AddressError::Malformed)?
        } else {
            let secure = Url::parse(&format!("https://{typed}"));
            let mut url = secure.map_err(|_| AddressError::Malformed)?;
            if is_loopback(&url) {
                url =
                    Url::parse(&format!("http://{typed}")).map_err(|_| AddressError::Malformed)?;
            }
            url
        };
        let bare = url.username().is_empty()
            && url.password().is_none()
            && url.path() == "/"
            && url.query().is_none()
            && url.fragment().is_none();
        if !bare || url.host_str().is_none_or(str::is_empty) {
            return Err(AddressError::Malformed);
        }
        match url.scheme() {
            "https" => {}
            "http" if allow_plain_http || is_loopback(&url) => {}
            "http" => return Err(AddressError::PlainHttp),
            _ => return Err(AddressError::Malformed),
        }
        Ok(Self { origin: url })
    }

    /// As shown and remembered: without a trailing slash.
    #[must_use]
    pub fn as_text(&self) -> String {
        self.origin.as_str().trim_end_matches('/').to_owned()
    }

    /// The address of one of the relay's HTTP routes.
    #[must_use]
    pub fn route(&self, path: &str) -> String {
        format!("{}{path}", self.as_text())
    }

    /// The address of the staff socket.
    #[must_use]
    pub fn staff_socket(&self) -> String {
        let scheme = if self.is_encrypted() { "wss" } else { "ws" };
        let rest = self.as_text();
        let rest = rest.split_once("://").map_or("", |(_, rest)| rest);
        format!("{scheme}://{rest}/ws/staff")
    }

    /// Whether the link is encrypted.
    #[must_use]
    pub fn is_encrypted(&self) -> bool {
        self.origin.scheme() == "https"
    }

    /// Host to look up and port to dial.
    #[must_use]
    pub fn host_and_port(&self) -> (String, u16) {
        let host = match self.origin.host() {
            Some(Host::Ipv6(address)) => address.to_string(),
            _ => self.origin.host_str().unwrap_or_default().to_owned(),
        };
        (host, self.origin.port_or_known_default().unwrap_or(443))
    }

    /// A name for folders and key stores: letters, digits, dots, dashes and underscores only.
    #[must_use]
    pub fn slug(&self) -> String {
        let text = self.as_text().replace("://", "_");
        text.chars()
            .map(|c| if c.is_ascii_alphanumeric() || matches!(c, '.' | '-') { c } else { '_' })
            .collect()
    }
}

impl fmt::Debug for ServerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_text())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => is_localhost_name(name),
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// `localhost` and every name below it are this computer by definition (RFC 6761), whatever the
/// resolver says.
#[must_use]
pub fn is_localhost_name(name: &str) -> bool {
    let name = name.trim_end_matches('.').to_ascii_lowercase();
    name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(typed: &str) -> Result<String, AddressError> {
        ServerAddress::parse(typed, false).map(|address| address.as_text())
    }

    #[test]
    fn addresses_are_read_as_people_type_them() {
        for (typed, expected) in [
            ("https://chat.example.com", Ok("https://chat.example.com")),
            ("  https://chat.example.com/ ", Ok("https://chat.example.com")),
            ("chat.example.com:8443", Ok("https://chat.example.com:8443")),
            ("localhost:8080", Ok("http://localhost:8080")),
            ("chat.localhost:8080", Ok("http://chat.localhost:8080")),
            ("http://127.0.0.1:1", Ok("http://127.0.0.1:1")),
            ("http://[::1]:7", Ok("http://[::1]:7")),
            ("http://chat.example.com", Err(AddressError::PlainHttp)),
            ("http://192.168.1.4:80", Err(AddressError::PlainHttp)),
            ("http://localhost.example.com", Err(AddressError::PlainHttp)),
            ("ftp://chat.example.com", Err(AddressError::Malformed)),
            ("https://ana:secret@chat.example.com", Err(AddressError::Malformed)),
            ("https://chat.example.com/path", Err(AddressError::Malformed)),
            ("https://chat.example.com/?q", Err(AddressError::Malformed)),
            ("", Err(AddressError::Malformed)),
            ("迎 客", Err(AddressError::Malformed)),
        ] {
            assert_eq!(parsed(typed), expected.map(str::to_owned), "{typed}");
        }
    }

    #[test]
    fn plain_http_elsewhere_needs_the_persons_word() {
        let address = ServerAddress::parse("http://10.0.0.7:8080", true).unwrap();
        assert_eq!(address.staff_socket(), "ws://10.0.0.7:8080/ws/staff");
        assert_eq!(address.slug(), "http_10.0.0.7_8080");
    }

    #[test]
    fn sockets_and_routes_follow_the_origin() {
        let address = ServerAddress::parse("https://chat.example.com:8443", false).unwrap();
        assert_eq!(address.staff_socket(), "wss://chat.example.com:8443/ws/staff");
        assert_eq!(address.route("/api/sign-in"), "https://chat.example.com:8443/api/sign-in");
        let six = ServerAddress::parse("http://[::1]:7", false).unwrap();
        assert_eq!(six.host_and_port(), ("::1".to_owned(), 7));
    }
}
