//! What the stand-in promises its users, read as specifications. Every test runs its own server on loopback.

#![expect(clippy::unwrap_used, reason = "a helper of a test that fails has to fail the test")]

mod api;
mod client;
mod consent;
mod drive;
mod faults;
mod process;
mod tokens;
