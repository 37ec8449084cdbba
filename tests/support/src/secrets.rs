//! The secrets of a world, and the search for them in everything that a run said or left behind.
//!
//! A secret is searched for as it is, and as forms and URLs spell it. What is found is named, never quoted.

use std::collections::BTreeMap;
use std::path::Path;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use regex::bytes::Regex;
use serde_json::Value;

use crate::files;
use crate::run::Run;
use crate::world::World;

/// A shorter text is no secret and would be found by chance.
const SHORTEST: usize = 12;

/// What forms encode: all but letters, digits and these four.
const FORM: &AsciiSet = &NON_ALPHANUMERIC.remove(b'*').remove(b'-').remove(b'.').remove(b'_');

/// Every secret by its text, with what it is.
#[derive(Clone, Debug, Default)]
pub(crate) struct Secrets(BTreeMap<String, String>);

impl Secrets {
    /// Adds one.
    pub(crate) fn learn(&mut self, what: &str, secret: &str) {
        if secret.len() >= SHORTEST {
            self.0.entry(secret.to_owned()).or_insert_with(|| what.to_owned());
            for set in [NON_ALPHANUMERIC, FORM] {
                let encoded = utf8_percent_encode(secret, set).to_string();
                self.0.entry(encoded).or_insert_with(|| format!("{what}, percent-encoded"));
            }
        }
    }

    /// Adds those of a credential file (client secret, refresh token, access token, every line of a private key) and an
    /// authorization code.
    pub(crate) fn learn_credential(&mut self, credential: &Value) {
        for field in ["client_secret", "refresh_token", "token", "code"] {
            self.learn(field, credential[field].as_str().unwrap_or_default());
        }
        let key = credential["private_key"].as_str().unwrap_or_default();
        for line in key.lines().filter(|line| !line.starts_with("-----")) {
            self.learn("a line of the private key", line);
        }
    }

    /// Adds an assertion, whole and in its parts: the header is the same for everyone.
    fn learn_assertion(&mut self, assertion: &str) {
        for part in assertion.split('.').skip(1) {
            self.learn("an assertion", part);
        }
    }

    /// Fails if a run said one or left one behind.
    ///
    /// # Panics
    /// When a secret is found, with what it is and where.
    pub(crate) fn refuse_leaks(&self, run: &Run, dir: &Path) {
        let Some(search) = self.search() else { return };
        let mut places = vec![
            ("standard output".to_owned(), run.stdout.clone().into_bytes()),
            ("standard error".to_owned(), run.stderr.clone().into_bytes()),
        ];
        files::each_file(dir, &mut |path| {
            // A credential belongs in its file, wherever a test puts it; those directories are all called so.
            if !path.components().any(|part| part.as_os_str() == "credentials") {
                places.push((path.display().to_string(), std::fs::read(path).unwrap_or_default()));
            }
        });
        for (place, content) in places {
            if let Some(found) = search.find(&content) {
                let text = String::from_utf8_lossy(found.as_bytes()).into_owned();
                let what = self.0.get(&text).map_or("a secret", String::as_str);
                panic!("SECRET LEAKED: {what} stands in {place} after {}", run.command);
            }
        }
    }

    /// The text with every secret blotted out.
    pub(crate) fn blot(&self, text: &str) -> String {
        let Some(search) = self.search() else { return text.to_owned() };
        let blotted = search.replace_all(text.as_bytes(), &b"(secret)"[..]);
        String::from_utf8_lossy(&blotted).into_owned()
    }

    fn search(&self) -> Option<Regex> {
        let any = self.0.keys().map(|secret| regex::escape(secret)).collect::<Vec<_>>().join("|");
        (!any.is_empty()).then(|| Regex::new(&any).expect("escaped texts are a regular expression"))
    }
}

impl World {
    /// Learns what the stand-in saw and issued meanwhile, and remembers the run for the dump. Returns all secrets.
    pub(crate) fn note(&self, run: &Run) -> Secrets {
        let mut known = self.known();
        for token in self.server.issued_tokens() {
            known.secrets.learn("a token that was issued", &token);
        }
        for request in self.server.requests() {
            let form = request.body.as_str().unwrap_or_default();
            for (name, value) in form.split('&').filter_map(|pair| pair.split_once('=')) {
                let value = percent_decode_str(value).decode_utf8_lossy();
                match name {
                    "assertion" => known.secrets.learn_assertion(&value),
                    "client_secret" | "refresh_token" | "code" | "code_verifier" => {
                        known.secrets.learn(name, &value)
                    }
                    _ => {}
                }
            }
        }
        known.runs.push(run.clone());
        known.secrets.clone()
    }
}
