//! `token-login`, the executable: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::run::main::<token_login::TokenLogin>()
}
