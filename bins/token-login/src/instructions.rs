//! The instructions for a login, on a desktop and on a machine that the user reached over SSH.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use shared::sys::dirs::Seat;

/// How the user opens Google's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BrowserRoute {
    /// A browser was opened on this desktop.
    Opened,
    /// The user opens the address on this desktop.
    Desktop,
    /// The user's browser runs on another machine.
    Tunnel,
}

/// Whether a browser can be opened on this machine.
pub(crate) fn is_desktop(seat: &Seat) -> bool {
    seat.has_display && seat.ssh_connection.is_none()
}

/// Opens the address in the user's browser, in its own process group: it must not write to this terminal, and Ctrl-C must
/// not end it.
pub(crate) fn open_browser(url: &str) -> bool {
    let mut command = Command::new("xdg-open");
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().inspect_err(|error| log::info!("xdg-open: {error}")).is_ok()
}

/// What the instructions contain.
pub(crate) struct Instructions<'a> {
    pub credential: &'a str,
    pub url: &'a str,
    pub port: u16,
    pub route: BrowserRoute,
    pub seat: &'a Seat,
    pub host: &'a str,
    pub limit: &'a str,
    /// Whether there is a terminal into which the user can paste.
    pub can_paste: bool,
}

impl Instructions<'_> {
    pub fn text(&self) -> String {
        let Self { credential, url, port, route, limit, .. } = self;
        let first = match route {
            BrowserRoute::Opened => {
                "A browser opens. If none does, open this address on this machine:".to_owned()
            }
            BrowserRoute::Desktop => "Open this address in a browser on this machine:".to_owned(),
            BrowserRoute::Tunnel => format!(
                "This machine has no browser for you. On the computer in front of you, type this and keep it open:\n\n    {}\n\nThen open this address in its browser:",
                self.tunnel()
            ),
        };
        let paste = if self.can_paste {
            format!(
                "\nOr, when the last page cannot be shown: copy its address (http://127.0.0.1:{port}/?…), paste it here and press Enter.\nWhat you paste is not shown.\n"
            )
        } else {
            String::new()
        };
        format!("Log in for the credential {credential:?} within {limit}.\n\n{first}\n\n{url}\n{paste}")
    }

    /// The command that forwards the browser's redirect from the user's machine to this one.
    fn tunnel(&self) -> String {
        let port = self.port;
        let mut parts = self.seat.ssh_connection.as_deref().unwrap_or_default().split_whitespace().skip(2);
        // The address and port of the user's own connection lead back to this machine; its name alone might not.
        let host = parts.next().unwrap_or(self.host);
        let port_option =
            parts.next().filter(|port| *port != "22").map(|port| format!("-p {port} ")).unwrap_or_default();
        let user = self.seat.user.as_deref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("ssh {port_option}-L {port}:127.0.0.1:{port} {user}{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(route: BrowserRoute, ssh: Option<&str>, can_paste: bool) -> String {
        let seat =
            Seat { has_display: false, ssh_connection: ssh.map(str::to_owned), user: Some("ann".into()) };
        let instructions = Instructions {
            credential: "port-sheet",
            url: "https://accounts.google.com/x",
            port: 4711,
            route,
            seat: &seat,
            host: "harbour",
            limit: "10m",
            can_paste,
        };
        instructions.text()
    }

    #[test]
    fn the_tunnel_leads_back_the_way_the_user_came() {
        for (ssh, line) in [
            (None, "\n    ssh -L 4711:127.0.0.1:4711 ann@harbour\n"),
            (Some("198.51.100.7 50000 203.0.113.5 22"), "\n    ssh -L 4711:127.0.0.1:4711 ann@203.0.113.5\n"),
            (
                Some("198.51.100.7 50000 2001:db8::5 2222"),
                "\n    ssh -p 2222 -L 4711:127.0.0.1:4711 ann@2001:db8::5\n",
            ),
        ] {
            let text = text(BrowserRoute::Tunnel, ssh, true);
            assert!(text.contains(line) && text.contains("\nhttps://accounts.google.com/x\n"), "{text}");
        }
    }

    #[test]
    fn pasting_is_offered_only_where_it_can_be_done() {
        assert!(text(BrowserRoute::Desktop, None, true).contains("paste it here"));
        assert!(!text(BrowserRoute::Opened, None, false).contains("paste"));
    }

    #[test]
    fn a_browser_over_ssh_would_open_where_it_is_not_seen() {
        let seat = |has_display, ssh: Option<&str>| Seat {
            has_display,
            ssh_connection: ssh.map(str::to_owned),
            user: None,
        };
        assert!(is_desktop(&seat(true, None)));
        assert!(!is_desktop(&seat(true, Some("a 1 b 22"))));
        assert!(!is_desktop(&seat(false, None)));
    }
}
