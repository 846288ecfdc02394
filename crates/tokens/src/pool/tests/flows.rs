//! The order of turns by itself.

use std::collections::HashMap;

use crate::pool::flights::FlightId;
use crate::pool::flows::{Flow, Flows, Offer, QUANTUM};

const QUARTER: usize = QUANTUM as usize / 4;

fn flow(conversation: u64) -> Flow {
    Flow { conversation: Some(conversation), is_long: false }
}

/// Takes everything; what is no entry of `bytes` stands for nothing.
fn drained(flows: &mut Flows, bytes: &HashMap<FlightId, usize>) -> Vec<FlightId> {
    let offer = |id| bytes.get(&id).map(|bytes| Offer { bytes: *bytes, is_last: true });
    std::iter::from_fn(|| flows.next(offer).map(|(_, id)| id)).collect()
}

#[test]
fn lines_take_turns_of_a_quantum() {
    let mut flows = Flows::default();
    for id in 0..10 {
        flows.push_back(flow(1), id);
    }
    flows.push_back(flow(2), 20);
    flows.push_back(flow(3), 30);
    let bytes = (0..=30).map(|id| (id, QUARTER)).collect();
    assert_eq!(drained(&mut flows, &bytes), [0, 1, 2, 3, 20, 30, 4, 5, 6, 7, 8, 9]);
    assert_eq!(flows.entries(), 0);
}

#[test]
fn what_a_line_takes_above_its_turn_it_owes() {
    let mut flows = Flows::default();
    for id in 0..3 {
        flows.push_back(flow(1), id);
    }
    for id in 20..40 {
        flows.push_back(flow(2), id);
    }
    // The first takes three turns' worth at once.
    let bytes = (0..40).map(|id| (id, if id == 0 { 12 * QUARTER } else { 4 * QUARTER })).collect();
    let order = drained(&mut flows, &bytes);
    let place = |id| order.iter().position(|taken| *taken == id).unwrap();
    assert_eq!((place(0), place(20)), (0, 1));
    assert_eq!(place(1), 4, "{order:?}");
    assert_eq!(place(2), 6, "{order:?}");
}

#[test]
fn who_is_alone_owes_nothing() {
    let mut flows = Flows::default();
    let bytes = HashMap::from([(0, usize::MAX), (1, 1), (2, 1)]);
    flows.push_back(flow(1), 0);
    flows.push_back(flow(1), 1);
    let offer = |id| bytes.get(&id).map(|bytes| Offer { bytes: *bytes, is_last: true });
    assert_eq!(flows.next(offer), Some((flow(1), 0)));
    assert!(!flows.is_turn_of(flow(1)));
    assert_eq!(flows.next(offer), Some((flow(1), 1)));
    assert_eq!(flows.next(offer), None);
}

#[test]
fn what_stands_for_nothing_is_passed_over_and_forgotten() {
    let mut flows = Flows::default();
    for id in 0..100 {
        flows.push_back(flow(id % 3), id);
    }
    let bytes: HashMap<_, _> = (90..100).map(|id| (id, 1)).collect();
    assert_eq!(flows.entries(), 100);
    flows.retain(|id| bytes.contains_key(&id));
    assert_eq!(flows.entries(), 10);
    let some = HashMap::from([(95, 1), (98, 1)]);
    let mut order = drained(&mut flows, &some);
    order.sort_unstable();
    assert_eq!((order, flows.entries()), (vec![95, 98], 0));
}

#[test]
fn an_entry_of_several_parts_keeps_its_place() {
    let mut flows = Flows::default();
    flows.push_back(flow(1), 0);
    flows.push_back(flow(1), 1);
    flows.push_back(flow(2), 2);
    let part = |id| Some(Offer { bytes: 4 * QUARTER, is_last: id != 0 });
    let taken: Vec<_> = (0..4).map(|_| flows.next(part).unwrap().1).collect();
    assert_eq!(taken, [0, 2, 0, 0]);
    flows.push_front(flow(1), 3);
    flows.push_back(flow(2), 4);
    let taken: Vec<_> = (0..4).map(|_| flows.next(part).unwrap().1).collect();
    assert_eq!(taken, [4, 3, 0, 0]);
}
