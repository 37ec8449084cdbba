//! The OAuth side: accounts, the token endpoint, the consent page, revocation. Knows nothing of spreadsheets.

pub(crate) mod accounts;
pub(crate) mod assertion;
pub(crate) mod consent;
pub(crate) mod error;
pub(crate) mod inspect;
pub(crate) mod key;
mod page;
pub(crate) mod token;
