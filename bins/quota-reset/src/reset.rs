//! One run, quota by quota: reclaim, close, seal, release, export, report to the dashboard. If one fails, the others continue.

use log::info;
use shared::quota::Moment;
use shared::run::{Context, Report};
use shared::sessions::{self, dashboard::Dashboard};
use shared::store::Store;
use shared::{Failure, Result};

use crate::{Args, Body, archive};

/// Does it.
pub async fn run(context: &Context, args: Args) -> Report<Body> {
    let mut body = Body::default();
    let mut failures = Vec::new();
    let mut output = String::new();
    match Store::open(&context.state.database()) {
        Ok(mut store) => {
            if let Err(failure) = begin(context, args, &mut store, &mut body).await {
                failures.push(failure);
            } else if !args.status {
                failures.extend(reset(context, &mut store, &mut body).await);
            }
            failures.extend(stand(context, &mut store, &mut body).err());
        }
        Err(failure) => failures.push(failure),
    }
    let summary = if args.status { Vec::new() } else { body.lines() };
    if args.status {
        output = body.notes.iter().chain(&body.standing()).map(|line| format!("{line}\n")).collect();
    }
    Report { failures, body, output, summary }
}

/// Settles the day; the user's day, if one is given.
async fn begin(context: &Context, args: Args, store: &mut Store, body: &mut Body) -> Result<()> {
    if let Some(day) = args.repair_day {
        let person = context.environment.seat.user.as_deref();
        let from = store.repair_day(day, &Moment::read()?, &context.run, person)?;
        body.changed |= from != day;
        body.notes.push(format!("the ledger's day is {day}; it was {from}"));
        for name in context.config.quotas.keys() {
            archive::rewrite_from(context, store, name, day)?;
        }
    }
    let turn = sessions::settle(context, store).await?;
    body.notes.extend(sessions::warning(&turn));
    Ok(())
}

async fn reset(context: &Context, store: &mut Store, body: &mut Body) -> Vec<Failure> {
    let mut failures = Vec::new();
    failures.extend(reclaim(store, body).err());
    for name in context.config.quotas.keys() {
        let done = roll_over(context, store, name, body);
        failures.extend(done.err().map(|failure| failure.within(format_args!("quota {name:?}"))));
    }
    match deliver(context, store).await {
        Ok(delivered) => body.delivered = delivered,
        Err(failure) => failures.push(failure),
    }
    body.changed |= body.delivered > 0;
    failures
}

fn reclaim(store: &mut Store, body: &mut Body) -> Result<()> {
    body.taken_back = sessions::reclaim(store, &Moment::read()?)?;
    body.changed |= !body.taken_back.is_empty();
    Ok(())
}

fn roll_over(context: &Context, store: &mut Store, name: &str, body: &mut Body) -> Result<()> {
    let moment = Moment::read()?;
    let days = store.close_days(name, &moment, &context.run)?;
    let released = store.release(name, &moment, &context.run)?;
    body.changed |= !days.is_empty() || !released.is_empty();
    body.days.extend(days);
    body.released.extend(released);
    body.changed |= archive::export(context, store, name)?;
    Ok(())
}

async fn deliver(context: &Context, store: &mut Store) -> Result<usize> {
    match Dashboard::from_config(context)? {
        Some(dashboard) => dashboard.deliver(store).await,
        None => Ok(0),
    }
}

fn stand(context: &Context, store: &mut Store, body: &mut Body) -> Result<()> {
    for name in context.config.quotas.keys() {
        match store.quota_status(name)? {
            Some(standing) => body.quotas.push(standing),
            None => info!("the ledger does not know quota {name:?} yet"),
        }
    }
    Ok(())
}
