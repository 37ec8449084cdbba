//! Programs of others that a test runs.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};

/// Where Debian keeps programs that are not in everyone's path.
const DIRECTORIES: [&str; 4] = ["/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// Servers of PostgreSQL lie below their version here.
const POSTGRES: &str = "/usr/lib/postgresql";

/// The path of a program of another project.
///
/// # Panics
/// If it is not installed, in one line that says how to install it.
pub fn program(name: &str) -> PathBuf {
    let path = env::var_os("PATH").unwrap_or_default();
    let own = env::split_paths(&path);
    let directories = own.chain(DIRECTORIES.map(PathBuf::from)).chain(newest(Path::new(POSTGRES)));
    find(name, directories).unwrap_or_else(|| panic!("{}", missing(name)))
}

fn find(name: &str, directories: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    directories.into_iter().map(|directory| directory.join(name)).find(|path| path.is_file())
}

fn missing(name: &str) -> String {
    format!(
        "this test needs the program {name:?}, which is not installed: run tests/run once, it installs it"
    )
}

/// `bin` of the highest version, as Debian lays them out.
fn newest(root: &Path) -> Option<PathBuf> {
    let version = |path: &PathBuf| path.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok());
    let versions = fs::read_dir(root).into_iter().flatten().flatten().map(|entry| entry.path());
    Some(versions.filter(|path| version(path).is_some()).max_by_key(version)?.join("bin"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_is_found_in_the_first_directory_that_has_it() {
        let [first, second] = [(), ()].map(|()| tempfile::tempdir().unwrap());
        fs::write(second.path().join("tool"), "").unwrap();
        let directories = || [first.path().to_owned(), second.path().to_owned()];
        assert_eq!(find("tool", directories()), Some(second.path().join("tool")));
        fs::write(first.path().join("tool"), "").unwrap();
        assert_eq!(find("tool", directories()), Some(first.path().join("tool")));
        assert_eq!(find("other", directories()), None);
    }

    #[test]
    fn versions_are_compared_as_numbers() {
        let root = tempfile::tempdir().unwrap();
        for version in ["9", "15", "common"] {
            fs::create_dir_all(root.path().join(version).join("bin")).unwrap();
        }
        assert_eq!(newest(root.path()), Some(root.path().join("15/bin")));
        assert_eq!(newest(&root.path().join("9/bin")), None);
    }

    #[test]
    #[should_panic(
        expected = "this test needs the program \"no-such-program\", which is not installed: run tests/run once"
    )]
    fn a_missing_program_is_one_line_that_says_how_to_install_it() {
        program("no-such-program");
    }

    #[test]
    fn the_line_is_one_line() {
        assert!(!missing("strace").contains('\n'));
    }
}
