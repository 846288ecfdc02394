//! Every operation, dropped at every point.

use memory_instance::CountPolicy;
use memory_testkit::gate::{Answer, Place};

use super::operation::Operation;
use super::scene::{At, Scene};

/// More points than any operation waits at.
const MANY: usize = 200;

/// Drops the operation at its first, second, … point of waiting, until it comes to its end.
///
/// Returns at how many points it waited.
async fn every_drop(operation: Operation, at: At, answer: Answer) -> usize {
    for polls in 0..MANY {
        let case = format!("{operation:?}, {at:?} {answer:?}, dropped after {polls} polls");
        let scene = Scene::new(operation.policy(), at, &case).await;
        scene.set(answer);
        let ended = operation.run(&scene, polls).await;
        scene.set(Answer::Ready);
        let is_over = ended.is_over();
        scene.check(operation, ended, at, answer).await;
        if is_over {
            return polls - 1;
        }
    }
    panic!("{operation:?} never ends: {at:?} {answer:?}");
}

async fn table(operation: Operation) {
    for place in [Place::Before, Place::After] {
        for at in [At::Store(place), At::Counter(place)] {
            for answer in [Answer::Ready, Answer::Error, Answer::Slow, Answer::Never] {
                let waited = every_drop(operation, at, answer).await;
                let held = matches!(answer, Answer::Slow | Answer::Never);
                if held && operation.comes_to(at) {
                    assert!(waited > 0, "{operation:?} never waited: {at:?} {answer:?}");
                }
            }
        }
    }
}

macro_rules! tables {
    ($($name:ident: $operation:expr;)+) => {$(
        #[tokio::test(start_paused = true)]
        async fn $name() {
            table($operation).await;
        }
    )+};
}

tables! {
    promise_6_append_dropped_anywhere: Operation::Append(CountPolicy::Background);
    promise_6_append_inline_dropped_anywhere: Operation::Append(CountPolicy::Inline);
    promise_6_append_many_dropped_anywhere: Operation::AppendMany(CountPolicy::Background);
    promise_6_append_many_inline_dropped_anywhere: Operation::AppendMany(CountPolicy::Inline);
    promise_6_window_dropped_anywhere: Operation::Window;
    promise_6_settle_dropped_anywhere: Operation::Settle;
    promise_6_sweep_dropped_anywhere: Operation::Sweep;
    promise_6_swap_dropped_anywhere: Operation::Swap;
    promise_6_shutdown_dropped_anywhere: Operation::Shutdown;
}
