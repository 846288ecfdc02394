//! Which steps are drawn, and how often.

use proptest::collection::vec;
use proptest::option::weighted;
use proptest::prelude::{BoxedStrategy, Just, Strategy, any, prop_oneof};
use proptest_state_machine::ReferenceStateMachine;

use super::step::{Draft, Kind, Mood, Step, Writer};

/// Draws histories.
#[derive(Debug)]
pub(super) struct Histories;

impl ReferenceStateMachine for Histories {
    /// Appends that were drawn by then, so that histories begin with some.
    type State = u32;
    type Transition = Step;

    fn init_state() -> BoxedStrategy<Self::State> {
        Just(0).boxed()
    }

    fn transitions(appends: &Self::State) -> BoxedStrategy<Self::Transition> {
        if *appends < 1 { append().boxed() } else { step() }
    }

    fn apply(appends: Self::State, step: &Self::Transition) -> Self::State {
        appends + u32::from(matches!(step, Step::Append(_)))
    }
}

fn step() -> BoxedStrategy<Step> {
    let window = (any::<u8>(), place(), 0..200_u16)
        .prop_map(|(memory, conversation, budget)| Step::Window { memory, conversation, budget });
    let settle = (any::<u8>(), place())
        .prop_map(|(memory, conversation)| Step::Settle { memory, conversation });
    let drop_newest = (place(), 0..5_u8)
        .prop_map(|(conversation, count)| Step::DropNewest { conversation, count });
    let shutdown = (any::<u8>(), any::<bool>())
        .prop_map(|(memory, patient)| Step::Shutdown { memory, patient });
    prop_oneof![
        12 => append(),
        5 => window,
        3 => any::<u8>().prop_map(|memory| Step::Sweep { memory }),
        3 => settle,
        3 => any::<u8>().prop_map(|memory| Step::SettleAll { memory }),
        3 => drop_newest,
        1 => place().prop_map(|conversation| Step::Clear { conversation }),
        3 => Just(Step::Hang),
        2 => Just(Step::GoOn),
        3 => (1..40_u8).prop_map(|seconds| Step::Advance { seconds }),
        3 => shutdown,
        1 => any::<u8>().prop_map(|memory| Step::Abandon { memory }),
        2 => Just(Step::Restart),
    ]
    .boxed()
}

fn append() -> impl Strategy<Value = Step> {
    vec(writer(), 1..4).prop_map(Step::Append)
}

fn writer() -> impl Strategy<Value = Writer> {
    let batches = vec(vec(draft(), 1..4), 1..4);
    (any::<u8>(), place(), batches).prop_map(|(memory, conversation, batches)| Writer {
        memory,
        conversation,
        batches,
    })
}

/// The first conversation most, so that several writers meet in it.
fn place() -> impl Strategy<Value = u8> {
    prop_oneof![3 => Just(0_u8), 1 => 1..3_u8]
}

fn draft() -> impl Strategy<Value = Draft> {
    let kind = prop_oneof![
        1 => Just(Kind::System),
        4 => Just(Kind::User),
        3 => Just(Kind::Assistant),
        2 => Just(Kind::Call),
        3 => Just(Kind::Result),
    ];
    let mood = prop_oneof![
        12 => Just(Mood::Counts),
        1 => Just(Mood::Fails),
        1 => Just(Mood::Panics),
        2 => Just(Mood::Hangs),
    ];
    (kind, mood, 0..30_u8, weighted(0.25, 0..5_u8)).prop_map(|(kind, mood, words, id)| Draft {
        kind,
        mood,
        words,
        id,
    })
}
