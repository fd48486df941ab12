//! The door of HTTP: every route of the relay's own table, so that a new one joins by itself, asked by
//! everybody with bent paths, queries, headers and bodies. A request fails when anything panics, when
//! the status is 5xx, or when a refusal's body is not a [`WireError`].

use std::net::SocketAddr;

use axum::Router;
use axum::body::Body;
use axum::extract::ConnectInfo;
use axum::http::{HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use tower::ServiceExt as _;
use yingke_relay::router::table;
use yingke_relay::serve;
use yingke_shared::error_code::WireError;

use super::bend::hostile_text;
use super::decoding::{is_asked, routes_of};
use super::setting::{Setting, runtime};
use super::{Dose, Fate, Pour, Tally, panics};
use crate::chance::Chance;

/// Requests of one setting: after a while sessions are signed out and accounts disabled.
const REQUESTS: usize = 1_000;

/// Routes that hash a password; each takes as long as a hundred others.
const SLOW: [&str; 3] = ["/api/sign-in", "/api/password", "/api/agents"];

/// See the module.
#[must_use]
pub fn requests(dose: Dose) -> Tally {
    panics::watch();
    let mut pour = Pour::new("requests", "bodies", dose).mostly(is_asked);
    let mut round = 0;
    loop {
        round += 1;
        if runtime().block_on(one_setting(&mut pour, dose.seed ^ round)) {
            return pour.tally;
        }
    }
}

async fn one_setting(pour: &mut Pour, seed: u64) -> bool {
    let setting = Setting::new(seed).await;
    pour.known.clone_from(&setting.known);
    let router = serve::router(&setting.app);
    let routes: Vec<(String, &'static str)> = table()
        .iter()
        .flat_map(|route| route.methods.split(' ').map(|method| (method.to_owned(), route.path)))
        .collect();
    for _ in 0..REQUESTS {
        let Some(body) = pour.next_input() else { return true };
        let mut chance = pour.beside();
        let mut route = chance.one_of(&routes).clone();
        let of_body = routes_of(&body);
        // By whoever may: what lies behind the reading is to be reached.
        let is_meant = !of_body.is_empty() && chance.below(2) == 0;
        if is_meant {
            let (method, path) = *chance.one_of(&of_body);
            route = (method.to_owned(), path);
        }
        if SLOW.contains(&route.1) && route.0 == "POST" && chance.below(10) > 0 {
            route = chance.one_of(&routes).clone();
        }
        let (said, fate) = ask(&router, &setting, route, &body, is_meant, &mut chance).await;
        let fate = panics::none().and(fate);
        let input =
            if fate.is_err() { [said.as_bytes(), b"\n\n", &body].concat() } else { Vec::new() };
        pour.count(&input, fate);
    }
    false
}

async fn ask(
    router: &Router,
    setting: &Setting,
    (method, path): (String, &str),
    body: &[u8],
    is_meant: bool,
    chance: &mut Chance,
) -> (String, Result<Fate, String>) {
    let method = match chance.below(15) {
        0 => (*chance
            .one_of(&["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "茶"]))
        .to_owned(),
        _ => method,
    };
    let path = target(path, setting, chance);
    let said = format!("{method} {path}");
    let (Ok(method), Ok(uri)) = (Method::from_bytes(method.as_bytes()), path.parse::<Uri>()) else {
        return (said, Ok(Fate::Refused));
    };
    let body = if method == Method::GET { Body::empty() } else { Body::from(body.to_vec()) };
    let is_head = method == Method::HEAD;
    let mut request = Request::builder().method(method).uri(uri).body(body).unwrap();
    headers(&mut request, setting, is_meant, chance);
    let said = format!("{said} {:?}", request.headers());
    let peer = SocketAddr::from(([127, 0, 0, 1], 40_000));
    request.extensions_mut().insert(ConnectInfo(peer));
    let response = match tokio::spawn(router.clone().oneshot(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(error) => return (said, Err(format!("its task ended by {error}"))),
    };
    (said, judged(response, is_head).await)
}

/// Whether this is an answer that a relay may give.
async fn judged(response: Response<Body>, is_head: bool) -> Result<Fate, String> {
    let status = response.status();
    let Ok(bytes) = axum::body::to_bytes(response.into_body(), 4 << 20).await else {
        return Err(format!("{status} with an endless body"));
    };
    if status.is_server_error() {
        return Err(format!("{status}: {}", String::from_utf8_lossy(&bytes)));
    }
    if status.is_client_error() && !is_head && serde_json::from_slice::<WireError>(&bytes).is_err()
    {
        return Err(format!("{status} without a code: {}", String::from_utf8_lossy(&bytes)));
    }
    Ok(Fate::taken(status.is_success() || status == StatusCode::SWITCHING_PROTOCOLS))
}

/// The path with names in it, and a query.
fn target(path: &str, setting: &Setting, chance: &mut Chance) -> String {
    let mut made = String::new();
    for part in path.split('/').skip(1) {
        made.push('/');
        match part {
            "{site}" if chance.below(3) > 0 => made.push_str(setting.site.as_str()),
            _ if part.starts_with('{') => match chance.below(2) {
                0 => made.push_str(chance.one_of::<String>(&setting.known)),
                _ => made.push_str(&escaped(&hostile_text(chance), chance)),
            },
            _ if chance.below(40) == 0 => made.push_str(&escaped(&hostile_text(chance), chance)),
            _ => made.push_str(part),
        }
    }
    if chance.below(3) == 0 {
        made.push('?');
        for _ in 0..chance.below(4) {
            let key = *chance.one_of(&["before", "after", "limit", "before", "x", ""]);
            let key = if chance.below(8) == 0 { hostile_text(chance) } else { key.to_owned() };
            let value = match chance.below(3) {
                0 => chance.one_of(&setting.known).clone(),
                1 => chance.below(200).to_string(),
                _ => hostile_text(chance),
            };
            made.push_str(&format!("{}={}&", escaped(&key, chance), escaped(&value, chance)));
        }
    }
    made
}

/// As it may stand in a request line; sometimes with less escaped than should be.
fn escaped(text: &str, chance: &mut Chance) -> String {
    let strict = chance.below(4) > 0;
    let mut made = String::new();
    for byte in text.bytes().take(8_000) {
        let plain = byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte);
        if plain || (!strict && b"/%;=&+:@!,*".contains(&byte)) {
            made.push(char::from(byte));
        } else {
            made.push_str(&format!("%{byte:02X}"));
        }
    }
    made
}

fn headers(request: &mut Request<Body>, setting: &Setting, is_meant: bool, chance: &mut Chance) {
    let bearer = match chance.below(8) {
        _ if is_meant && chance.below(4) > 0 => Some(format!("Bearer {}", setting.admin())),
        0 => None,
        1 => Some(hostile_text(chance)),
        2 => Some(format!("Bearer {}", hostile_text(chance))),
        3 | 4 => Some(format!("bearer {}", setting.visitor)),
        _ => Some(format!("Bearer {}", chance.one_of(&setting.staff))),
    };
    let mut put = |name, value: &str| {
        if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
            request.headers_mut().append(name, value);
        }
    };
    if let Some(bearer) = bearer {
        put(header::AUTHORIZATION, &bearer);
    }
    let hops = format!("198.51.{}.{}", chance.below(256), chance.below(256));
    put(header::HeaderName::from_static("x-forwarded-for"), &hops);
    put(header::CONTENT_TYPE, "application/json");
    for _ in 0..chance.below(3) {
        let names = [
            header::ORIGIN,
            header::HOST,
            header::COOKIE,
            header::ACCEPT_LANGUAGE,
            header::ACCEPT_ENCODING,
            header::IF_NONE_MATCH,
            header::RANGE,
            header::CONTENT_TYPE,
            header::CONNECTION,
            header::UPGRADE,
            header::SEC_WEBSOCKET_KEY,
            header::SEC_WEBSOCKET_VERSION,
            header::SEC_WEBSOCKET_EXTENSIONS,
            header::HeaderName::from_static("x-forwarded-for"),
            header::HeaderName::from_static("x-forwarded-proto"),
            header::HeaderName::from_static("x-forwarded-host"),
        ];
        let name = chance.one_of(&names);
        let value = match chance.below(3) {
            0 => "https://shop.example".to_owned(),
            1 => "websocket, upgrade".to_owned(),
            _ => hostile_text(chance),
        };
        put(name.clone(), &value);
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::hostile::corpus;

    /// Routes that change something and read no body.
    const BODILESS: [(&str, &str); 2] = [("POST", "/api/sign-out"), ("POST", "/w/{site}/ticket")];

    /// What is refused reaches nothing that lies behind the reading of it.
    #[test]
    fn every_good_body_is_accepted_and_every_route_that_reads_one_has_one() {
        let good = std::fs::read(corpus::folder("bodies").join("good.jsonl")).unwrap();
        let mut accepted_by = BTreeSet::new();
        runtime().block_on(async {
            let setting = Setting::new(1).await;
            let router = serve::router(&setting.app);
            // In the order of the file: a section of the settings may name what stands above it.
            for body in good.split(|byte| *byte == b'\n') {
                let routes = routes_of(body);
                let mut answers = Vec::new();
                for route in &routes {
                    let status = asked_by_admin(&router, &setting, *route, body).await;
                    if status.is_success() {
                        accepted_by.insert(*route);
                    }
                    answers.push(status);
                }
                let is_accepted = answers.iter().any(StatusCode::is_success);
                let body = String::from_utf8_lossy(body);
                assert!(is_accepted || routes.is_empty(), "{routes:?} {answers:?} {body}");
            }
        });
        for route in table() {
            for method in route.methods.split(' ').filter(|method| *method != "GET") {
                let asked = (method, route.path);
                assert!(accepted_by.contains(&asked) != BODILESS.contains(&asked), "{asked:?}");
            }
        }
    }

    async fn asked_by_admin(
        router: &Router,
        setting: &Setting,
        (method, path): (&str, &str),
        body: &[u8],
    ) -> StatusCode {
        let [site, agent] = [&setting.known[0], &setting.known[1]];
        let id = if path.contains("/sites/") { site } else { agent };
        let request = Request::builder()
            .method(method)
            .uri(path.replace("{site}", site).replace("{id}", id))
            .header(header::AUTHORIZATION, format!("Bearer {}", setting.admin()))
            .header(header::CONTENT_TYPE, "application/json")
            .extension(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 40_000))))
            .body(Body::from(body.to_vec()));
        router.clone().oneshot(request.unwrap()).await.unwrap().status()
    }
}
