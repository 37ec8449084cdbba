//! Tries a credential that is not installed yet: its scopes, and a read of every sheet that uses it.

use shared::credential::scope;
use shared::google::access_check::{self, Caller};
use shared::{Failure, Kind};

use crate::install::{Destination, Obtained};
use crate::result::{LoginResult, SheetAccess};

/// A failure for each scope or sheet that it cannot access.
pub(crate) async fn try_access(
    destination: &Destination<'_>,
    obtained: &Obtained,
    result: &mut LoginResult,
) -> Vec<Failure> {
    if let Some(failure) = missing_scopes(destination, &obtained.scopes) {
        return vec![failure];
    }
    let account = obtained.account.as_deref().unwrap_or("the account that you logged in with");
    let mut failures = Vec::new();
    for sheet in &destination.sheets {
        let (scopes, database) = (destination.scopes, destination.database());
        let caller = Caller { token: &obtained.token, account, scopes, database };
        let access = access_check::check_sheet(&destination.http, destination.google, sheet, caller).await;
        result.sheets.push(SheetAccess { sheet: sheet.name.clone(), reachable: access.is_ok() });
        failures.extend(access.err().map(|failure| {
            let hint = format!("{}; then type the same command again", failure.hint);
            Failure { hint, ..failure }.within(format!("sheet {:?}", sheet.name))
        }));
    }
    failures
}

/// The failure for the scopes that the user did not grant.
fn missing_scopes(destination: &Destination<'_>, granted: &[String]) -> Option<Failure> {
    // An empty list means here that the user granted no scope.
    let missing = if granted.is_empty() {
        destination.scopes.to_vec()
    } else {
        scope::missing(destination.scopes, granted)
    };
    (!missing.is_empty()).then(|| {
        Failure::new(
            Kind::Credential,
            format!("{}: the authorization lacks the scope {}", destination.file, missing.join(", ")),
            format!("log in and leave every box on Google's page ticked: {}", destination.command()),
        )
    })
}
