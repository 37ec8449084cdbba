//! What a run has at hand once its configuration is known: its context and its records.

use super::{Common, Context};
use crate::store::{Run, Store};

/// What a run has at hand once its configuration is known, for what comes after it.
#[derive(Default)]
pub(super) struct Scene {
    pub store: Option<Store>,
    pub context: Option<Context>,
}

/// Writes the record of a run that begins; why it cannot be written is kept with the context.
pub(super) fn open_records(run: &Run, mut context: Context, scene: &mut Scene) {
    let sinks = context.config.alert.sinks.iter().map(|sink| sink.name.as_str());
    let opened = context.state.create().and_then(|()| Store::open(&context.state.database()));
    let opened = opened.and_then(|mut store| {
        store.start_run(run)?;
        store.meet_sinks(sinks)?;
        Ok(store)
    });
    match opened {
        Ok(store) => scene.store = Some(store),
        Err(failure) => context.unrecorded = Some(failure),
    }
    scene.context = Some(context);
}

/// The run records of earlier runs, for a run whose configuration is broken: even that is not to pass unrecorded or
/// untold. Nothing is made for it, and `--check-config` touches nothing.
pub(super) fn remember(common: &Common, run: &Run, context: Option<Context>, scene: &mut Scene) {
    let Some(context) = context.filter(|context| context.had_records && !common.check_config) else { return };
    let store = Store::open(&context.state.database()).and_then(|mut store| {
        store.start_run(run)?;
        Ok(store)
    });
    if let Ok(store) = store {
        *scene = Scene { store: Some(store), context: Some(context) };
    }
}
