//! `token-check`, the executable: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::job::main::<token_check::TokenCheck>()
}
