//! The hint of a failure to get a token: the next command to type.

use super::TokenSource;
use crate::Failure;
use crate::config::executables;
use crate::credential::Credential;
use crate::credential::token_error::{TokenError, TokenErrorClass};

impl TokenSource {
    /// How to replace a credential that is dead.
    pub(super) fn renewal_hint(&self) -> String {
        match self.file.read() {
            Ok(Credential::ServiceAccount(account)) => format!(
                "make a new key for {} at https://console.cloud.google.com/iam-admin/serviceaccounts and put it in {} (mode 0600); nothing is lost meanwhile, the next run catches up",
                account.client_email,
                self.file.path.display()
            ),
            _ => format!(
                "log in again: {}; nothing is lost meanwhile, the next run catches up",
                executables::login(&self.file.name)
            ),
        }
    }

    /// What to do about a refusal of this class.
    pub fn hint_for(&self, class: TokenErrorClass) -> String {
        let file = self.file.path.display();
        match class {
            TokenErrorClass::Dead => self.renewal_hint(),
            TokenErrorClass::Broken => format!("compare client_id and client_secret in {file} with the OAuth client in https://console.cloud.google.com/apis/credentials"),
            TokenErrorClass::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
            TokenErrorClass::Transient | TokenErrorClass::Unknown => "nothing to do if it passes: the next run tries again; is the network up? curl -sI https://oauth2.googleapis.com/token".to_owned(),
        }
    }

    pub(super) fn failure(&self, error: &TokenError) -> Failure {
        let message = format!("{}: {error}", self.file);
        let mut hint = self.hint_for(error.class);
        if error.is_reauth {
            hint.push_str("; your organisation will ask for it again: have its administrator exempt the app, or use a service account");
        }
        Failure { cause: error.cause.clone(), ..Failure::new(error.class.kind(), message, hint) }
    }
}
