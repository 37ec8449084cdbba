//! `quota-reset`, the executable: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::run::main::<quota_reset::QuotaReset>()
}
