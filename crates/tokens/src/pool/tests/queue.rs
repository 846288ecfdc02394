//! The intake by itself.

use std::collections::VecDeque;

use crate::pool::intake::Intake;

fn taken(intake: &Intake<u32>) -> Vec<u32> {
    let mut to = VecDeque::new();
    intake.take_all(&mut to);
    to.into()
}

#[test]
fn jobs_come_out_in_order_and_none_goes_in_after_the_end() {
    let intake = Intake::with_capacity(1);
    assert_eq!(intake.push(1), Ok(()));
    assert_eq!(intake.push(2), Ok(()));
    assert!(!intake.close_if_empty());
    assert_eq!(taken(&intake), [1, 2]);
    assert_eq!(intake.push(3), Ok(()), "it was not empty");
    assert_eq!(intake.close(), [3]);
    assert_eq!(intake.push(4), Err(4));
    assert!(intake.close_if_empty());
}

#[test]
fn it_closes_when_it_is_empty() {
    let intake = Intake::with_capacity(0);
    assert!(intake.close_if_empty());
    assert_eq!(intake.push(1), Err(1));
}

#[test]
fn whoever_was_called_does_not_wait() {
    let intake = Intake::with_capacity(1);
    let calls = intake.take_all(&mut VecDeque::new());
    intake.call();
    intake.wait(calls);
    let calls = intake.take_all(&mut VecDeque::new());
    intake.push(1).unwrap();
    intake.wait(calls);
    intake.push(2).unwrap();
    assert_eq!(taken(&intake), [1, 2], "two jobs are a call for the others");
    intake.wait(calls);
}
