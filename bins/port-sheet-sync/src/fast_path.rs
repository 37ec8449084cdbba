//! The fast path: a run ends after one small request where the sheet provably is as it was when it was last read whole.
//!
//! Only what a full reading found in step, with nothing to remark, is ever proof of anything.

use log::info;
use shared::Result;

use crate::journal;
use crate::plan::Plan;
use crate::proof::{self, Proof};
use crate::result::SheetResult;
use crate::rounds::SheetRun;
use crate::snapshot::Snapshot;
use crate::workbook::Version;

impl SheetRun<'_> {
    /// Whether nothing can have changed since the sheet was last read. If that is not proven, the old proof is
    /// forgotten.
    ///
    /// # Errors
    /// When there is no access token, or the old proof cannot be removed.
    pub async fn is_proven(&mut self, result: &mut SheetResult) -> Result<bool> {
        if self.args.dry_run {
            return Ok(false);
        }
        let path = proof::path(&self.context.state.spool(), &self.sheet.name);
        if let Some(left) = Proof::load(&path).filter(|_| self.leaves_proof() && self.is_committed())
            && let Version::Known(version) = self.workbook.first_version().await?
            && left.covers(&self.proof(version), self.sheet.full_read_every)
        {
            info!("the file's version is what it was when the sheet was last read: nothing changed");
            result.unchanged = result.source_rows;
            (result.verified, result.fast_path) = (true, true);
            return Ok(true);
        }
        proof::revoke(&path)?;
        Ok(false)
    }

    /// The file's version, to be fetched before the sheet is read: what people change from here on makes it another.
    ///
    /// # Errors
    /// When there is no access token.
    pub async fn version_before_reading(&mut self, result: &mut SheetResult) -> Result<Option<String>> {
        if self.args.dry_run || !self.leaves_proof() {
            return Ok(None);
        }
        match self.workbook.version().await? {
            Version::Known(version) => Ok(Some(version)),
            Version::Unasked => Ok(None),
            Version::Untold(why) => {
                let note = format!("Drive did not tell the file's version, so the sheet was read: {why}");
                if !result.notes.contains(&note) {
                    result.notes.push(note);
                }
                Ok(None)
            }
        }
    }

    /// Keeps the proof that a whole reading gave, if there is nothing that the next run would have to tell again.
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

    /// Whether a run may end early at all: every row of the source is in use, and no cell tells the time.
    fn leaves_proof(&self) -> bool {
        self.spool.rejected == 0
            && self.sheet.freshness_cell.is_none()
            && !self.sheet.full_read_every.is_zero()
    }

    /// Whether the last run was seen to its end and its base is there.
    fn is_committed(&self) -> bool {
        !self.known.is_empty() && journal::pending(&self.journals()).is_empty()
    }

    fn proof(&self, version: String) -> Proof {
        Proof::new(self.sheet, &self.columns, self.spool.digest, version, self.context.started)
    }
}
