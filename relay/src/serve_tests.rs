//! The end of a relay, as those who are connected meet it.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use yingke_shared::rest::AddAgent;
use yingke_shared::views::Role;

use super::*;
use crate::agents;
use crate::auth::PasswordHasher;

/// Nothing in these tests may take longer.
const LIMIT: Duration = Duration::from_secs(20);
const BODY: &str = r#"{"account":"ana","password":"a long enough secret"}"#;

async fn read_until(connection: &mut TcpStream, end: &str) -> String {
    let mut text = Vec::new();
    while !String::from_utf8_lossy(&text).contains(end) {
        let read = timeout(LIMIT, connection.read_buf(&mut text)).await.unwrap().unwrap();
        assert_ne!(read, 0, "closed after {}", String::from_utf8_lossy(&text));
    }
    String::from_utf8(text).unwrap()
}

#[tokio::test]
async fn a_request_under_way_is_answered_when_the_relay_is_asked_to_stop() {
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open_inline(folder.path(), &RealWorld).unwrap();
    let ana = AddAgent {
        account: "ana".into(),
        password: "a long enough secret".into(),
        nickname: "Ana".into(),
        role: Role::Agent,
        capacity: 8,
        departments: None,
        skills: Vec::new(),
    };
    agents::actions::insert(&store, &RealWorld, &PasswordHasher::default(), ana).await.unwrap();
    store.close().await;
    drop(store);

    let config = Config {
        data: folder.path().to_owned(),
        listen: "127.0.0.1:0".parse().unwrap(),
        ..Config::default()
    };
    let (stop, stop_asked) = oneshot::channel::<()>();
    let (started, address) = oneshot::channel();
    let relay = tokio::spawn(async move {
        let stop_asked = async { stop_asked.await.unwrap() };
        serve_until(config, stop_asked, |address| started.send(address).unwrap()).await
    });
    let address = address.await.unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /api/sign-in HTTP/1.1\r\nHost: relay\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        BODY.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    // It says this when it begins to read the body: the request is under way.
    read_until(&mut connection, "100 Continue").await;

    stop.send(()).unwrap();
    // New ones are refused from the moment it stops.
    let refuses = async { while TcpStream::connect(address).await.is_ok() {} };
    timeout(LIMIT, refuses).await.unwrap();
    connection.write_all(BODY.as_bytes()).await.unwrap();
    let answer = read_until(&mut connection, "\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    // It has a session's token in it.
    for header in ["cache-control: no-store", "x-content-type-options: nosniff"] {
        assert!(answer.contains(header), "{answer}");
    }
    timeout(LIMIT, relay).await.unwrap().unwrap().unwrap();
}
