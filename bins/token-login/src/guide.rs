//! What a person is told to do, on a desktop and on a machine that they reached over SSH.

use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use shared::dirs::Seat;

/// How the person comes to Google's page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// A browser was opened on this desktop.
    Opened,
    /// A desktop is here, and the person opens the address.
    Here,
    /// They sit at another machine.
    Elsewhere,
}

/// Whether a browser can be opened here at all.
pub(crate) fn is_desktop(seat: &Seat) -> bool {
    seat.has_display && seat.ssh_connection.is_none()
}

/// Opens the address in the person's browser, outside this run: it must neither write here nor end with Ctrl-C.
pub(crate) fn open_browser(url: &str) -> bool {
    let mut command = Command::new("xdg-open");
    command.arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    command.spawn().inspect_err(|error| log::info!("xdg-open: {error}")).is_ok()
}

/// What to say before the waiting. `may_paste` is whether there is a terminal to paste into.
pub(crate) struct Words<'a> {
    pub credential: &'a str,
    pub url: &'a str,
    pub port: u16,
    pub way: Way,
    pub seat: &'a Seat,
    pub host: &'a str,
    pub limit: &'a str,
    pub may_paste: bool,
}

impl Words<'_> {
    pub fn text(&self) -> String {
        let Self { credential, url, port, way, limit, .. } = self;
        let first = match way {
            Way::Opened => "A browser opens. If none does, open this address on this machine:".to_owned(),
            Way::Here => "Open this address in a browser on this machine:".to_owned(),
            Way::Elsewhere => format!(
                "This machine has no browser for you. On the computer in front of you, type this and keep it open:\n\n    {}\n\nThen open this address in its browser:",
                self.tunnel()
            ),
        };
        let paste = if self.may_paste {
            format!(
                "\nOr, when the last page cannot be shown: copy its address (http://127.0.0.1:{port}/?…), paste it here and press Enter.\nWhat you paste is not shown.\n"
            )
        } else {
            String::new()
        };
        format!("Log in for the credential {credential:?} within {limit}.\n\n{first}\n\n{url}\n{paste}")
    }

    /// The command that brings the browser's answer from the person's machine to this one.
    fn tunnel(&self) -> String {
        let port = self.port;
        let mut parts = self.seat.ssh_connection.as_deref().unwrap_or_default().split_whitespace().skip(2);
        // The address and port by which they came here lead back here; a name alone might not.
        let host = parts.next().unwrap_or(self.host);
        let detour =
            parts.next().filter(|port| *port != "22").map(|port| format!("-p {port} ")).unwrap_or_default();
        let user = self.seat.user.as_deref().map(|user| format!("{user}@")).unwrap_or_default();
        format!("ssh {detour}-L {port}:127.0.0.1:{port} {user}{host}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(way: Way, ssh: Option<&str>, may_paste: bool) -> String {
        let seat =
            Seat { has_display: false, ssh_connection: ssh.map(str::to_owned), user: Some("ann".into()) };
        let words = Words {
            credential: "port-sheet",
            url: "https://accounts.google.com/x",
            port: 4711,
            way,
            seat: &seat,
            host: "harbour",
            limit: "10m",
            may_paste,
        };
        words.text()
    }

    #[test]
    fn the_tunnel_leads_back_the_way_the_person_came() {
        for (ssh, line) in [
            (None, "\n    ssh -L 4711:127.0.0.1:4711 ann@harbour\n"),
            (Some("198.51.100.7 50000 203.0.113.5 22"), "\n    ssh -L 4711:127.0.0.1:4711 ann@203.0.113.5\n"),
            (
                Some("198.51.100.7 50000 2001:db8::5 2222"),
                "\n    ssh -p 2222 -L 4711:127.0.0.1:4711 ann@2001:db8::5\n",
            ),
        ] {
            let text = said(Way::Elsewhere, ssh, true);
            assert!(text.contains(line) && text.contains("\nhttps://accounts.google.com/x\n"), "{text}");
        }
    }

    #[test]
    fn pasting_is_offered_only_where_it_can_be_done() {
        assert!(said(Way::Here, None, true).contains("paste it here"));
        assert!(!said(Way::Opened, None, false).contains("paste"));
    }

    #[test]
    fn a_browser_over_ssh_would_open_where_nobody_sees_it() {
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
