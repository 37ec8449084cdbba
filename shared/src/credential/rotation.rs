//! Replacing a refresh token that the server changed. The old one may be spent by then, so everything that can go wrong
//! on the disk is tried before a token is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Place;
use crate::file::Draft;
use crate::{Failure, Result, Secret, private};

/// The room reserved beyond the present content, in bytes: Google's refresh tokens are at most 512 long.
const GROWTH: usize = 8 * 1024;

/// Room on the disk for the file after a rotation and for the file before it. Dropped unused, it leaves no trace.
#[derive(Debug)]
pub struct Rotation<'a> {
    place: &'a Place,
    fields: Map<String, Value>,
    previous: Draft,
    next: Draft,
}

impl Place {
    /// Makes sure that another refresh token could be written, whatever its server answers.
    ///
    /// Hold the credential's lock until the rotation is committed or dropped.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when the directory cannot be written or the disk is full: nothing is spent then.
    pub fn prepare_rotation(&self) -> Result<Rotation<'_>> {
        let content =
            private::read(&self.path, self.credentials_directory.as_deref()).map_err(|f| f.within(self))?;
        let fields = self.fields(&content)?;
        let reserved = || {
            let (previous, next) = (Draft::new(&self.previous())?, Draft::new(&self.path)?);
            previous.fill(&content)?;
            previous.file().sync_all().map_err(|error| Failure::io("cannot write", &self.path, error))?;
            next.reserve(content.len() + GROWTH)?;
            Ok((previous, next))
        };
        let (previous, next) = reserved().map_err(|failure: Failure| self.unprepared(failure))?;
        Ok(Rotation { place: self, fields, previous, next })
    }

    /// Puts a changed refresh token in place that a failing disk kept out of it, if nobody changed the file since: the token
    /// in the file is spent, and a server that sees it again may end the whole grant.
    ///
    /// Hold the credential's lock.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be put in place now either, [`crate::Kind::Credential`] when it is not safe.
    pub fn finish_rotation(&self) -> Result<()> {
        let kept = self.kept();
        // Only what the rotation itself left is as it was: the file before stands beside it, too.
        let is_unchanged = || fs::read(&self.path).ok() == fs::read(self.previous()).ok();
        if !kept.exists() || !is_unchanged() {
            return Ok(());
        }
        self.parse_checked(&private::read(&kept, None).map_err(|f| f.within(self))?)?;
        Draft::rename(&kept, &self.path).map_err(|failure| self.unfinished(failure.within(self), &kept))
    }

    /// Where a changed refresh token is kept that cannot be put in place.
    pub(super) fn kept(&self) -> PathBuf {
        self.beside(".new")
    }

    fn unfinished(&self, failure: Failure, kept: &Path) -> Failure {
        let hint = format!(
            "the new refresh token was kept; when the disk is well again, put it in place: mv {} {}",
            private::shell(kept),
            private::shell(&self.path)
        );
        Failure { hint, ..failure }
    }

    fn unprepared(&self, failure: Failure) -> Failure {
        let dir = self.path.parent().unwrap_or(&self.path);
        let shown = private::shell(dir);
        let remedy = if self.credentials_directory.as_deref() == Some(dir) {
            format!(
                "a person's authorization cannot come through LoadCredential=: token-login {}, in a unit without it",
                self.name
            )
        } else {
            format!("make room, or let the jobs' user write there: df -h {shown}; ls -ld {shown}")
        };
        let hint =
            format!("nothing was asked for, since a changed refresh token could not be kept; {remedy}");
        Failure { hint, ..failure.within(self) }
    }
}

impl Rotation<'_> {
    /// Puts the new refresh token in place. The file before is kept beside it as `.prev`.
    ///
    /// # Errors
    /// [`crate::Kind::Io`] when it cannot be put in place: the old file is what it was, and the hint says where the new
    /// one is.
    pub fn commit(mut self, refresh_token: &Secret) -> Result<()> {
        self.fields.insert("refresh_token".to_owned(), Value::from(refresh_token.expose()));
        let mut rotated =
            serde_json::to_vec_pretty(&self.fields).map_err(|error| Failure::bug(error.to_string()))?;
        rotated.push(b'\n');
        // The room is there, so a disk that fails here may do so once; there is no other place for it.
        let filled = self.next.fill(&rotated).or_else(|_| self.next.fill(&rotated));
        filled.map_err(|failure| failure.within(self.place))?;
        // A copy of a token that may be spent is worth less than the new one.
        if let Err(failure) = self.previous.commit() {
            log::warn!("{}: the file before is not kept: {failure}", self.place);
        }
        let Err((failure, draft)) = self.next.commit_or_keep() else { return Ok(()) };
        let failure = failure.within(self.place);
        let Some(draft) = draft else { return Err(failure) };
        let kept = draft.keep_as(&self.place.kept())?;
        Err(self.place.unfinished(failure, &kept))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::{Kind, file};

    const CONTENT: &str = r#"{"refresh_token":"1//r","client_id":"c","client_secret":"s","expiry":"2026"}"#;

    fn place(dir: &Path) -> Place {
        let path = dir.join("token.json");
        file::replace(&path, CONTENT.as_bytes()).unwrap();
        Place { name: "port-sheet".into(), path, credentials_directory: None, token_hosts: Vec::new() }
    }

    #[test]
    fn rotation_keeps_unknown_fields_and_the_file_before() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        place.prepare_rotation().unwrap().commit(&Secret::new("1//new")).unwrap();
        let fields: Value = serde_json::from_slice(&fs::read(&place.path).unwrap()).unwrap();
        assert_eq!((&fields["refresh_token"], &fields["expiry"]), (&"1//new".into(), &"2026".into()));
        assert_eq!(fs::read_to_string(place.previous()).unwrap(), CONTENT);
        for path in [&place.path, &place.previous()] {
            assert_eq!(fs::metadata(path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_rotation_that_did_not_come_leaves_no_trace() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        drop(place.prepare_rotation().unwrap());
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        assert_eq!(fs::read_to_string(&place.path).unwrap(), CONTENT);
    }

    #[test]
    fn a_token_that_was_kept_is_put_in_place_unless_somebody_changed_the_file_since() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let rotated = CONTENT.replace("1//r", "1//new");
        let kept = || {
            file::replace(&place.previous(), &fs::read(&place.path).unwrap()).unwrap();
            file::replace(&place.kept(), rotated.as_bytes()).unwrap();
        };
        place.finish_rotation().unwrap();
        assert_eq!(fs::read_to_string(&place.path).unwrap(), CONTENT, "nothing was kept");
        kept();
        place.finish_rotation().unwrap();
        assert_eq!(fs::read_to_string(&place.path).unwrap(), rotated);
        assert_eq!(fs::read_to_string(place.previous()).unwrap(), CONTENT);
        assert!(!place.kept().exists());
        kept();
        let login = CONTENT.replace("1//r", "1//login");
        place.replace(login.as_bytes()).unwrap();
        assert!(!place.kept().exists(), "a login makes it worthless");
        place.finish_rotation().unwrap();
        assert_eq!(fs::read_to_string(&place.path).unwrap(), login);
    }

    #[test]
    fn a_new_token_that_cannot_be_put_in_place_is_kept_and_told() {
        let dir = tempfile::tempdir().unwrap();
        let place = place(dir.path());
        let rotation = place.prepare_rotation().unwrap();
        fs::remove_file(&place.path).unwrap();
        fs::create_dir(&place.path).unwrap();
        let failure = rotation.commit(&Secret::new("1//new")).unwrap_err();
        assert_eq!(failure.kind, Kind::Io);
        let kept = failure.hint.split("mv ").nth(1).and_then(|rest| rest.split(' ').next()).unwrap();
        assert!(fs::read_to_string(kept).unwrap().contains("1//new"), "{failure:?}");
        assert_eq!(fs::metadata(kept).unwrap().permissions().mode() & 0o777, 0o600);
    }
}
