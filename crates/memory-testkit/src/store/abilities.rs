//! What a store says that it can do.

use memory_core::{
    Archive, FinalReason, PutHead, Repair, Seq, StableStart, StoreError, Tally, Timestamp, Trim,
};

use super::scene::{Scene, settlement};
use super::subject::Subject;
use crate::sample::{self, user};
use crate::verdict::{Verdict, Violation, ensure, ensure_eq};

/// What the capabilities leave out is the typed error, and changes nothing.
pub async fn what_a_store_cannot_do_is_unsupported(subject: &Subject) -> Verdict {
    let scene = Scene::new(subject);
    let epoch = scene.append([user("a", Tally::exact(1)), user("b", Tally::exact(1))]).await?.epoch;
    let (store, key) = (&scene.store, &scene.key);
    let can = store.capabilities();
    let before = scene.messages().await?;
    let refuses = |can: bool, operation: &str, error: Option<StoreError>| match error {
        None if !can => Err(Violation::new(format!("{operation} works, the capabilities deny it"))),
        Some(StoreError::Unsupported { backend, .. }) if !can => {
            ensure_eq!(backend, store.capabilities().backend, "the backend in the error");
            Ok(())
        }
        Some(StoreError::Unsupported { .. }) => {
            Err(Violation::new(format!("{operation} does not work, the capabilities promise it")))
        }
        Some(error) if !can => Err(error.into()),
        _ => Ok(()),
    };
    // What can be done is checked elsewhere; here it would change what the next line sees.
    if !can.trim {
        let trim = Trim { epoch, before: Seq::FIRST.plus(1) };
        refuses(can.trim, "trim", store.trim(key, trim).await.err())?;
    }
    if !can.archive {
        let archive = Archive { epoch, before: Seq::FIRST.plus(1) };
        refuses(can.archive, "archive", store.archive(key, archive).await.err())?;
    }
    if !can.put_head {
        let head = PutHead { epoch, pins: vec![Seq::FIRST], summary: None };
        refuses(can.put_head, "put_head", store.put_head(key, head).await.err())?;
    }
    if !can.stable_start {
        let start = StableStart { epoch, expected: None, start: Seq::FIRST };
        refuses(can.stable_start, "stable_start", store.stable_start(key, start).await.err())?;
    }
    if !can.recount {
        let recounted = store.recount(&key.namespace, &scene.counter).await;
        refuses(can.recount, "recount", recounted.err())?;
    }
    let never = Some(Timestamp::from_millis(u64::MAX / 4));
    refuses(can.expire, "expire", store.expire(key, never).await.err())?;
    refuses(can.repair, "repair", store.repair(key, Repair::Check).await.err())?;
    ensure!(scene.messages().await? == before, "an operation that cannot be done did something");
    Ok(())
}

/// After ordinary use a repair finds nothing to mend.
pub async fn a_sound_store_needs_no_repair(subject: &Subject) -> Verdict {
    if !subject.store.capabilities().repair {
        return Ok(());
    }
    let scene = Scene::new(subject);
    let second = scene.under(&sample::counter("letters"));
    let check = async |when: &str| {
        let report = scene.store.repair(&scene.key, Repair::Check).await?;
        ensure_eq!(report.differences, [], "differences {when}");
        Verdict::Ok(())
    };
    check("of nothing").await?;
    let epoch = scene.append((0..6).map(|_| user("a", Tally::estimated(5)))).await?.epoch;
    check("after an append").await?;
    let stored = scene.messages().await?;
    scene.settle(epoch, [settlement(&stored[2], Tally::exact(1))]).await?;
    let fallback = Tally::final_because(3, FinalReason::Fallback);
    scene.settle(epoch, [settlement(&stored[3], fallback)]).await?;
    check("after a fallback's count").await?;
    let unset = second.messages().await?;
    second.settle(epoch, [settlement(&unset[4], Tally::exact(1))]).await?;
    check("after settles under two counters").await?;
    if subject.store.capabilities().trim {
        scene.trim(epoch, 3).await?;
        check("after a trim").await?;
    }
    scene.store.drop_newest(&scene.key, 1).await?;
    check("after dropping the newest").await?;
    let before = scene.messages().await?;
    let mended = scene.store.repair(&scene.key, Repair::Mend).await?;
    ensure_eq!(mended.differences, [], "differences while mending");
    ensure!(scene.messages().await? == before, "mending a sound conversation changed it");
    scene.check_ledger("after a repair").await
}

/// A probe answers with the backend's name and a format version.
pub async fn a_probe_names_the_backend(subject: &Subject) -> Verdict {
    let probe = subject.store.probe().await?;
    ensure_eq!(probe.backend, subject.store.capabilities().backend, "the backend");
    ensure!(!probe.format.is_empty(), "the format has no version");
    Ok(())
}
