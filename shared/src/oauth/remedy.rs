//! What a person does about a refusal.

use super::{Class, Refusal, TokenSource};
use crate::Failure;
use crate::credential::Credential;

impl TokenSource {
    /// What a person does about a credential that is gone.
    pub(super) fn renewal(&self) -> String {
        match self.place.read() {
            Ok(Credential::ServiceAccount(account)) => format!(
                "make a new key for {} at https://console.cloud.google.com/iam-admin/serviceaccounts and put it in {} (mode 0600); nothing is lost meanwhile, the next run catches up",
                account.client_email,
                self.place.path.display()
            ),
            _ => format!(
                "log in again: token-login {}; nothing is lost meanwhile, the next run catches up",
                self.place.name
            ),
        }
    }

    /// What a person does about a refusal of this class.
    pub fn remedy(&self, class: Class) -> String {
        let place = self.place.path.display();
        match class {
            Class::Dead => self.renewal(),
            Class::Broken => format!("compare client_id and client_secret in {place} with the OAuth client in https://console.cloud.google.com/apis/credentials"),
            Class::Clock => "set the clock: timedatectl set-ntp true; timedatectl status".to_owned(),
            Class::Transient | Class::Unknown => "nothing to do if it passes: the next run tries again; is the network up? curl -sI https://oauth2.googleapis.com/token".to_owned(),
        }
    }

    pub(super) fn failure(&self, refusal: &Refusal) -> Failure {
        let message = format!("{}: {refusal}", self.place);
        let mut hint = self.remedy(refusal.class);
        if refusal.is_reauth {
            hint.push_str("; your organisation will ask for it again: have its administrator exempt the app, or use a service account");
        }
        Failure::new(refusal.class.kind(), message, hint)
    }
}
