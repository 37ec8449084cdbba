//! Looks at the spreadsheet's page as a browser would.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context as _, Result};

/// The page at an `http://` address on this machine.
pub fn get(address: &str) -> Result<String> {
    let rest = address.strip_prefix("http://").context("an http address")?;
    let (host, path) = rest.split_once('/').context("an address with a path")?;
    let mut stream = TcpStream::connect(host).with_context(|| format!("connecting to {host}"))?;
    stream.set_read_timeout(Some(Duration::from_secs(30)))?;
    write!(stream, "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n")?;
    let mut page = String::new();
    stream.read_to_string(&mut page).with_context(|| format!("reading {address}"))?;
    Ok(page)
}
