//! Tries a credential that is not in its place yet: its scopes, and a read of every sheet that uses it.

use shared::reach::{self, Reacher};
use shared::{Failure, Kind, scope};

use crate::desk::{Desk, Obtained};
use crate::result::{Entry, Reached};

/// What is out of its reach; nothing if it will do.
pub(crate) async fn trial(desk: &Desk<'_>, obtained: &Obtained, entry: &mut Entry) -> Vec<Failure> {
    if let Some(failure) = lacking(desk, &obtained.scopes) {
        return vec![failure];
    }
    let account = obtained.account.as_deref().unwrap_or("the account that you logged in with");
    let mut failures = Vec::new();
    for sheet in &desk.sheets {
        let (scopes, database) = (desk.scopes, desk.database());
        let reacher = Reacher { token: &obtained.token, account, scopes, database };
        let reached = reach::sheet(&desk.http, desk.google, sheet, reacher).await;
        entry.sheets.push(Reached { sheet: sheet.name.clone(), reachable: reached.is_ok() });
        failures.extend(reached.err().map(|failure| {
            let hint = format!("{}; then type the same command again", failure.hint);
            Failure { hint, ..failure }.within(format!("sheet {:?}", sheet.name))
        }));
    }
    failures
}

/// The scopes that the person left unticked.
fn lacking(desk: &Desk<'_>, granted: &[String]) -> Option<Failure> {
    // Nothing granted is known to be nothing here.
    let lacking =
        if granted.is_empty() { desk.scopes.to_vec() } else { scope::missing(desk.scopes, granted) };
    (!lacking.is_empty()).then(|| {
        Failure::new(
            Kind::Credential,
            format!("{}: the authorization lacks the scope {}", desk.place, lacking.join(", ")),
            format!("log in and leave every box on Google's page ticked: {}", desk.command()),
        )
    })
}
