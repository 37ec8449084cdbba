//! The HTML of the consent page. Decides nothing.

use std::fmt::Write as _;

use super::consent::Ask;

/// Parameters that the person's own choice replaces.
const CHOSEN: &[&str] = &["approve", "deny", "email", "granted"];

/// The page that asks.
pub(super) fn question(ask: &Ask) -> String {
    let mut form = String::new();
    for (name, value) in ask.parameters.0.iter().filter(|(name, _)| !CHOSEN.contains(&name.as_str())) {
        let field =
            format!("<input type=\"hidden\" name=\"{}\" value=\"{}\">\n", escape(name), escape(value));
        form.push_str(&field);
    }
    let email = escape(&ask.email);
    form.push_str(&format!("<p><label>Account <input name=\"email\" value=\"{email}\"></label></p>\n"));
    for scope in &ask.scopes {
        let scope = escape(scope);
        let line = format!(
            "<p><label><input type=\"checkbox\" name=\"granted\" value=\"{scope}\" checked> {scope}</label></p>\n"
        );
        form.push_str(&line);
    }
    form.push_str("<button name=\"approve\" value=\"1\">Allow</button>\n<button name=\"deny\" value=\"1\">Deny</button>\n");
    let body = format!(
        "<h1>An application wants to access your account</h1>\n\
         <form method=\"post\" action=\"/o/oauth2/v2/auth\">\n{form}</form>"
    );
    document("Sign in (stand-in)", &body)
}

/// The page for a request that cannot be asked.
pub(super) fn refusal(status: u16, error: &str, message: &str) -> String {
    let body = format!("<h1>Access blocked</h1>\n<p>{}</p>\n<p>Error {status}: {error}</p>", escape(message));
    document("Error (stand-in)", &body)
}

fn document(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<title>{title}</title>\n{body}\n</html>\n"
    )
}

/// A text as HTML shows it, in an attribute too.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' | '<' | '>' | '"' | '\'' => {
                // Writing to a string cannot fail.
                let _ = write!(escaped, "&#{};", u32::from(letter));
            }
            other => escaped.push(other),
        }
    }
    escaped
}
