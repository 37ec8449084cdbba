//! The flags of `port-sheet-sync`.

/// Its own flags.
#[derive(clap::Args, Clone, Debug)]
pub struct Args {
    /// Sync only this sheet of the configuration
    #[arg(long, value_name = "NAME")]
    pub sheet: Option<String>,
    /// Print what would be written, and write nothing
    #[arg(long)]
    pub dry_run: bool,
    /// List the runs that wrote to the sheets, newest first
    #[arg(long, conflicts_with_all = ["undo", "dry_run", "allow_shrink"])]
    pub history: bool,
    /// Restore what a run changed, unless it was changed since then; --history lists the runs
    #[arg(long, value_name = "RUN", conflicts_with = "allow_shrink")]
    pub undo: Option<String>,
    /// Accept this once that the source lost more bookings than max-shrink allows
    #[arg(long)]
    pub allow_shrink: bool,
}

impl Args {
    /// What tokens are requested for. A dry run that meets a dead credential is not started again later.
    pub fn purpose(&self) -> shared::store::Purpose {
        if self.dry_run { shared::store::Purpose::Look } else { shared::store::Purpose::Work }
    }
}
