//! `job-status`, the executable: see the library of the same name.

use std::process::ExitCode;

fn main() -> ExitCode {
    shared::job::main::<job_status::JobStatus>()
}
