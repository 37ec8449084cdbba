//! Builds `port-sheet-sync` and finds the executable, so that the demonstration runs the real thing.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use port_sheet_sync::PortSheetSync;
use serde_json::Value;
use shared::run::Job;

const PACKAGE: &str = <PortSheetSync as Job>::NAME;

/// What cargo sets for the package that it runs.
const OURS: [&str; 2] = ["CARGO_PKG_", "CARGO_MANIFEST_"];

/// Builds it with the cargo that runs us; cargo's progress goes to the terminal.
///
/// Together with our own package, so that its dependencies are those that were built for us and not built again.
pub fn build() -> Result<PathBuf> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let mut command = Command::new(cargo);
    // What `cargo run` tells us about our own package would make ring's build script build it anew every time.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| OURS.iter().any(|start| name.starts_with(start))) {
            command.env_remove(name);
        }
    }
    let output = command
        .args(["build", "--package", env!("CARGO_PKG_NAME"), "--package", PACKAGE])
        .arg("--message-format=json-render-diagnostics")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stderr(Stdio::inherit())
        .output()
        .context("cargo cannot be run")?;
    ensure!(output.status.success(), "{PACKAGE} could not be built; cargo says why above");
    let messages = String::from_utf8(output.stdout).context("cargo's messages are not text")?;
    messages.lines().find_map(executable).with_context(|| format!("cargo named no executable of {PACKAGE}"))
}

/// The executable that a message of cargo's announces.
fn executable(message: &str) -> Option<PathBuf> {
    let message: Value = serde_json::from_str(message).ok()?;
    let is_ours = message["target"]["name"] == PACKAGE;
    message["executable"].as_str().filter(|_| is_ours).map(PathBuf::from)
}
