//! Packages from npm, for what must be judged by another's code: an OAuth server, an accessibility checker.

use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::program;

/// Installs exactly what the lock file in `sources` says below `home`, unless that was done before, and returns where.
/// Made aside and renamed, so that half an installation is never taken for one.
///
/// # Panics
/// Without npm, and when it fails: what cannot be judged is not passed over.
pub fn packages(sources: &Path, home: &Path) -> PathBuf {
    let lock = fs::read(sources.join("package-lock.json")).expect("the lock file is there");
    let mut hasher = DefaultHasher::new();
    lock.hash(&mut hasher);
    let installed = home.join(format!("npm-{:016x}", hasher.finish()));
    if installed.exists() {
        return installed;
    }
    let draft = tempfile::tempdir_in(home).expect("a directory beside it");
    for name in ["package.json", "package-lock.json"] {
        fs::copy(sources.join(name), draft.path().join(name)).expect("the two files are copied");
    }
    let npm = Command::new(program("npm"))
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"])
        .current_dir(draft.path())
        .stdin(Stdio::null())
        .output()
        .unwrap_or_else(|error| panic!("npm: {error}"));
    assert!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
    // Another test may have been faster.
    let renamed = fs::rename(draft.path(), &installed);
    assert!(renamed.is_ok() || installed.exists(), "{renamed:?}");
    installed
}
