//! Connections that want something for nothing, against a real listener.

use std::net::SocketAddr;

use axum::Router;
use axum::body::Bytes;
use axum::routing::{get, post};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpSocket;
use tokio::time::timeout;

use super::*;

/// Nothing in these tests may take longer.
const LIMIT: Duration = Duration::from_secs(20);
const SOON: Duration = Duration::from_millis(200);

async fn listener(per_peer_max: usize, idle_within: Duration, trusted: &[&str]) -> SocketAddr {
    let trusted = trusted.iter().map(|net| net.parse().unwrap()).collect();
    let head_within = idle_within;
    let bounds = Bounds { connections_max: 100, per_peer_max, idle_within, head_within, trusted };
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let router = Router::new()
        .route("/", get(|| async { "here" }))
        .route("/body", post(|body: Bytes| async move { body.len().to_string() }));
    let server = axum_server::from_tcp(listener).unwrap().acceptor(Limited::new(bounds));
    tokio::spawn(server.serve(router.into_make_service()));
    address
}

async fn connect_from(from: &str, to: SocketAddr) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(from.parse().unwrap()).unwrap();
    socket.connect(to).await.unwrap()
}

/// Asks and is answered, or finds the connection closed.
async fn is_answered(connection: &mut TcpStream) -> bool {
    if connection.write_all(b"GET / HTTP/1.1\r\nHost: relay\r\n\r\n").await.is_err() {
        return false;
    }
    let mut answer = Vec::new();
    while !answer.ends_with(b"here") {
        let read = timeout(LIMIT, connection.read_buf(&mut answer)).await.unwrap();
        if !read.is_ok_and(|bytes| bytes > 0) {
            return false;
        }
    }
    true
}

/// Waits until the relay closes the connection.
async fn until_closed(connection: &mut TcpStream) {
    let mut rest = Vec::new();
    // A reset is as good an end as any.
    let _ = timeout(LIMIT, connection.read_to_end(&mut rest)).await.expect("still open");
}

#[tokio::test]
async fn a_connection_on_which_nothing_moves_is_closed() {
    let relay = listener(100, SOON, &[]).await;
    for beginning in [
        "",
        "PRI * HT",
        "GET / HTTP/1.1\r\nHost: relay\r\n",
        "POST /body HTTP/1.1\r\nHost: relay\r\nContent-Length: 100\r\n\r\nhalf",
        // A whole preface of HTTP/2, with its empty settings.
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0",
    ] {
        let mut connection = TcpStream::connect(relay).await.unwrap();
        connection.write_all(beginning.as_bytes()).await.unwrap();
        until_closed(&mut connection).await;
    }
}

/// Writes one piece after the other, each long before the connection would be idle, until it is closed.
async fn until_closed_on(connection: TcpStream, pieces: impl Iterator<Item = Vec<u8>>) {
    let (mut read, mut write) = connection.into_split();
    let writing = async {
        for piece in pieces {
            if write.write_all(&piece).await.is_err() {
                break;
            }
            tokio::time::sleep(SOON / 4).await;
        }
    };
    let mut rest = Vec::new();
    let closed = async {
        let _ = read.read_to_end(&mut rest).await;
    };
    tokio::select! {
        () = closed => {}
        () = writing => panic!("still open after everything was written"),
    }
}

/// Both were open for as long as bytes came, before a first request had its own limit.
#[tokio::test]
async fn a_connection_that_never_comes_to_a_request_is_closed() {
    let relay = listener(100, SOON, &[]).await;
    let trickle = "PRI * HTTP/2.0\r\n\r\nSM\r\n".bytes().map(|byte| vec![byte]);
    until_closed_on(TcpStream::connect(relay).await.unwrap(), trickle).await;
    // HTTP/2 that greets and then only pings.
    let greeting = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    let ping = b"\0\0\x08\x06\0\0\0\0\0yingke!!".to_vec();
    let pings = std::iter::once(greeting).chain(std::iter::repeat_n(ping, 40));
    until_closed_on(TcpStream::connect(relay).await.unwrap(), pings).await;
}

#[tokio::test]
async fn http_2_is_not_spoken() {
    let relay = listener(100, LIMIT, &[]).await;
    let mut request = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    // One head: GET, http, /, and the host "a".
    request.extend(b"\0\0\x06\x01\x05\0\0\0\x01\x82\x86\x84\x41\x01a");
    let mut connection = TcpStream::connect(relay).await.unwrap();
    connection.write_all(&request).await.unwrap();
    let ping = b"\0\0\x08\x06\0\0\0\0\0yingke!!".to_vec();
    until_closed_on(connection, std::iter::repeat_n(ping, 40)).await;
}

#[tokio::test]
async fn a_connection_in_use_lives_on() {
    let idle = Duration::from_secs(1);
    let relay = listener(100, idle, &[]).await;
    let mut connection = TcpStream::connect(relay).await.unwrap();
    let began = Instant::now();
    while began.elapsed() < 2 * idle + SOON {
        assert!(is_answered(&mut connection).await);
    }
}

#[tokio::test]
async fn one_peer_never_has_all_places() {
    let relay = listener(2, LIMIT, &[]).await;
    let mut one = connect_from("127.0.0.1:0", relay).await;
    let mut two = connect_from("127.0.0.1:0", relay).await;
    assert!(is_answered(&mut one).await && is_answered(&mut two).await);
    let mut three = connect_from("127.0.0.1:0", relay).await;
    assert!(!is_answered(&mut three).await);
    let mut another_peer = connect_from("127.0.0.2:0", relay).await;
    assert!(is_answered(&mut another_peer).await);
    assert!(is_answered(&mut one).await && is_answered(&mut two).await, "those that are in stay");

    drop(two);
    let again = async {
        loop {
            let mut next = connect_from("127.0.0.1:0", relay).await;
            if is_answered(&mut next).await {
                break;
            }
        }
    };
    timeout(LIMIT, again).await.expect("the place was not given back");
}

#[tokio::test]
async fn a_trusted_proxy_brings_the_connections_of_many() {
    let relay = listener(1, LIMIT, &["127.0.0.0/8"]).await;
    let mut all = Vec::new();
    for _ in 0..5 {
        let mut connection = TcpStream::connect(relay).await.unwrap();
        assert!(is_answered(&mut connection).await);
        all.push(connection);
    }
}
