//! RSA keys of service accounts: made with `rsa`, checked with `ring`. Only the public half is ever kept.

use anyhow::Context as _;
use ring::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use rsa::PrivateKey;
use rsa::pkcs1::EncodeRsaPublicKey as _;
use rsa::pkcs8::{EncodePrivateKey as _, LineEnding};

/// A fresh key, as a key file carries it and as its owner's signatures are checked.
pub(crate) struct Key {
    pub(crate) private_pem: String,
    pub(crate) public_der: Vec<u8>,
}

/// Makes a key of the size that Google's have.
pub(crate) fn generate() -> anyhow::Result<Key> {
    let private = PrivateKey::new(&mut rand::rng(), 2048).context("making an RSA key")?;
    let private_pem = private.to_pkcs8_pem(LineEnding::LF).context("writing the private key")?.to_string();
    let public_der = private.to_public_key().to_pkcs1_der().context("writing the public key")?.into_vec();
    Ok(Key { private_pem, public_der })
}

/// Whether an RS256 signature is the key owner's.
pub(crate) fn verifies(public_der: &[u8], message: &[u8], signature: &[u8]) -> bool {
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public_der).verify(message, signature).is_ok()
}
