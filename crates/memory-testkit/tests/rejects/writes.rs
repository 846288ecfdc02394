//! Writes with a fault.

use memory_core::{
    Append, Appended, ConversationKey, MemoryStore, MemoryStoreExt, MessageId, NewMessage, Seq,
    Settle, Settled, StoreError, Tally, Trim, Trimmed, WindowQuery,
};
use memory_testkit::sample;

use crate::broken::{Broken, pause};
use crate::fault::Fault;

pub(crate) async fn append(
    store: &Broken,
    key: &ConversationKey,
    mut append: Append,
) -> Result<Appended, StoreError> {
    let model = &store.model;
    let before = model.totals(key).await?.current;
    match store.fault {
        Fault::AppendsRepeats => forget_ids(&mut append),
        Fault::IgnoresGraces => append.grace = std::time::Duration::ZERO,
        Fault::AcceptsConflicts => {
            let answer = model.append(key, append.clone()).await;
            if !matches!(answer, Err(StoreError::Conflict { .. })) {
                return answer;
            }
            forget_ids(&mut append);
        }
        Fault::WritesUpToAConflict | Fault::TearsBatches if !append.messages.is_empty() => {
            return one_by_one(store, key, append).await;
        }
        Fault::BeginsWithNothing if append.messages.is_empty() => {
            let one = sample::user("nothing", Tally::exact(0));
            model.append(key, Append { messages: vec![one], ..append.clone() }).await?;
            model.drop_newest(key, 1).await?;
        }
        Fault::SharesIds => {
            let ids = store.ids.lock().unwrap();
            let mut elsewhere = ids.iter().filter(|((other, _), _)| other != key);
            let mut known = |id: &MessageId| elsewhere.any(|(_, other)| other == id);
            let messages = append.messages.iter();
            if let Some(id) =
                messages.filter_map(|message| message.id.as_ref()).find(|id| known(id))
            {
                return Err(StoreError::Conflict { id: id.clone(), seq: Seq::FIRST });
            }
        }
        Fault::KeepsIdsOfDropped => {
            let dropped = store.dropped.lock().unwrap();
            let known = |message: &NewMessage| {
                message.id.clone().filter(|id| dropped.contains(&(key.clone(), id.clone())))
            };
            if let Some(id) = append.messages.iter().find_map(known) {
                return Err(StoreError::Conflict { id, seq: Seq::FIRST });
            }
        }
        _ => {}
    }
    let ids: Vec<_> = append.messages.iter().map(|message| message.id.clone()).collect();
    let query = WindowQuery { counter: append.counter.clone(), budget: 0 };
    let next = model.read_window(key, query).await?.next_seq;
    if store.has(Fault::RacesForSeqs) {
        pause().await;
    }
    let proposed = append.new_epoch;
    let mut appended = model.append(key, append).await?;
    match (store.fault, before) {
        (Fault::RacesForSeqs, _) => {
            for (place, message) in appended.messages.iter_mut().enumerate() {
                message.seq = next.plus(place as u64);
            }
        }
        (Fault::HandsASeqOutTwice, _) => {
            for message in &mut appended.messages {
                message.seq = message.seq.previous().unwrap_or(message.seq);
            }
        }
        (Fault::TakesEachEpoch, _) => appended.epoch = proposed,
        (Fault::KeepsTheCounter, Some(before)) => model.set_counter(key, &before).await?,
        _ => {}
    }
    for (message, id) in appended.messages.iter().zip(ids) {
        if let Some(id) = id.filter(|_| message.new) {
            store.ids.lock().unwrap().insert((key.clone(), message.seq), id);
        }
    }
    Ok(appended)
}

fn forget_ids(append: &mut Append) {
    for message in &mut append.messages {
        message.id = None;
    }
}

async fn one_by_one(
    store: &Broken,
    key: &ConversationKey,
    append: Append,
) -> Result<Appended, StoreError> {
    let mut whole: Option<Appended> = None;
    for message in &append.messages {
        let one = Append { messages: vec![message.clone()], ..append.clone() };
        let answer = store.model.append(key, one).await?;
        if store.has(Fault::TearsBatches) {
            pause().await;
        }
        let whole = whole.get_or_insert(Appended { messages: Vec::new(), ..answer.clone() });
        whole.messages.extend(answer.messages);
        whole.totals = answer.totals;
    }
    Ok(whole.expect("the batch is not empty"))
}

pub(crate) async fn settle(
    store: &Broken,
    key: &ConversationKey,
    mut settle: Settle,
) -> Result<Settled, StoreError> {
    let model = &store.model;
    let (epoch, stored) = model.read_all(key, &settle.counter).await?;
    if store.has(Fault::IgnoresEpochs) {
        settle.epoch = epoch.unwrap_or(settle.epoch);
    }
    for settlement in &mut settle.settlements {
        let Some(kept) = stored.iter().find(|kept| kept.seq == settlement.seq) else { continue };
        match store.fault {
            Fault::IgnoresFingerprints => settlement.fingerprint = kept.fingerprint,
            Fault::IgnoresExpectations => settlement.expected = kept.tally,
            _ => {}
        }
    }
    if store.has(Fault::StepsBackToFallbacks) {
        // In two steps, neither of which the model refuses.
        let mut first = settle.clone();
        first.settlements.retain(memory_core::Settlement::steps_back);
        for settlement in &mut first.settlements {
            settlement.tally = Tally::estimated(settlement.tally.tokens);
        }
        model.settle(key, first.clone()).await?;
        for settlement in &mut settle.settlements {
            if settlement.steps_back() {
                settlement.expected = Some(Tally::estimated(settlement.tally.tokens));
            }
        }
    }
    if matches!(store.fault, Fault::IgnoresExpectations | Fault::TearsSettles) {
        return settle_one_by_one(store, key, settle).await;
    }
    model.settle(key, settle).await
}

async fn settle_one_by_one(
    store: &Broken,
    key: &ConversationKey,
    settle: Settle,
) -> Result<Settled, StoreError> {
    let whole = Settle { settlements: Vec::new(), ..settle.clone() };
    let mut answer = store.model.settle(key, whole).await?;
    for mut settlement in settle.settlements {
        if store.has(Fault::IgnoresExpectations) {
            let (_, stored) = store.model.read_all(key, &settle.counter).await?;
            let kept = stored.iter().find(|kept| kept.seq == settlement.seq);
            settlement.expected = kept.map_or(settlement.expected, |kept| kept.tally);
        }
        let (counter, epoch) = (settle.counter.clone(), settle.epoch);
        let one = Settle { counter, epoch, settlements: vec![settlement] };
        let settled = store.model.settle(key, one).await?;
        answer.applied += settled.applied;
        answer.skipped += settled.skipped;
        answer.totals = settled.totals;
        pause().await;
    }
    Ok(answer)
}

pub(crate) async fn trim(
    store: &Broken,
    key: &ConversationKey,
    mut trim: Trim,
) -> Result<Trimmed, StoreError> {
    let model = &store.model;
    let ledger = model.totals(key).await?;
    match store.fault {
        Fault::TrimsEveryLife => trim.epoch = ledger.epoch.unwrap_or(trim.epoch),
        Fault::CutsGroupsByTrimming if ledger.epoch == Some(trim.epoch) => {
            store.hidden.lock().unwrap().insert(key.clone(), trim.before);
        }
        Fault::GivesTrimmedSeqsBack
            if ledger.epoch == Some(trim.epoch) && trim.before.get() > ledger.messages =>
        {
            let removed = model.drop_newest(key, u64::MAX).await?.removed;
            return Ok(Trimmed { removed, first: Seq::FIRST });
        }
        _ => {}
    }
    let trimmed = model.trim(key, trim).await?;
    if store.has(Fault::BuriesTheEmpty) && model.totals(key).await?.messages == 0 {
        model.clear(key).await?;
    }
    Ok(trimmed)
}
