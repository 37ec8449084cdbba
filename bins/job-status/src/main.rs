//! `job-status`, the executable: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::run::main::<job_status::JobStatus>()
}
