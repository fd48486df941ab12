//! TLS from certificate files: reads and checks them, and answers those who come without TLS. What
//! is wrong is said with the file's name and what to do, the same at the start as by `check-config`.
//! Files are read once: a renewed certificate is used from the next start.

use std::io;
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum_server::accept::Accept;
use axum_server::tls_rustls::{RustlsAcceptor, RustlsConfig};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;
use rustls::{InconsistentKeys, ServerConfig};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::accept::{Limited, Placed, Watched};
use crate::config::TlsFiles;
use crate::limits::{CONFIG_FILE_BYTES_MAX, REQUEST_HEAD_WITHIN_MS};
use crate::obstacle;

/// Whoever opens a connection has said hello, or who it is not, within this.
const HELLO_WITHIN: Duration = Duration::from_millis(REQUEST_HEAD_WITHIN_MS);

/// The first byte of every TLS connection: a handshake record.
const HANDSHAKE: u8 = 22;

/// Told to whoever speaks plain HTTP to a port with TLS.
const PLAIN: &str = "This port speaks TLS: use https:// (or wss://) in the address.\n";

/// How the relay speaks TLS with these files, or everything that is wrong with them.
pub(crate) fn load(files: &TlsFiles) -> Result<ServerConfig, Vec<String>> {
    let mut problems = Vec::new();
    let mut note = |problem: String| problems.push(problem);
    let chain = chain(&files.cert).map_err(|why| note(said("tls_cert", &files.cert, &why))).ok();
    let key = key(&files.key).map_err(|why| note(said("tls_key", &files.key, &why))).ok();
    let (Some(chain), Some(key)) = (chain, key) else { return Err(problems) };

    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let wrong = |key: &str, file: &Path, why: &str| vec![said(key, file, why)];
    let signer = provider.key_provider.load_private_key(key).map_err(|_| {
        let why = "this kind of key cannot be used; use RSA of 2048 bits or more, ECDSA on P-256 or \
                   P-384, or Ed25519";
        wrong("tls_key", &files.key, why)
    })?;
    let certified = CertifiedKey::new(chain, signer);
    match certified.keys_match() {
        // A kind of key that does not tell its public half is believed.
        Ok(()) | Err(rustls::Error::InconsistentKeys(InconsistentKeys::Unknown)) => {}
        Err(rustls::Error::InconsistentKeys(_)) => {
            let why = format!(
                "does not belong to the first certificate of {}; give the key that certificate was \
                 made for, and put the relay's own certificate before those of its issuers",
                files.cert.display()
            );
            return Err(wrong("tls_key", &files.key, &why));
        }
        Err(_) => {
            let why = "its first certificate cannot be read; export it again as PEM";
            return Err(wrong("tls_cert", &files.cert, why));
        }
    }
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let builder = builder.map_err(|error| wrong("tls_cert", &files.cert, &error.to_string()))?;
    let resolver = rustls::sign::SingleCertAndKey::from(certified);
    let mut config = builder.with_no_client_auth().with_cert_resolver(Arc::new(resolver));
    // Without TLS the relay speaks this too, and its limits are made for it.
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

fn said(key: &str, file: &Path, why: &str) -> String {
    format!("{key}: {}: {why}", file.display())
}

fn read(file: &Path) -> Result<Vec<u8>, String> {
    let name_it = "name the PEM file, or leave out tls_cert and tls_key";
    let unreadable = |error: io::Error| obstacle::unread(&error, name_it);
    let size = std::fs::metadata(file).map_err(unreadable)?.len();
    if size > CONFIG_FILE_BYTES_MAX {
        return Err(format!("larger than {CONFIG_FILE_BYTES_MAX} bytes; name the right PEM file"));
    }
    std::fs::read(file).map_err(unreadable)
}

fn chain(file: &Path) -> Result<Vec<CertificateDer<'static>>, String> {
    let text = read(file)?;
    let found: Result<Vec<_>, pem::Error> = CertificateDer::pem_slice_iter(&text).collect();
    match found {
        Ok(chain) if !chain.is_empty() => Ok(chain),
        Ok(_) if holds_key(&text) => {
            Err("it holds a private key and no certificate; exchange tls_cert and tls_key"
                .to_owned())
        }
        Ok(_) => {
            Err("it holds no certificate; it must be PEM, with a line -----BEGIN CERTIFICATE-----"
                .to_owned())
        }
        Err(error) => Err(format!("it is damaged ({error}); export it again as PEM")),
    }
}

fn key(file: &Path) -> Result<PrivateKeyDer<'static>, String> {
    let text = read(file)?;
    match PrivateKeyDer::from_pem_slice(&text) {
        Ok(key) => Ok(key),
        Err(pem::Error::NoItemsFound) => Err(no_key(&text)),
        Err(error) => Err(format!("it is damaged ({error}); export it again as PEM")),
    }
}

fn holds_key(text: &[u8]) -> bool {
    PrivateKeyDer::from_pem_slice(text).is_ok()
}

fn no_key(text: &[u8]) -> String {
    let why = if String::from_utf8_lossy(text).contains("ENCRYPTED PRIVATE KEY") {
        "its key is encrypted; take the passphrase off with `openssl pkey -in OLD -out NEW`"
    } else if CertificateDer::from_pem_slice(text).is_ok() {
        "it holds a certificate and no private key; exchange tls_cert and tls_key"
    } else {
        "it holds no private key; it must be PEM, with a line -----BEGIN PRIVATE KEY-----"
    };
    why.to_owned()
}

/// Takes connections with TLS, within the limits of those without.
pub(crate) fn acceptor(config: ServerConfig, limited: Limited) -> RustlsAcceptor<TlsOnly> {
    RustlsAcceptor::new(RustlsConfig::from_config(Arc::new(config)))
        .handshake_timeout(HELLO_WITHIN)
        .acceptor(TlsOnly(limited))
}

/// Lets only TLS through; whoever speaks plain HTTP is told so in plain HTTP.
#[derive(Debug, Clone)]
pub(crate) struct TlsOnly(Limited);

impl<S: Send + 'static> Accept<TcpStream, S> for TlsOnly {
    type Stream = Placed;
    type Service = Watched<S>;
    type Future = Pin<Box<dyn Future<Output = io::Result<(Placed, Watched<S>)>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let placed = self.0.accept(stream, service);
        Box::pin(async move {
            let (mut placed, service) = placed.await?;
            match timeout(HELLO_WITHIN, placed.first_byte()).await? {
                Ok(Some(HANDSHAKE)) => Ok((placed, service)),
                Ok(Some(_)) => {
                    // Who does not hear it has gone.
                    let _ = timeout(HELLO_WITHIN, say_plain(&mut placed)).await;
                    Err(io::Error::other("not TLS"))
                }
                Ok(None) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(error) => Err(error),
            }
        })
    }
}

/// Answers a request nobody has read, and lets the answer arrive: a connection closed on unread
/// bytes is reset, and the answer with it.
async fn say_plain(placed: &mut Placed) -> io::Result<()> {
    let answer = format!(
        "HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n{PLAIN}",
        PLAIN.len()
    );
    placed.write_all(answer.as_bytes()).await?;
    placed.shutdown().await?;
    let mut unread = [0; 1_024];
    for _ in 0..64 {
        if placed.read(&mut unread).await? == 0 {
            break;
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
