//! A few lines of HTTP to the relay on this computer: one request, one reply, closed.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(10);
const REPLY_BYTES_MAX: u64 = 1 << 20;

/// A reply.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) body: String,
}

/// Asks for a path.
pub(super) fn get(port: u16, path: &str) -> Result<Reply> {
    exchange(port, &format!("GET {path} HTTP/1.1\r\n{}\r\n", head(port)))
}

/// Posts JSON and expects success and JSON.
pub(super) fn post(port: u16, path: &str, token: Option<&str>, body: &Value) -> Result<Value> {
    let body = body.to_string();
    let authorization =
        token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
    let request = format!(
        "POST {path} HTTP/1.1\r\n{}{authorization}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        head(port),
        body.len()
    );
    let reply = exchange(port, &request)?;
    if !(200..300).contains(&reply.status) {
        bail!("POST {path} answered {}: {}", reply.status, reply.body);
    }
    if reply.body.is_empty() {
        return Ok(Value::Null);
    }
    serde_json::from_str(&reply.body).with_context(|| format!("the answer to POST {path}"))
}

fn head(port: u16) -> String {
    format!("Host: localhost:{port}\r\nConnection: close\r\n")
}

fn exchange(port: u16, request: &str) -> Result<Reply> {
    let address = std::net::SocketAddr::from(([127, 0, 0, 1], port));
    let mut stream = TcpStream::connect_timeout(&address, LIMIT).context("reaching the relay")?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    stream.write_all(request.as_bytes())?;
    let mut bytes = Vec::new();
    stream.take(REPLY_BYTES_MAX).read_to_end(&mut bytes).context("reading the relay's answer")?;
    parse(&String::from_utf8_lossy(&bytes))
}

fn parse(text: &str) -> Result<Reply> {
    let (head, body) = text.split_once("\r\n\r\n").context("the answer is cut off")?;
    let status = head.split(' ').nth(1).and_then(|code| code.parse().ok());
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    let body = if is_chunked { unchunk(body)? } else { body.to_owned() };
    Ok(Reply { status: status.context("the answer has no status")?, body })
}

fn unchunk(mut rest: &str) -> Result<String> {
    let mut body = String::new();
    loop {
        let (size, after) = rest.split_once("\r\n").context("a chunk has no size")?;
        let size = usize::from_str_radix(size.trim(), 16).context("a chunk's size")?;
        if size == 0 {
            return Ok(body);
        }
        body.push_str(after.get(..size).context("a chunk is cut off")?);
        rest = after.get(size..).and_then(|rest| rest.strip_prefix("\r\n")).unwrap_or_default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_kinds_of_bodies_are_read() {
        let plain = parse("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}").unwrap();
        assert_eq!((plain.status, plain.body.as_str()), (200, "{}"));
        let text = "HTTP/1.1 409 Conflict\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n";
        let chunked = parse(text).unwrap();
        assert_eq!((chunked.status, chunked.body.as_str()), (409, "abcd"));
        assert!(parse("HTTP/1.1 200").is_err());
    }
}
