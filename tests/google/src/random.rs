//! Random ids, tokens and secrets in the shapes that Google's have.

use rand::RngExt as _;

const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const HEX: &[u8] = b"0123456789abcdef";
const DIGITS: &[u8] = b"0123456789";

/// A user's access token.
pub(crate) fn user_access_token() -> String {
    format!("ya29.a0{}", pick(LETTERS, 210))
}

/// A service account's access token: 1,024 characters of which the last 792 are dots, as recorded.
pub(crate) fn service_access_token() -> String {
    format!("ya29.c.{}{}", pick(LETTERS, 225), ".".repeat(792))
}

pub(crate) fn refresh_token() -> String {
    format!("1//0{}", pick(LETTERS, 99))
}

pub(crate) fn authorization_code() -> String {
    format!("4/0{}", pick(LETTERS, 70))
}

pub(crate) fn client_secret() -> String {
    format!("GOCSPX-{}", pick(LETTERS, 28))
}

pub(crate) fn file_id() -> String {
    format!("1{}", pick(LETTERS, 43))
}

pub(crate) fn hex(length: usize) -> String {
    pick(HEX, length)
}

pub(crate) fn digits(length: usize) -> String {
    format!("1{}", pick(DIGITS, length.saturating_sub(1)))
}

fn pick(alphabet: &[u8], length: usize) -> String {
    let mut rng = rand::rng();
    (0..length).map(|_| char::from(alphabet[rng.random_range(0..alphabet.len())])).collect()
}
