//! The demo shop: the files of `widget/demo`, with the real snippet in place of `__SNIPPET__`.
//! Loopback only, GET only; not a web server for anything else.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use anyhow::{Result, bail};

use crate::paths;

const LIMIT: Duration = Duration::from_secs(5);
const REQUEST_BYTES_MAX: u64 = 16 * 1024;

/// Serves in the background until this process ends.
pub(super) fn serve(listener: TcpListener, snippet: &str) -> Result<()> {
    let folder = paths::root().join("widget/demo");
    if !folder.join("index.html").is_file() {
        bail!("{} is missing", folder.join("index.html").display());
    }
    let snippet = snippet.to_owned();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let (folder, snippet) = (folder.clone(), snippet.clone());
            std::thread::spawn(move || {
                // A browser that goes away in the middle is no concern of ours.
                let _ = answer(stream, &folder, &snippet);
            });
        }
    });
    Ok(())
}

fn answer(mut stream: TcpStream, folder: &Path, snippet: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut reader = BufReader::new(stream.try_clone()?.take(REQUEST_BYTES_MAX));
    let mut first = String::new();
    reader.read_line(&mut first)?;
    let mut line = String::new();
    while reader.read_line(&mut line)? > 2 {
        line.clear();
    }
    let (status, kind, body) = page(&first, folder, snippet);
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n\
         Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\nConnection: close\r\n\r\n",
        body.len()
    );
    stream.write_all(head.as_bytes())?;
    if !first.starts_with("HEAD ") {
        stream.write_all(&body)?;
    }
    stream.flush()
}

fn page(first: &str, folder: &Path, snippet: &str) -> (&'static str, &'static str, Vec<u8>) {
    const TEXT: &str = "text/plain; charset=utf-8";
    let mut words = first.split_whitespace();
    let method = words.next().unwrap_or_default();
    if method != "GET" && method != "HEAD" {
        return ("405 Method Not Allowed", TEXT, b"GET only".to_vec());
    }
    let Some(file) = file_of(words.next().unwrap_or_default(), folder) else {
        return ("404 Not Found", TEXT, b"not found".to_vec());
    };
    let Ok(body) = std::fs::read(&file) else {
        return ("404 Not Found", TEXT, b"not found".to_vec());
    };
    let kind = kind_of(&file);
    if kind.starts_with("text/html") {
        let text = String::from_utf8_lossy(&body).replace("__SNIPPET__", snippet);
        return ("200 OK", kind, text.into_bytes());
    }
    ("200 OK", kind, body)
}

/// The file of an address: `/` is the index, `/p/88` may be `p/88.html` or `p/88/index.html`.
fn file_of(address: &str, folder: &Path) -> Option<PathBuf> {
    let path = address.split(['?', '#']).next()?.trim_start_matches('/');
    let path = Path::new(path);
    if path.components().any(|part| !matches!(part, Component::Normal(_))) {
        return None;
    }
    let exact = folder.join(path);
    let candidates = [exact.clone(), exact.with_extension("html"), exact.join("index.html")];
    candidates.into_iter().find(|file| file.is_file())
}

fn kind_of(file: &Path) -> &'static str {
    match file.extension().and_then(|end| end.to_str()).unwrap_or_default() {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "json" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "webp" => "image/webp",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_carry_the_snippet_and_nothing_outside_is_served() {
        let dir = tempfile::tempdir().unwrap();
        let shop = dir.path().join("demo");
        std::fs::create_dir_all(shop.join("p")).unwrap();
        std::fs::write(shop.join("index.html"), "<body>__SNIPPET__</body>").unwrap();
        std::fs::write(shop.join("p/88.html"), "88").unwrap();
        std::fs::write(dir.path().join("secret"), "secret").unwrap();
        let get = |address: &str| page(&format!("GET {address} HTTP/1.1\r\n"), &shop, "<script>");
        assert_eq!(get("/?a=b").2, b"<body><script></body>");
        assert_eq!(get("/p/88").2, b"88");
        assert_eq!(get("/../secret").0, "404 Not Found");
        assert_eq!(get("//etc/passwd").0, "404 Not Found");
        assert_eq!(page("POST / HTTP/1.1", &shop, "").0, "405 Method Not Allowed");
    }
}
