//! What the stand-in promises its users, read as specifications. Every test runs its own server on loopback.

mod api;
mod client;
mod faults;
mod tokens;
