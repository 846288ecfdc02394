//! What is checked is found where it is wrong.

use memory_core::{Fingerprint, Seq, StoredMessage, Tally, Totals};

use super::*;
use crate::chaos::error::ChaosError;

const EPOCH: &str = "aaaaaaaaaaaaaaaa";
const SEED: u64 = 7;

fn item(serial: u64) -> Item {
    Item { serial, with_id: serial.is_multiple_of(2), altered: false }
}

fn begun(writer: u16, conversation: u16, action: Action) -> Record {
    Record::Begun { writer, operation: Operation { conversation, action } }
}

/// The acknowledgement of an append to a conversation with one writer, before anything is counted.
fn appended(writer: u16, places: &[u64]) -> Record {
    let messages = *places.last().unwrap();
    let places = places.iter().map(|seq| (*seq, true)).collect();
    let epoch = EPOCH.to_owned();
    let answer = Answer::Appended(Appended { epoch, places, messages, tokens: 0, pending: 1 });
    Record::Done { writer, answer }
}

fn expected() -> Expected {
    Expected::new(SEED, Counting::Hash, Faults::None, &[0, 1, SHARED])
}

/// Three acknowledged messages, and one that is under way.
fn three_and_one(conversation: u16) -> Expected {
    let mut expected = expected();
    let (first, second) = (conversation.min(3), conversation.min(3) + 1);
    expected.note(begun(first, conversation, Action::Append(vec![item(1), item(2)]))).unwrap();
    expected.note(appended(first, &[1, 2])).unwrap();
    expected.note(begun(first, conversation, Action::Append(vec![item(3)]))).unwrap();
    expected.note(appended(first, &[3])).unwrap();
    let writer = if conversation == SHARED { second } else { first };
    expected.note(begun(writer, conversation, Action::Append(vec![item(4), item(6)]))).unwrap();
    expected
}

/// What a store would hold with these messages, all counted.
fn holding(conversation: u16, serials: &[u64]) -> Observed {
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
    let messages: Vec<_> = (1..).zip(serials).map(stored).collect();
    let tokens = messages.iter().map(|message| message.tally.unwrap().tokens).sum();
    let totals = Totals { messages: messages.len() as u64, tokens, ..Totals::EMPTY };
    let epoch = (!serials.is_empty()).then(|| EPOCH.to_owned());
    Observed { conversation, epoch, messages, totals, first: 1 }
}

fn violation(result: Outcome<impl std::fmt::Debug>) -> String {
    match result.unwrap_err() {
        ChaosError::Violation { detail } => detail,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_was_acknowledged_and_what_was_under_way_may_be_there() {
    for conversation in [0, SHARED] {
        for (serials, happened) in [(&[1, 2, 3][..], 0), (&[1, 2, 3, 4, 6], 1)] {
            let mut expected = three_and_one(conversation);
            let retries =
                expected.resolve(&[holding(conversation, serials)], Lost::Nothing).unwrap();
            assert_eq!(retries.len(), 1, "both messages under way have ids");
            assert_eq!(expected.counts().happened, happened);
            // What was found once is due from then on.
            expected.resolve(&[holding(conversation, serials)], Lost::Nothing).unwrap();
            let fewer = holding(conversation, &serials[..serials.len() - 1]);
            assert!(violation(expected.resolve(&[fewer], Lost::Nothing)).contains("is lost"));
        }
    }
}

#[test]
fn a_lost_acknowledgement_is_found() {
    for conversation in [0, SHARED] {
        for serials in [&[1, 2][..], &[1], &[]] {
            let found = holding(conversation, serials);
            let detail = violation(three_and_one(conversation).resolve(&[found], Lost::Nothing));
            assert!(detail.contains("is due and is lost"), "{detail}");
        }
    }
}

#[test]
fn a_message_in_the_wrong_place_is_found() {
    let swapped: &[u64] = &[2, 1, 3];
    let halved: &[u64] = &[1, 2, 3, 4];
    let turned: &[u64] = &[1, 2, 3, 6, 4];
    let twice: &[u64] = &[1, 2, 3, 4, 6, 4, 6];
    let of_nobody: &[u64] = &[1, 2, 3, 5];
    for conversation in [0, SHARED] {
        for serials in [swapped, halved, turned, twice, of_nobody] {
            let found = holding(conversation, serials);
            let result = three_and_one(conversation).resolve(&[found], Lost::Nothing);
            assert!(result.is_err(), "{serials:?} in conversation {conversation}");
        }
    }
}

#[test]
fn another_life_is_found() {
    let found = Observed { epoch: Some("b".repeat(16)), ..holding(1, &[1, 2, 3]) };
    assert!(violation(three_and_one(1).resolve(&[found], Lost::Nothing)).contains("epoch"));
}

#[test]
fn a_life_without_messages_ends_only_where_it_is_cleared() {
    let check = |under_way: Action| {
        let mut expected = expected();
        expected.note(begun(0, 0, Action::Append(vec![item(1)]))).unwrap();
        expected.note(appended(0, &[1])).unwrap();
        expected.note(begun(0, 0, Action::DropNewest(1))).unwrap();
        let answer = Answer::Dropped { removed: 1, next: 1 };
        expected.note(Record::Done { writer: 0, answer }).unwrap();
        expected.note(begun(0, 0, under_way)).unwrap();
        expected.resolve(&[holding(0, &[])], Lost::Nothing)?;
        expected.note(begun(0, 0, Action::Append(vec![item(3)]))).unwrap();
        let epoch = "b".repeat(16);
        let places = vec![(1, true)];
        let appended = Appended { epoch, places, messages: 1, tokens: 0, pending: 1 };
        expected.note(Record::Done { writer: 0, answer: Answer::Appended(appended) })
    };
    check(Action::Clear).unwrap();
    assert!(violation(check(Action::DropNewest(1))).contains("epoch"));
}

#[test]
fn what_was_refused_must_not_be_there() {
    let mut expected = Expected::new(SEED, Counting::Hash, Faults::Any, &[0, 1, SHARED]);
    expected.note(begun(0, 0, Action::Append(vec![item(1)]))).unwrap();
    let error = "the disk is full".to_owned();
    expected
        .note(Record::Done { writer: 0, answer: Answer::Failed { error, retryable: false } })
        .unwrap();
    expected.resolve(&[holding(0, &[])], Lost::Nothing).unwrap();
    let detail = violation(expected.resolve(&[holding(0, &[1])], Lost::Nothing));
    assert!(detail.contains("holds what is not due"), "{detail}");
}

#[test]
fn a_wrong_answer_is_found() {
    let check = |action: Action, answer: Answer| {
        let mut expected = three_and_one(0);
        // What was under way did not happen.
        expected.resolve(&[holding(0, &[1, 2, 3])], Lost::Nothing).unwrap();
        expected.note(begun(0, 0, action)).unwrap();
        expected.note(Record::Done { writer: 0, answer })
    };
    let append = |serial, epoch: &str, place: (u64, bool), messages, tokens, pending| {
        let (epoch, places) = (epoch.to_owned(), vec![place]);
        let appended = Appended { epoch, places, messages, tokens, pending };
        check(Action::Append(vec![item(serial)]), Answer::Appended(appended))
    };
    let sum = holding(0, &[1, 2, 3, 5]).totals.tokens;
    append(5, EPOCH, (4, true), 4, sum, 0).unwrap();
    append(5, EPOCH, (4, true), 4, sum + 9, 1).unwrap();
    append(2, EPOCH, (2, false), 3, 0, 1).unwrap();
    violation(append(5, EPOCH, (4, true), 4, sum + 9, 0));
    violation(append(5, EPOCH, (4, true), 5, sum, 0));
    violation(append(5, EPOCH, (5, true), 4, sum, 0));
    violation(append(2, EPOCH, (4, true), 4, 0, 1));
    violation(append(5, "bbbbbbbbbbbbbbbb", (4, true), 4, sum, 0));
    check(Action::DropNewest(2), Answer::Dropped { removed: 2, next: 2 }).unwrap();
    violation(check(Action::DropNewest(2), Answer::Dropped { removed: 2, next: 4 }));
    check(Action::Clear, Answer::Cleared { removed: 3 }).unwrap();
    violation(check(Action::Clear, Answer::Cleared { removed: 2 }));
    violation(check(Action::Clear, Answer::Failed { error: String::new(), retryable: true }));
}

#[test]
fn two_writers_are_never_given_one_seq() {
    let mut expected = expected();
    for (writer, serial) in [(3, 1), (4, 3)] {
        expected.note(begun(writer, SHARED, Action::Append(vec![item(serial)]))).unwrap();
    }
    expected.note(appended(3, &[1])).unwrap();
    assert!(violation(expected.note(appended(4, &[1]))).contains("given twice"));
}

#[test]
fn what_contradicts_itself_is_found() {
    holding(0, &[1, 2, 3]).check().unwrap();
    let check = |change: fn(&mut Observed)| {
        let mut observed = holding(0, &[1, 2, 3]);
        change(&mut observed);
        violation(observed.check());
    };
    check(|observed| observed.totals.tokens += 1);
    check(|observed| observed.totals.messages -= 1);
    check(|observed| observed.totals.pending += 1);
    check(|observed| observed.messages[1].tally = None);
    check(|observed| observed.messages.swap(0, 1));
    check(|observed| {
        observed.messages.remove(1);
        observed.totals.messages = 2;
        observed.totals.tokens =
            observed.messages.iter().map(|message| message.tally.unwrap().tokens).sum();
    });
}

#[test]
fn an_estimate_after_the_sweep_is_found() {
    let expected = expected();
    let check = |tally: Option<Tally>| {
        let mut observed = holding(0, &[1, 2, 3]);
        observed.messages[2].tally = tally;
        super::super::settled::check(&observed, expected.contents())
    };
    let tokens = expected.contents().content(item(3)).unwrap().tokens;
    check(Some(Tally::exact(tokens))).unwrap();
    violation(check(Some(Tally::exact(tokens + 1))));
    violation(check(Some(Tally::estimated(tokens))));
    violation(check(None));
}

/// Three acknowledged operations, the second of which has an estimate.
fn three_appends(conversation: u16) -> Expected {
    let mut expected = expected();
    let writer = conversation.min(3);
    for (seq, serial) in [(1, 1), (2, 2), (3, 3)] {
        let append = Action::Append(vec![item(serial)]);
        expected.note(begun(writer, conversation, append)).unwrap();
        expected.note(appended(writer, &[seq])).unwrap();
    }
    expected
}

#[test]
fn the_newest_may_be_lost_where_a_server_loses() {
    for conversation in [0, SHARED] {
        for (serials, lost) in [(&[1, 2, 3][..], 0), (&[1, 2], 1), (&[1], 2), (&[], 3)] {
            let mut expected = three_appends(conversation);
            expected.resolve(&[holding(conversation, serials)], Lost::Newest).unwrap();
            assert_eq!(expected.counts().lost, lost);
            // What is left is due from then on.
            if let Some((_, fewer)) = serials.split_last() {
                let fewer = holding(conversation, fewer);
                violation(expected.resolve(&[fewer], Lost::Nothing));
            }
        }
        for serials in [&[2, 3][..], &[1, 3], &[1, 2, 3, 5]] {
            let found = holding(conversation, serials);
            violation(three_appends(conversation).resolve(&[found], Lost::Newest));
        }
    }
}

#[test]
fn a_clear_may_be_lost_while_an_append_is_under_way() {
    let cleared = || {
        let mut expected = three_appends(0);
        expected.note(begun(0, 0, Action::Clear)).unwrap();
        expected.note(Record::Done { writer: 0, answer: Answer::Cleared { removed: 3 } }).unwrap();
        expected.note(begun(0, 0, Action::Append(vec![item(4)]))).unwrap();
        expected
    };
    violation(cleared().resolve(&[holding(0, &[1, 2, 3])], Lost::Nothing));
    let mut expected = cleared();
    expected.resolve(&[holding(0, &[1, 2, 3])], Lost::Newest).unwrap();
    assert_eq!(expected.counts().lost, 1);
}

#[test]
fn what_was_there_at_the_last_look_is_not_lost_with_the_newest() {
    let mut expected = three_appends(0);
    expected.resolve(&[holding(0, &[1, 2, 3])], Lost::Nothing).unwrap();
    violation(expected.resolve(&[holding(0, &[1, 2])], Lost::Newest));
}

#[test]
fn a_seq_of_a_lost_message_is_counted_when_it_is_given_again() {
    let mut expected = three_appends(0);
    expected.resolve(&[holding(0, &[1, 2])], Lost::Newest).unwrap();
    expected.note(begun(0, 0, Action::Append(vec![item(5)]))).unwrap();
    expected.note(appended(0, &[3])).unwrap();
    assert_eq!(expected.counts().seqs_given_again, 1);
}

#[test]
fn a_life_that_was_lost_does_not_come_back() {
    for conversation in [0, SHARED] {
        let writer = conversation.min(3);
        let mut leaking = three_appends(conversation);
        violation(leaking.resolve(&[holding(conversation, &[1])], Lost::Everything));
        let mut expected = three_appends(conversation);
        expected.resolve(&[holding(conversation, &[])], Lost::Everything).unwrap();
        expected.note(begun(writer, conversation, Action::Append(vec![item(5)]))).unwrap();
        assert!(violation(expected.note(appended(writer, &[1]))).contains("life"));
    }
}

#[test]
fn only_what_may_fail_does() {
    let check = |faults: Faults, action: Action, answer: Answer| {
        let mut expected = expected();
        expected.let_fail(faults);
        expected.note(begun(0, 0, action)).unwrap();
        expected.note(Record::Done { writer: 0, answer })
    };
    let append = || Action::Append(vec![item(1)]);
    let failed = |error: &str, retryable| Answer::Failed { error: error.to_owned(), retryable };
    let unknown = || Answer::Unknown { error: "cut".to_owned() };
    check(Faults::Passing, append(), failed("gone", true)).unwrap();
    check(Faults::Passing, append(), unknown()).unwrap();
    violation(check(Faults::Passing, append(), failed("gone", false)));
    check(Faults::NoMemory, append(), failed("server: OOM", false)).unwrap();
    violation(check(Faults::NoMemory, append(), failed("gone", true)));
    violation(check(Faults::NoMemory, append(), failed("server: EXECABORT", false)));
    violation(check(Faults::NoMemory, Action::Clear, failed("server: OOM", false)));
    violation(check(Faults::NoMemory, append(), unknown()));
    violation(check(Faults::None, append(), failed("gone", true)));
    violation(check(Faults::None, append(), unknown()));
}

#[test]
fn what_nobody_has_appended_before_is_never_known() {
    for conversation in [0, SHARED] {
        let check = |faults: Faults, serial: u64, new: bool| {
            let mut expected = expected();
            expected.let_fail(faults);
            let append = Action::Append(vec![item(serial)]);
            expected.note(begun(0, conversation, append)).unwrap();
            let (epoch, places) = (EPOCH.to_owned(), vec![(1, new)]);
            let appended = Appended { epoch, places, messages: 1, tokens: 0, pending: 1 };
            expected.note(Record::Done { writer: 0, answer: Answer::Appended(appended) })
        };
        for (faults, serial) in [(Faults::Passing, 1), (Faults::Passing, 2), (Faults::None, 2)] {
            check(faults, serial, true).unwrap();
            violation(check(faults, serial, false));
        }
    }
}
