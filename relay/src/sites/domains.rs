//! Pure rules of the domain list: what an admin may enter, and whether a page's origin is on it (A02).
//!
//! A domain is an exact origin: scheme, host and port. `https://*.shop.example` means every
//! subdomain, never the domain itself, and only where it was entered. Hosts are kept as browsers send
//! them: lower case, non-ASCII names in punycode, default ports left out.

use url::{Host, Url};
use yingke_shared::limits::DOMAINS_MAX;

/// What is wrong with a domain an admin entered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DomainError {
    /// Not an origin at all.
    #[error("`{0}` is not a domain such as https://shop.example or http://localhost:8080")]
    Malformed(String),
    /// Another scheme than http or https.
    #[error("`{0}`: a domain begins with https:// or http://")]
    Scheme(String),
    /// More than an origin.
    #[error("`{0}`: a domain has no path, query, user or fragment")]
    MoreThanOrigin(String),
    /// A star elsewhere than at the head, or before a whole country.
    #[error("`{0}`: a star stands only at the head, before a domain of at least two parts")]
    Wildcard(String),
    /// An address that browsers' frame rules cannot name.
    #[error("`{0}`: an IPv6 address cannot be listed; use a name")]
    Ipv6(String),
    /// Over the limit.
    #[error("a site has at most {DOMAINS_MAX} domains")]
    TooMany,
}

/// One entry of the list, in its normal form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Domain(String);

impl Domain {
    /// Reads what an admin entered. Without a scheme, `https` is meant.
    pub fn parse(entered: &str) -> Result<Self, DomainError> {
        let entered = entered.trim();
        let (scheme, rest) = entered.split_once("://").unwrap_or(("https", entered));
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(DomainError::Scheme(entered.to_owned()));
        }
        let (star, rest) = match rest.strip_prefix("*.") {
            Some(rest) => ("*.", rest),
            None => ("", rest),
        };
        let malformed = || DomainError::Malformed(entered.to_owned());
        if rest.contains('*') {
            return Err(DomainError::Wildcard(entered.to_owned()));
        }
        if rest.starts_with(['/', '\\']) || rest.contains(char::is_whitespace) {
            return Err(malformed());
        }
        let url = Url::parse(&format!("{scheme}://{rest}")).map_err(|_| malformed())?;
        if url.path() != "/"
            || url.query().is_some()
            || url.fragment().is_some()
            || !url.username().is_empty()
            || url.password().is_some()
        {
            return Err(DomainError::MoreThanOrigin(entered.to_owned()));
        }
        let host = match url.host() {
            Some(Host::Domain(host)) => host.to_owned(),
            Some(Host::Ipv4(ip)) if star.is_empty() => ip.to_string(),
            Some(Host::Ipv4(_)) => return Err(DomainError::Wildcard(entered.to_owned())),
            Some(Host::Ipv6(_)) => return Err(DomainError::Ipv6(entered.to_owned())),
            None => return Err(malformed()),
        };
        // Only what a header may carry unquoted: the list becomes part of a security policy.
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if !host.bytes().all(plain) || host.starts_with('.') || host.contains("..") {
            return Err(malformed());
        }
        let two_parts = host.trim_end_matches('.').contains('.') || host == "localhost";
        if !star.is_empty() && !two_parts {
            return Err(DomainError::Wildcard(entered.to_owned()));
        }
        let port = url.port().map(|port| format!(":{port}")).unwrap_or_default();
        Ok(Self(format!("{scheme}://{star}{host}{port}")))
    }

    /// Reads a whole list: normal forms, each once, in the order entered.
    pub fn parse_all(entered: &[String]) -> Result<Vec<Self>, DomainError> {
        let mut domains = Vec::new();
        for text in entered {
            let domain = Self::parse(text)?;
            if !domains.contains(&domain) {
                domains.push(domain);
            }
        }
        if domains.len() > DOMAINS_MAX { Err(DomainError::TooMany) } else { Ok(domains) }
    }

    /// Its normal form: as stored, shown, and written into `frame-ancestors`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Does a browser's `Origin` header name a page of this domain? `null` never does.
    #[must_use]
    pub fn allows(&self, origin: &str) -> bool {
        let Some((head, tail)) = self.0.split_once("://*.") else { return self.0 == origin };
        let Some((scheme, host)) = origin.split_once("://") else { return false };
        let Some(sub) = host.strip_suffix(tail).and_then(|sub| sub.strip_suffix('.')) else {
            return false;
        };
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        scheme == head && !sub.is_empty() && sub.bytes().all(plain)
    }
}

/// May the widget start on a page of this origin?
#[must_use]
pub fn may_start_on(domains: &[Domain], origin: &str) -> bool {
    domains.iter().any(|domain| domain.allows(origin))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normal(entered: &str) -> Result<String, DomainError> {
        Domain::parse(entered).map(|domain| domain.as_str().to_owned())
    }

    #[test]
    fn what_an_admin_enters_is_made_normal() {
        for (entered, expected) in [
            ("shop.example", "https://shop.example"),
            ("HTTPS://Shop.Example/", "https://shop.example"),
            ("https://shop.example:443", "https://shop.example"),
            ("http://shop.example:80/", "http://shop.example"),
            ("http://localhost:8080", "http://localhost:8080"),
            ("http://192.168.0.7:3000", "http://192.168.0.7:3000"),
            ("https://*.shop.example", "https://*.shop.example"),
            ("*.shop.example:8443", "https://*.shop.example:8443"),
            ("http://*.localhost:8080", "http://*.localhost:8080"),
            (" https://商店.example ", "https://xn--czrs0t.example"),
            ("shop.example:8443", "https://shop.example:8443"),
        ] {
            assert_eq!(normal(entered).as_deref(), Ok(expected), "{entered}");
        }
    }

    #[test]
    fn what_is_no_domain_is_refused_with_the_reason() {
        use DomainError::*;
        let reason = |entered: &str| normal(entered).unwrap_err();
        for entered in ["", "https://", "null", "https:///x", "a b", "https://a;b.example"] {
            if entered == "null" {
                // A name without dots is a host like any other; it is not the origin `null`.
                assert_eq!(normal(entered).as_deref(), Ok("https://null"));
                continue;
            }
            assert!(matches!(reason(entered), Malformed(_)), "{entered}: {:?}", reason(entered));
        }
        for entered in ["ftp://shop.example", "javascript://x", "chrome-extension://abc"] {
            assert!(matches!(reason(entered), Scheme(_)), "{entered}");
        }
        for entered in
            ["https://shop.example/cart", "https://shop.example?x", "https://u:p@shop.example"]
        {
            assert!(matches!(reason(entered), MoreThanOrigin(_)), "{entered}");
        }
        for entered in ["*", "https://*", "https://*.com", "https://a.*.com", "https://*.10.0.0.1"]
        {
            assert!(matches!(reason(entered), Wildcard(_)), "{entered}: {:?}", reason(entered));
        }
        assert!(matches!(reason("http://[::1]:8080"), Ipv6(_)));
        let many: Vec<String> = (0..=DOMAINS_MAX).map(|n| format!("s{n}.example")).collect();
        assert_eq!(Domain::parse_all(&many), Err(TooMany));
    }

    /// Rows: entered, origin, whether the widget starts.
    #[test]
    fn origins_are_compared_exactly() {
        for (entered, origin, starts) in [
            ("https://shop.example", "https://shop.example", true),
            ("https://shop.example", "http://shop.example", false),
            ("https://shop.example", "https://shop.example:8443", false),
            ("https://shop.example", "https://www.shop.example", false),
            ("https://shop.example", "https://shop.example.evil.example", false),
            ("https://shop.example", "https://evilshop.example", false),
            ("https://shop.example", "null", false),
            ("https://shop.example", "", false),
            ("http://localhost:8080", "http://localhost:8080", true),
            ("http://localhost:8080", "http://localhost:8081", false),
            ("https://*.shop.example", "https://www.shop.example", true),
            ("https://*.shop.example", "https://a.b.shop.example", true),
            ("https://*.shop.example", "https://shop.example", false),
            ("https://*.shop.example", "https://.shop.example", false),
            ("https://*.shop.example", "https://evilshop.example", false),
            ("https://*.shop.example", "http://www.shop.example", false),
            ("https://*.shop.example", "https://www.shop.example:444", false),
            ("https://*.shop.example", "https://evil.example/.shop.example", false),
            ("https://*.shop.example", "https://evil@x.shop.example", false),
            ("https://null", "null", false),
        ] {
            let domain = Domain::parse(entered).unwrap();
            assert_eq!(domain.allows(origin), starts, "{entered} {origin}");
        }
        assert!(!may_start_on(&[], "https://shop.example"));
    }
}
