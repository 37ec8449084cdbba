//! A person with a browser: opens the address that the login prints, allows or denies, and is sent back.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::json;
use support::{Running, World};
use ureq::http::Response;
use url::Url;

/// What a browser got.
pub struct Page {
    pub status: u16,
    pub location: String,
    pub text: String,
}

/// A browser that goes nowhere by itself and keeps its cookies.
#[derive(Default)]
pub struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Opens an address.
    pub fn open(&mut self, url: &str) -> Page {
        let request = agent().get(url).header("cookie", self.cookies());
        self.take(url, request.call())
    }

    /// Sends a form.
    pub fn submit(&mut self, url: &str, form: &[(&str, &str)]) -> Page {
        let request = agent().post(url).header("cookie", self.cookies());
        self.take(url, request.send_form(form.iter().copied()))
    }

    fn cookies(&self) -> String {
        let pairs: Vec<_> = self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        pairs.join("; ")
    }

    fn take(&mut self, url: &str, answer: Result<Response<ureq::Body>, ureq::Error>) -> Page {
        let mut response = answer.unwrap_or_else(|error| panic!("{url}: {error}"));
        for cookie in response.headers().get_all("set-cookie") {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        let location = response.headers().get("location").map(|value| value.to_str().unwrap().to_owned());
        let text = response.body_mut().read_to_string().unwrap();
        Page { status: response.status().as_u16(), location: location.unwrap_or_default(), text }
    }
}

fn agent() -> ureq::Agent {
    ureq::Agent::config_builder()
        .http_status_as_error(false)
        .max_redirects(0)
        .timeout_global(Some(Duration::from_secs(60)))
        .build()
        .into()
}

/// Opens an address, once.
pub fn visit(url: &str) -> Page {
    Browser::default().open(url)
}

/// The address that the login asks the person to open.
pub fn address(running: &Running<'_>) -> String {
    running.wait_for_stderr("What you paste is not shown.");
    address_in(&running.stderr_so_far())
}

/// The address in what was said.
pub fn address_in(said: &str) -> String {
    let line = said.lines().find(|line| line.contains("&code_challenge="));
    line.unwrap_or_else(|| panic!("no address: {said}")).to_owned()
}

/// The person decides on the page; returns where the browser is sent back to.
pub fn decides(address: &str, decision: &str) -> String {
    let page = visit(&format!("{address}&{decision}"));
    assert_eq!(page.status, 302, "{}", page.text);
    page.location
}

/// The person allows everything; the code on the way back is a secret.
pub fn allows(world: &World, address: &str) -> String {
    let back = decides(address, "approve=1");
    world.know_secrets_of(&json!({"code": parameter(&back, "code").unwrap()}));
    back
}

/// A parameter of an address.
pub fn parameter(url: &str, name: &str) -> Option<String> {
    let url = Url::parse(url).unwrap();
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}
