//! What a web server may return: where a redirect may lead, and how a web page is distinguished from bookings.
//!
//! Pure. Reasons name hosts, never whole addresses: the part after the question mark may be a secret.

use shared::config::Address;
use shared::sys::url::is_loopback;
use url::Url;

/// A web page instead of bookings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PageKind {
    /// It asks who is there.
    Login,
    /// Something else, often an error in words.
    Other,
}

/// How much of a response is examined, in bytes.
pub const LOOKED_AT: usize = 64 * 1024;

/// Where a redirect leads.
///
/// # Errors
/// Why it is not followed.
pub fn follow(from: &Url, location: Option<&str>, allow_http: bool) -> Result<Url, String> {
    let location = location.ok_or("redirects without saying where to")?;
    let to = from.join(location).map_err(|error| format!("redirects to no address: {error}"))?;
    let shown = Address::new(to.clone());
    match (from.scheme(), to.scheme()) {
        (_, "https") => Ok(to),
        ("https", "http") => Err(format!("redirects from https to {shown}, which is not encrypted")),
        (_, "http") if is_loopback(&to) || allow_http => Ok(to),
        (_, "http") => Err(format!("redirects to {shown}, which is not encrypted")),
        (_, other) => Err(format!("redirects to an address of the kind {other}:")),
    }
}

/// Whether an address is Google's login page: a web app that is not open to everyone redirects there.
pub fn is_login(url: &Url) -> bool {
    matches!(url.host_str(), Some("accounts.google.com"))
}

/// Whether a response that begins so is a web page. Servers often give a wrong content type, so its text
/// decides.
pub fn page(start: &[u8]) -> Option<PageKind> {
    let text = String::from_utf8_lossy(start).trim_start_matches('\u{feff}').trim_start().to_lowercase();
    let is_page =
        ["<!doctype html", "<html", "<head", "<body", "<script"].iter().any(|tag| text.starts_with(tag))
            || (text.starts_with("<!--") && text.contains("<html"))
            || (text.starts_with("<?xml") && text.contains("<html"));
    let signs =
        ["type=\"password\"", "type='password'", "type=password", "accounts.google.com", "servicelogin"];
    let asks = signs.iter().any(|sign| text.contains(sign));
    is_page.then_some(if asks { PageKind::Login } else { PageKind::Other })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn led(from: &str, location: &str, allow_http: bool) -> Result<String, String> {
        follow(&Url::parse(from).unwrap(), Some(location), allow_http).map(|url| url.to_string())
    }

    #[test]
    fn redirects_never_lose_encryption() {
        let app = "https://script.google.com/macros/s/x/exec?key=secret";
        let content = "https://script.googleusercontent.com/macros/echo?user_content_key=k";
        assert_eq!(led(app, content, false).unwrap(), content);
        assert_eq!(led(app, "/b?c=1", false).unwrap(), "https://script.google.com/b?c=1");
        for allow_http in [false, true] {
            let told = led(app, "http://script.google.com/?key=secret", allow_http).unwrap_err();
            assert!(told.contains("not encrypted") && !told.contains("secret"), "{told}");
        }
        assert!(led("http://127.0.0.1:1/", "http://127.0.0.1:2/", false).is_ok());
        assert!(led("http://127.0.0.1:1/", "http://example.com/", false).is_err());
        assert!(led("http://example.com/", "http://example.com/x", true).is_ok());
        assert!(led(app, "file:///etc/passwd", true).unwrap_err().contains("file:"));
    }

    #[test]
    fn a_page_is_told_from_bookings_by_its_text() {
        assert_eq!(
            page(b"\xef\xbb\xbf\n<!DOCTYPE html><form><input type=\"password\">"),
            Some(PageKind::Login)
        );
        assert_eq!(page(b"<html><a href=\"https://accounts.google.com/x\">"), Some(PageKind::Login));
        assert_eq!(page(b"<HTML><body>Script function not found: doGet"), Some(PageKind::Other));
        for bookings in ["booking_id,vessel\n1,<html>", "[{\"note\":\"<html>\"}]", "", "<,>\n"] {
            assert_eq!(page(bookings.as_bytes()), None, "{bookings}");
        }
    }
}
