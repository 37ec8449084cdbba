//! Replaces a refresh token that the server rotated. The old token may be invalid by then, so everything that can fail on
//! the disk is done before the token request.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::CredentialFile;
use crate::config::executables;
use crate::sys::atomic_file::Draft;
use crate::sys::secret_file;
use crate::{Failure, Result, Secret};

/// The space reserved beyond the current size, in bytes: Google's refresh tokens are at most 512 long.
const GROWTH: usize = 8 * 1024;

/// Space on the disk for the new file and for a copy of the previous one. Dropped unused, it leaves no file.
#[derive(Debug)]
pub struct Rotation<'a> {
    file: &'a CredentialFile,
    fields: Map<String, Value>,
    previous: Draft,
    next: Draft,
}

impl CredentialFile {
    /// Makes sure that another refresh token could be written, whatever the server returns.
    ///
    /// The caller holds the credential's lock until the rotation is committed or dropped.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the directory cannot be written or the disk is full; the old token is then still valid.
    pub fn prepare_rotation(&self) -> Result<Rotation<'_>> {
        let content = secret_file::read(&self.path, self.credentials_directory.as_deref())
            .map_err(|f| f.within(self))?;
        let fields = self.fields(&content)?;
        let (previous, next) = self.reserve(&content).map_err(|failure| self.unprepared(failure))?;
        Ok(Rotation { file: self, fields, previous, next })
    }

    /// Writes the copy of the previous file, and reserves space for the new one.
    fn reserve(&self, content: &[u8]) -> Result<(Draft, Draft)> {
        let (previous, next) = (Draft::new(&self.previous_path())?, Draft::new(&self.path)?);
        previous.fill(content)?;
        previous.file().sync_all().map_err(|error| Failure::io("cannot write", &self.path, error))?;
        next.reserve(content.len() + GROWTH)?;
        Ok((previous, next))
    }

    /// Installs a rotated refresh token that a disk failure prevented, if the file was not changed since. The token in the
    /// file is invalid, and a server that sees it again may end the whole grant.
    ///
    /// The caller holds the credential's lock.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it still cannot be installed, [`crate::Kind::Credential`] when it is not safe.
    pub fn finish_rotation(&self) -> Result<()> {
        let rotated = self.rotated_path();
        if !rotated.exists() || !self.is_as_rotation_left_it() {
            return Ok(());
        }
        self.parse_checked(&secret_file::read(&rotated, None).map_err(|f| f.within(self))?)?;
        Draft::rename(&rotated, &self.path).map_err(|failure| self.unfinished(failure.within(self), &rotated))
    }

    /// An unfinished rotation leaves the file and its copy equal; a login does not.
    fn is_as_rotation_left_it(&self) -> bool {
        fs::read(&self.path).ok() == fs::read(self.previous_path()).ok()
    }

    /// Where a rotated refresh token is kept that could not be installed.
    pub(super) fn rotated_path(&self) -> PathBuf {
        self.with_suffix(".new")
    }

    fn unfinished(&self, failure: Failure, rotated: &Path) -> Failure {
        let hint = format!(
            "the new refresh token is saved; once the disk works again, put it in place: mv {} {}",
            secret_file::shell(rotated),
            secret_file::shell(&self.path)
        );
        Failure { hint, ..failure }
    }

    fn unprepared(&self, failure: Failure) -> Failure {
        let dir = self.path.parent().unwrap_or(&self.path);
        let shown = secret_file::shell(dir);
        let advice = if self.credentials_directory.as_deref() == Some(dir) {
            format!(
                "a person's authorization cannot come through LoadCredential=: {}, in a unit without it",
                executables::login(&self.name)
            )
        } else {
            format!("make room, or let the jobs' user write there: df -h {shown}; ls -ld {shown}")
        };
        let hint =
            format!("no token was requested, because a changed refresh token could not be saved; {advice}");
        Failure { hint, ..failure.within(self) }
    }
}

impl Rotation<'_> {
    /// Installs the new refresh token. The previous file is kept beside it as `.prev`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be installed: the file is then unchanged, and the hint names the file with the
    /// new token.
    pub fn commit(mut self, refresh_token: &Secret) -> Result<()> {
        self.fields.insert("refresh_token".to_owned(), Value::from(refresh_token.expose()));
        let mut rotated = serde_json::to_vec_pretty(&self.fields).map_err(Failure::defect)?;
        rotated.push(b'\n');
        // The space is reserved, so a failure here may be transient; the token can be saved nowhere else.
        let filled = self.next.fill(&rotated).or_else(|_| self.next.fill(&rotated));
        filled.map_err(|failure| failure.within(self.file))?;
        // The copy of a token that may be invalid matters less than the new token.
        if let Err(failure) = self.previous.commit() {
            log::warn!("{}: the previous file could not be kept: {failure}", self.file);
        }
        let Err((failure, draft)) = self.next.commit_or_keep() else { return Ok(()) };
        let failure = failure.within(self.file);
        let Some(draft) = draft else { return Err(failure) };
        let rotated = draft.keep_as(&self.file.rotated_path())?;
        Err(self.file.unfinished(failure, &rotated))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::Kind;
    use crate::sys::atomic_file;

    const CONTENT: &str = r#"{"refresh_token":"1//r","client_id":"c","client_secret":"s","expiry":"2026"}"#;

    fn file(dir: &Path) -> CredentialFile {
        let path = dir.join("token.json");
        atomic_file::replace(&path, CONTENT.as_bytes()).unwrap();
        CredentialFile {
            name: "port-sheet".into(),
            path,
            credentials_directory: None,
            token_hosts: Vec::new(),
        }
    }

    #[test]
    fn rotation_keeps_unknown_fields_and_the_file_before() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        file.prepare_rotation().unwrap().commit(&Secret::new("1//new")).unwrap();
        let fields: Value = serde_json::from_slice(&fs::read(&file.path).unwrap()).unwrap();
        assert_eq!((&fields["refresh_token"], &fields["expiry"]), (&"1//new".into(), &"2026".into()));
        assert_eq!(fs::read_to_string(file.previous_path()).unwrap(), CONTENT);
        for path in [&file.path, &file.previous_path()] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_rotation_that_did_not_come_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        drop(file.prepare_rotation().unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(&file.path).unwrap(), CONTENT);
    }

    #[test]
    fn a_token_that_was_kept_is_put_in_place_unless_somebody_changed_the_file_since() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        let rotated = CONTENT.replace("1//r", "1//new");
        let kept = || {
            atomic_file::replace(&file.previous_path(), &fs::read(&file.path).unwrap()).unwrap();
            atomic_file::replace(&file.rotated_path(), rotated.as_bytes()).unwrap();
        };
        file.finish_rotation().unwrap();
        assert_eq!(fs::read_to_string(&file.path).unwrap(), CONTENT, "nothing was kept");
        kept();
        file.finish_rotation().unwrap();
        assert_eq!(fs::read_to_string(&file.path).unwrap(), rotated);
        assert_eq!(fs::read_to_string(file.previous_path()).unwrap(), CONTENT);
        assert!(!file.rotated_path().exists());
        kept();
        let login = CONTENT.replace("1//r", "1//login");
        file.replace(login.as_bytes()).unwrap();
        assert!(!file.rotated_path().exists(), "a login makes it worthless");
        file.finish_rotation().unwrap();
        assert_eq!(fs::read_to_string(&file.path).unwrap(), login);
    }

    #[test]
    fn a_new_token_that_cannot_be_put_in_place_is_kept_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let file = file(dir.path());
        let rotation = file.prepare_rotation().unwrap();
        fs::remove_file(&file.path).unwrap();
        fs::create_dir(&file.path).unwrap();
        let failure = rotation.commit(&Secret::new("1//new")).unwrap_err();
        assert_eq!(failure.kind, Kind::Io);
        let kept = failure.hint.split("mv ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(fs::read_to_string(kept).unwrap().contains("1//new"), "{failure:?}");
        assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
