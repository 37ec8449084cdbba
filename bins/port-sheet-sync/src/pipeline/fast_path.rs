//! The fast path: a run ends after one small request if the sheet provably is as it was when it was last read whole.
//!
//! Only a full reading that found the sheet in step, with nothing to report, leaves a proof.

use log::info;
use shared::Result;

use crate::google::file_version::FileVersion;
use crate::journal;
use crate::pipeline::reconcile::SheetRun;
use crate::plan::Plan;
use crate::sheet::snapshot::Snapshot;
use crate::spool::proof;
use crate::spool::proof::Proof;
use crate::spool::safety_copy;

impl SheetRun<'_> {
    /// Whether nothing can have changed since the sheet was last read. If that is not proven, the old proof is
    /// removed.
    ///
    /// # Errors
    /// When there is no access token, or the old proof cannot be removed.
    pub async fn is_proven(&mut self) -> Result<bool> {
        let path = proof::path(&self.context.state.spool(), &self.sheet.name);
        if let Some(left) = Proof::load(&path).filter(|_| self.leaves_proof() && self.is_committed())
            && let FileVersion::Known(version) = self.spreadsheet.first_version().await?
            && left.covers(&self.proof(version), self.sheet.full_read_every)
        {
            info!("the file's version is what it was when the sheet was last read: nothing changed");
            self.result.unchanged = self.result.source_rows;
            (self.result.verified, self.result.fast_path) = (true, true);
            return Ok(true);
        }
        proof::revoke(&path)?;
        Ok(false)
    }

    /// The file's version. It must be fetched before the sheet is read: any later change of a user increases it.
    ///
    /// # Errors
    /// When there is no access token.
    pub async fn version_before_reading(&mut self) -> Result<Option<String>> {
        if self.args.dry_run || !self.leaves_proof() {
            return Ok(None);
        }
        match self.spreadsheet.version().await? {
            FileVersion::Known(version) => Ok(Some(version)),
            FileVersion::Unknown => Ok(None),
            FileVersion::Refused(why) => {
                let note = format!("Drive did not give the file's version, so the sheet was read: {why}");
                if !self.result.notes.contains(&note) {
                    self.result.notes.push(note);
                }
                Ok(None)
            }
        }
    }

    /// Keeps the proof that a whole reading gave, if there is nothing that the next run must report again.
    ///
    /// # Errors
    /// [`shared::Kind::Io`].
    pub fn keep_proof(&self, version: Option<&str>, plan: &Plan, snapshot: &Snapshot) -> Result<()> {
        let is_unremarkable = plan.drifted == 0
            && plan.problems.is_empty()
            && plan.notes.is_empty()
            && snapshot.blank_keys.is_empty();
        match version.filter(|_| is_unremarkable) {
            Some(version) => self
                .proof(version.to_owned())
                .store(&proof::path(&self.context.state.spool(), &self.sheet.name)),
            None => Ok(()),
        }
    }

    /// Whether a run may end early at all: every row of the source is in use, and no cell shows the time of the run.
    fn leaves_proof(&self) -> bool {
        self.spool.rejected == 0
            && self.sheet.freshness_cell.is_none()
            && !self.sheet.full_read_every.is_zero()
    }

    /// Whether the last run was completed and its base exists.
    fn is_committed(&self) -> bool {
        let copies = safety_copy::path(&self.context.state.spool(), &self.sheet.name);
        !self.known.is_empty() && journal::pending(&self.journals()).is_empty() && !copies.exists()
    }

    fn proof(&self, version: String) -> Proof {
        Proof::new(self.sheet, &self.columns, self.spool.digest, version, self.context.started)
    }
}
