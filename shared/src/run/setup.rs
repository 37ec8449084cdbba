//! What happens before the lock: the configuration is read and checked, and the run records are opened.

use super::args::Cli;
use super::report::{Ending, Report};
use super::{Common, Context, Job, briefly};
use crate::config::Config;
use crate::notify::Dispatcher;
use crate::store::{Run, Store};
use crate::sys::dirs::Environment;
use crate::{Failure, Kind, Result};

/// What a run has once its configuration is known. It outlives the job, so that its ending can be recorded and reported.
#[derive(Default)]
pub(super) struct Resources {
    pub store: Option<Store>,
    pub context: Option<Context>,
}

/// Opens everything that the job needs, or returns how the run ends without it.
pub(super) fn prepare<'a, J: Job>(
    cli: &Cli<J::Args>,
    environment: Environment,
    run: &Run,
    resources: &'a mut Resources,
) -> Result<&'a Context, Ending<J::Body>> {
    let common = &cli.common;
    let path =
        environment.config_file(common.config.as_deref()).map_err(|failure| Ending::failed(vec![failure]))?;
    let config = match Config::load(&path, J::NAME) {
        Ok(config) => config,
        Err(failures) => {
            let context = Context::new(J::NAME, run, common, environment, Config::for_alerts(&path));
            use_existing_records(common, run, context, resources);
            return Err(Ending::failed(failures));
        }
    };
    let problems = J::check(&config, &cli.args);
    let context = Context::new(J::NAME, run, common, environment, config);
    if !problems.is_empty() {
        if problems.iter().any(|problem| problem.kind != Kind::Usage) {
            use_existing_records(common, run, context, resources);
        }
        return Err(Ending::failed(problems));
    }
    if common.check_config {
        return Err(Report::from_output(format!("{} is valid\n", context.config.path.display())).into());
    }
    if common.test_alert {
        return Err(test_alert::<J>(&context).into());
    }
    open_records(run, context, resources);
    match &resources.context {
        Some(Context { unrecorded: Some(failure), .. }) if !J::RUNS_UNRECORDED => {
            Err(Ending::failed(vec![failure.clone()]))
        }
        Some(context) => Ok(context),
        None => Err(Ending::failed(vec![Failure::bug("a run without a context")])),
    }
}

/// Writes the record of a run that begins. If that fails, the context has the reason.
fn open_records(run: &Run, mut context: Context, resources: &mut Resources) {
    let sinks = context.config.alert.sinks.iter().map(|sink| sink.name.as_str());
    let opened = context.state.create().and_then(|()| Store::open(&context.state.database()));
    let opened = opened.and_then(|mut store| {
        store.start_run(run)?;
        store.register_sinks(sinks)?;
        Ok(store)
    });
    match opened {
        Ok(store) => resources.store = Some(store),
        Err(failure) => context.unrecorded = Some(failure),
    }
    resources.context = Some(context);
}

/// Records a run with a broken configuration too, if there are records of earlier runs. It creates no file, and
/// `--check-config` writes nothing.
fn use_existing_records(common: &Common, run: &Run, context: Context, resources: &mut Resources) {
    if !context.had_records || common.check_config {
        return;
    }
    let store = Store::open(&context.state.database()).and_then(|mut store| {
        store.start_run(run)?;
        Ok(store)
    });
    if let Ok(store) = store {
        *resources = Resources { store: Some(store), context: Some(context) };
    }
}

fn test_alert<J: Job>(context: &Context) -> Report<J::Body> {
    let (settings, state) = (&context.config.alert, &context.state);
    let dispatcher = Dispatcher { settings, state, environment: &context.environment };
    let (lines, failures) = match briefly(dispatcher.test(J::NAME)) {
        Ok(tested) => tested,
        Err(failure) => (Vec::new(), vec![failure]),
    };
    let output = lines.iter().map(|line| format!("{line}\n")).collect();
    Report { failures, ..Report::from_output(output) }
}
