//! Panics that are caught.

use crate::pool::guard::{Panicked, guarded};

struct PanicsOnDrop;

impl Drop for PanicsOnDrop {
    fn drop(&mut self) {
        panic!("dropped");
    }
}

#[test]
fn a_panic_is_caught_and_so_is_its_payload() {
    assert_eq!(guarded(|| 7), Ok(7));
    assert_eq!(guarded(|| panic!("no")), Err::<(), _>(Panicked));
    let payload = || std::panic::panic_any(PanicsOnDrop);
    assert_eq!(guarded(payload), Err::<(), _>(Panicked));
}
