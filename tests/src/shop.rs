//! The demo shop: one static page on `shop.localhost` with the real snippet. Another site than the
//! relay's `chat.localhost` on purpose, so that browsers keep the widget's storage apart.

use anyhow::Result;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use yingke_shared::ids::SiteId;

use crate::http::Address;

/// A running shop.
pub struct Shop {
    port: u16,
    task: tokio::task::JoinHandle<()>,
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A shop whose address is known before there is a snippet for it.
pub struct EmptyShop {
    listener: TcpListener,
    port: u16,
}

impl EmptyShop {
    /// Rents a place.
    pub async fn rent() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let port = listener.local_addr()?.port();
        Ok(Self { listener, port })
    }

    /// The origin to enter in the site's domain list.
    #[must_use]
    pub fn origin(&self) -> String {
        format!("http://shop.localhost:{}", self.port)
    }

    /// Opens with the site's snippet in the page.
    #[must_use]
    pub fn open(self, address: &Address, site: &SiteId) -> Shop {
        let snippet = format!(
            r#"<script async src="{}/widget.js" data-site="{site}"></script>"#,
            address.chat_origin()
        );
        let page = format!(
            "<!doctype html><html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\
             <title>Tea</title></head><body><h1>清风茶铺</h1><p>龙井</p>{snippet}</body></html>"
        );
        let answer = format!(
            "HTTP/1.1 200 OK\r\ncontent-type: text/html; charset=utf-8\r\n\
             content-length: {}\r\nconnection: close\r\n\r\n{page}",
            page.len()
        );
        let listener = self.listener;
        let task = tokio::spawn(async move {
            while let Ok((browser, _)) = listener.accept().await {
                let answer = answer.clone();
                tokio::spawn(async move { serve(browser, &answer).await });
            }
        });
        Shop { port: self.port, task }
    }
}

async fn serve(mut browser: TcpStream, answer: &str) {
    let mut request = [0_u8; 8_192];
    if browser.read(&mut request).await.is_ok() {
        let _ = browser.write_all(answer.as_bytes()).await;
        let _ = browser.shutdown().await;
    }
}

impl Shop {
    /// The shop's own address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://shop.localhost:{}/", self.port)
    }

    /// The same page under a name that is on no domain list.
    #[must_use]
    pub fn stolen_url(&self) -> String {
        format!("http://thief.localhost:{}/", self.port)
    }
}
