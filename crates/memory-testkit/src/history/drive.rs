//! Taking a history's steps, one after the other.

use memory_core::Backlog;

use super::runner::Reopen;
use super::step::Step;
use super::world::World;
use crate::verdict::Verdict;

/// Takes every step and compares each answer with the model's.
pub(super) async fn drive(
    mut reopen: impl Reopen,
    steps: &[Step],
    mut taken: impl FnMut(),
) -> Verdict {
    let mut world = World::new(reopen.subject());
    for step in steps {
        taken();
        if *step == Step::Reopen {
            // Nothing of ours keeps the store open while it is opened again.
            let closed = std::mem::replace(&mut world.subject, placeholder());
            drop(closed);
            reopen.reopen().await;
            world.subject = reopen.subject();
            world.unsure = world.model.leases(world.now());
            world.compare_all().await?;
        } else {
            take(&mut world, step).await?;
        }
    }
    world.compare_all().await
}

fn placeholder() -> crate::store::Subject {
    crate::store::Subject::new(std::sync::Arc::new(crate::model::ModelStore::default()))
}

async fn take(world: &mut World, step: &Step) -> Verdict {
    match step {
        Step::Append { conversation, counter, messages, grace } => {
            world.append(*conversation, *counter, messages, *grace).await
        }
        Step::Settle { conversation, counter, epoch, picks } => {
            world.settle(*conversation, *counter, *epoch, picks).await
        }
        Step::Trim { conversation, keep, wrong_epoch } => {
            world.trim(*conversation, *keep, *wrong_epoch).await
        }
        Step::DropNewest { conversation, count } => world.drop_newest(*conversation, *count).await,
        Step::Clear { conversation } => world.clear(*conversation).await,
        Step::Expire { conversation, seconds } => world.expire(*conversation, *seconds).await,
        Step::Advance { seconds } => {
            world.advance(*seconds);
            Ok(())
        }
        Step::SetCounter { conversation, counter } => {
            world.set_counter(*conversation, *counter).await
        }
        Step::Window { conversation, counter, budget } => {
            world.window(*conversation, *counter, (*budget).into()).await
        }
        Step::Page { conversation, counter, after, limit } => {
            world.page(*conversation, *counter, *after, (*limit).into()).await
        }
        Step::Recount { conversation, counter } => world.recount(*conversation, *counter).await,
        Step::Sweep { counter, fallbacks, lease, settle } => {
            world.sweep(*counter, backlog(*fallbacks), *lease, *settle).await
        }
        Step::Touch { conversation, counter, fallbacks, after, limit } => {
            let of = (*conversation, *counter);
            world.touch(of, backlog(*fallbacks), *after, (*limit).into()).await
        }
        Step::List { conversation, limit } => {
            let namespace = world.key(*conversation).namespace;
            world.compare_list(&namespace, (*limit).into()).await?;
            world.compare_pending(&namespace).await
        }
        Step::Reopen => Ok(()),
    }
}

fn backlog(fallbacks: bool) -> Backlog {
    if fallbacks { Backlog::Fallback } else { Backlog::Pending }
}
