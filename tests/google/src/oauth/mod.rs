//! The OAuth side: accounts, the token endpoint, the consent page, revocation. Knows nothing of spreadsheets.

pub(crate) mod accounts;
pub(crate) mod assertion;
pub(crate) mod error;
pub(crate) mod key;
pub(crate) mod token;
