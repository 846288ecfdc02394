//! Which steps are drawn, and how often.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest_state_machine::ReferenceStateMachine;

use super::step::{Draft, DraftTally, EpochOf, Kind, Pick, Stale, Step};

/// Draws histories.
#[derive(Debug)]
pub(super) struct Histories;

impl ReferenceStateMachine for Histories {
    /// Appends that were drawn by then. What is stored is the model's business; here it only
    /// keeps histories from beginning with reads of nothing.
    type State = u32;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self::State> {
        Just(0).boxed()
    }

    fn transitions(appends: &Self::State) -> BoxedStrategy<Self::Transition> {
        if *appends < 2 { append().boxed() } else { step() }
    }

    fn apply(appends: Self::State, step: &Self::Transition) -> Self::State {
        appends + u32::from(matches!(step, Step::Append { .. }))
    }
}

fn step() -> BoxedStrategy<Step> {
    // The first conversation is drawn most, so that histories of one grow long.
    let place = || prop_oneof![4 => Just(0_u8), 1 => 1..4_u8];
    let counter = || prop_oneof![3 => Just(0_u8), 1 => Just(1_u8)];
    let settle = (place(), counter(), epoch(), vec(pick(), 1..5)).prop_map(
        |(conversation, counter, epoch, picks)| Step::Settle {
            conversation,
            counter,
            epoch,
            picks,
        },
    );
    let trim = (place(), 0..12_u8, proptest::bool::weighted(0.1)).prop_map(
        |(conversation, keep, wrong_epoch)| Step::Trim { conversation, keep, wrong_epoch },
    );
    let drop_newest = (place(), 0..5_u8)
        .prop_map(|(conversation, count)| Step::DropNewest { conversation, count });
    let clear = place().prop_map(|conversation| Step::Clear { conversation });
    let expire = (place(), weighted(0.6, 0..6_u8))
        .prop_map(|(conversation, seconds)| Step::Expire { conversation, seconds });
    let advance = (1..4_u8).prop_map(|seconds| Step::Advance { seconds });
    let set_counter = (place(), counter())
        .prop_map(|(conversation, counter)| Step::SetCounter { conversation, counter });
    let window = (place(), counter(), 0..400_u16)
        .prop_map(|(conversation, counter, budget)| Step::Window { conversation, counter, budget });
    let page = (place(), counter(), 0..30_u8, 1..8_u8).prop_map(
        |(conversation, counter, after, limit)| Step::Page { conversation, counter, after, limit },
    );
    let recount = (place(), counter())
        .prop_map(|(conversation, counter)| Step::Recount { conversation, counter });
    let fallbacks = || proptest::bool::weighted(0.3);
    let sweep = (counter(), fallbacks(), 0..4_u8, proptest::bool::weighted(0.7)).prop_map(
        |(counter, fallbacks, lease, settle)| Step::Sweep { counter, fallbacks, lease, settle },
    );
    let touch = (place(), counter(), fallbacks(), 0..10_u8, 1..5_u8).prop_map(
        |(conversation, counter, fallbacks, after, limit)| Step::Touch {
            conversation,
            counter,
            fallbacks,
            after,
            limit,
        },
    );
    let list =
        (place(), 1..4_u8).prop_map(|(conversation, limit)| Step::List { conversation, limit });
    prop_oneof![
        20 => append(),
        12 => settle,
        5 => trim,
        5 => drop_newest,
        1 => clear,
        4 => expire,
        6 => advance,
        2 => set_counter,
        1 => recount,
        6 => window,
        4 => page,
        5 => sweep,
        3 => touch,
        2 => list,
        2 => Just(Step::Reopen),
    ]
    .boxed()
}

fn append() -> impl Strategy<Value = Step> {
    let counter = prop_oneof![4 => Just(0_u8), 1 => Just(1_u8)];
    let place = prop_oneof![4 => Just(0_u8), 1 => 1..4_u8];
    let grace = proptest::bool::weighted(0.2);
    (place, counter, vec(draft(), 1..6), grace).prop_map(
        |(conversation, counter, messages, grace)| Step::Append {
            conversation,
            counter,
            messages,
            grace,
        },
    )
}

fn draft() -> impl Strategy<Value = Draft> {
    let kind = prop_oneof![
        2 => Just(Kind::System),
        4 => Just(Kind::User),
        3 => Just(Kind::Assistant),
        3 => Just(Kind::Call),
        5 => Just(Kind::Result),
        1 => Just(Kind::Function),
    ];
    let tally = prop_oneof![
        4 => (0..60_u16).prop_map(DraftTally::Estimated),
        4 => (0..60_u16).prop_map(DraftTally::Exact),
        1 => (0..60_u16).prop_map(DraftTally::Media),
        2 => (0..60_u16).prop_map(DraftTally::Fallback),
    ];
    let length = prop_oneof![8 => 0..40_u16, 1 => 0..3000_u16];
    let id = weighted(0.3, (0..6_u8, proptest::bool::weighted(0.08)));
    (kind, tally, length, id).prop_map(|(kind, tally, length, id)| Draft {
        kind,
        tally,
        length,
        id,
    })
}

fn epoch() -> impl Strategy<Value = EpochOf> {
    prop_oneof![
        8 => Just(EpochOf::Message),
        3 => Just(EpochOf::Now),
        1 => Just(EpochOf::Nowhere),
    ]
}

fn pick() -> impl Strategy<Value = Pick> {
    let back = prop_oneof![4 => 0..6_u8, 1 => any::<u8>()];
    let stale = prop_oneof![
        6 => Just(Stale::No),
        5 => select(vec![
            Stale::Fingerprint,
            Stale::Expected,
            Stale::Missing,
            Stale::Written,
            Stale::Chained,
        ]),
    ];
    let fallback = proptest::bool::weighted(0.25);
    (back, 0..90_u16, fallback, stale).prop_map(|(back, tokens, fallback, stale)| Pick {
        back,
        tokens,
        fallback,
        stale,
    })
}
