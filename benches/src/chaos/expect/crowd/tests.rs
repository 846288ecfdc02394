//! What is checked is found where it is wrong.

use memory_core::{Fingerprint, Seq, StoredMessage, Tally, Totals};

use super::*;
use crate::chaos::content::Item;
use crate::chaos::record::Appended;

const SEED: u64 = 7;
const ONE: &str = "aaaaaaaaaaaaaaaa";
const OTHER: &str = "bbbbbbbbbbbbbbbb";
/// A conversation with everything.
const ALL: u16 = 1;

fn item(serial: u64) -> Item {
    Item { serial, with_id: serial.is_multiple_of(2), altered: false }
}

fn begun(writer: u16, action: Action) -> Record {
    Record::Begun { writer, operation: Operation { conversation: ALL, action } }
}

fn append(writer: u16, serials: &[u64]) -> Record {
    begun(writer, Action::Append(serials.iter().map(|serial| item(*serial)).collect()))
}

fn appended(writer: u16, epoch: &str, places: &[(u64, bool)]) -> Record {
    let (epoch, places) = (epoch.to_owned(), places.to_vec());
    let appended = Appended { epoch, places, messages: 1, tokens: 0, pending: 1 };
    Record::Done { writer, answer: Answer::Appended(appended) }
}

fn done(writer: u16, answer: Answer) -> Record {
    Record::Done { writer, answer }
}

fn unknown(writer: u16) -> Record {
    done(writer, Answer::Unknown { error: "cut".to_owned() })
}

/// A crowd that has said this, or what is wrong with it.
fn crowd(may_lose: bool, records: Vec<Record>) -> Outcome<Crowd> {
    let mut crowd = Crowd::new(SEED, Counting::Hash, may_lose);
    records.into_iter().try_for_each(|record| crowd.note(record))?;
    Ok(crowd)
}

/// What a store would hold with these messages from a seq on.
fn holding(epoch: &str, first: u64, serials: &[u64]) -> Observed {
    let contents = Contents::new(SEED, Counting::Hash);
    let stored = |(seq, serial): (u64, &u64)| {
        let content = contents.content(item(*serial)).unwrap();
        StoredMessage {
            seq: Seq::new(seq).unwrap(),
            fingerprint: Fingerprint::from_random(seq.into()),
            class: content.class,
            tally: Some(Tally::exact(content.tokens)),
            payload: content.payload,
        }
    };
    let messages = (first..).zip(serials).map(stored).collect();
    let epoch = Some(epoch.to_owned());
    Observed { conversation: ALL, epoch, messages, totals: Totals::EMPTY, first }
}

fn violation(result: Outcome<impl std::fmt::Debug>) -> String {
    match result.unwrap_err() {
        ChaosError::Violation { detail } => detail,
        other => panic!("{other:?}"),
    }
}

/// Two writers with three messages.
fn three() -> Vec<Record> {
    vec![
        append(1, &[1, 2]),
        append(2, &[3]),
        appended(2, ONE, &[(1, true)]),
        appended(1, ONE, &[(2, true), (3, true)]),
    ]
}

fn finish(may_lose: bool, records: Vec<Record>, found: Observed) -> Outcome<CrowdCounts> {
    let mut crowd = crowd(may_lose, records)?;
    crowd.finish(&[found])?;
    Ok(crowd.counts())
}

#[test]
fn what_was_acknowledged_is_there() {
    let counts = finish(false, three(), holding(ONE, 1, &[3, 1, 2])).unwrap();
    assert_eq!((counts.acknowledged, counts.messages, counts.lost), (2, 3, 0));
    for serials in [&[3, 1][..], &[1, 3, 2], &[3, 1, 2, 5], &[3, 1, 1], &[]] {
        violation(finish(false, three(), holding(ONE, 1, serials)));
    }
}

#[test]
fn what_is_lost_is_counted_and_nothing_else_may_be_wrong() {
    let lost = |found: Observed| finish(true, three(), found).map(|counts| counts.lost);
    assert_eq!(lost(holding(ONE, 1, &[3, 1, 2])).unwrap(), 0);
    assert_eq!(lost(holding(ONE, 1, &[3])).unwrap(), 2);
    assert_eq!(lost(Observed { epoch: None, ..holding(ONE, 1, &[]) }).unwrap(), 3);
    violation(lost(holding(ONE, 1, &[3, 2])));
    violation(lost(holding(ONE, 1, &[3, 1, 5])));
    violation(lost(holding(OTHER, 1, &[3, 1, 2])));
}

#[test]
fn a_seq_that_is_given_again_is_counted_only_where_losses_are() {
    let again = || {
        let mut records = three();
        records.extend([append(2, &[5]), appended(2, ONE, &[(3, true)])]);
        records
    };
    let counts = finish(true, again(), holding(ONE, 1, &[3, 1, 5])).unwrap();
    assert_eq!((counts.seqs_given_again, counts.lost), (1, 1));
    assert!(violation(crowd(false, again())).contains("given before"));
}

#[test]
fn an_unknown_outcome_may_be_there_once_and_a_refusal_may_not() {
    let with = |answer: Record| {
        let mut records = three();
        records.extend([append(2, &[5]), answer]);
        records
    };
    for serials in [&[3, 1, 2][..], &[3, 1, 2, 5]] {
        finish(true, with(unknown(2)), holding(ONE, 1, serials)).unwrap();
    }
    violation(finish(true, with(unknown(2)), holding(ONE, 1, &[3, 1, 2, 5, 5])));
    violation(crowd(false, with(unknown(2))));
    let failed = |retryable| done(2, Answer::Failed { error: "gone".to_owned(), retryable });
    finish(true, with(failed(true)), holding(ONE, 1, &[3, 1, 2])).unwrap();
    violation(finish(true, with(failed(true)), holding(ONE, 1, &[3, 1, 2, 5])));
    violation(crowd(true, with(failed(false))));
}

#[test]
fn what_trims_and_clears_remove_is_reckoned_with() {
    let trimmed = |removed| {
        let mut records = three();
        let trim = Action::Trim { epoch: ONE.to_owned(), before: 3 };
        records.extend([begun(1, trim), done(1, Answer::Trimmed { removed, first: 3 })]);
        records
    };
    finish(false, trimmed(2), holding(ONE, 3, &[2])).unwrap();
    violation(finish(false, trimmed(1), holding(ONE, 3, &[2])));
    let cleared = |epoch| {
        let mut records = three();
        records.extend([begun(1, Action::Clear), done(1, Answer::Cleared { removed: 3 })]);
        records.extend([append(1, &[5]), appended(1, epoch, &[(1, true)])]);
        records
    };
    finish(false, cleared(OTHER), holding(OTHER, 1, &[5])).unwrap();
    assert!(violation(crowd(false, cleared(ONE))).contains("ended by a clear"));
    let mut without_clear = three();
    without_clear.extend([append(1, &[5]), appended(1, OTHER, &[(1, true)])]);
    violation(finish(false, without_clear, holding(OTHER, 1, &[5])));
}

#[test]
fn an_id_stands_for_one_message() {
    let repeated = |place| {
        let mut records = three();
        records.extend([append(2, &[2]), appended(2, ONE, &[place])]);
        records
    };
    finish(false, repeated((3, false)), holding(ONE, 1, &[3, 1, 2])).unwrap();
    violation(finish(false, repeated((2, false)), holding(ONE, 1, &[3, 1, 2])));
    violation(finish(false, repeated((4, true)), holding(ONE, 1, &[3, 1, 2, 2])));
    let mut without_id = three();
    without_id.extend([append(2, &[3]), appended(2, ONE, &[(1, false)])]);
    violation(crowd(false, without_id));
}

#[test]
fn a_message_is_known_and_never_new_only_where_a_trim_may_be_lost() {
    let known = |trims: bool| {
        let mut records = three();
        if trims {
            let trim = Action::Trim { epoch: ONE.to_owned(), before: 1 };
            records.extend([begun(1, trim), unknown(1)]);
        }
        records.extend([append(2, &[4]), appended(2, ONE, &[(4, false)])]);
        records
    };
    finish(true, known(true), holding(ONE, 1, &[3, 1, 2, 4])).unwrap();
    violation(finish(true, known(false), holding(ONE, 1, &[3, 1, 2, 4])));
    violation(finish(false, known(false), holding(ONE, 1, &[3, 1, 2, 4])));
}

#[test]
fn a_writers_messages_keep_their_order() {
    let mut records = three();
    records.extend([append(1, &[5]), appended(1, ONE, &[(4, true)])]);
    crowd(false, records).unwrap();
    let records = vec![
        append(1, &[1]),
        appended(1, ONE, &[(2, true)]),
        append(1, &[3]),
        appended(1, ONE, &[(1, true)]),
    ];
    assert!(violation(crowd(false, records)).contains("behind"));
    let halves = vec![append(1, &[1, 3]), appended(1, ONE, &[(1, true), (3, true)])];
    violation(crowd(false, halves));
}
