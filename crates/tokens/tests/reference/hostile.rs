//! A short run over hostile texts; `cargo xtask hostile` is the long one.

use crate::equality::{Generator, Pair, Tried};

const SEED: u64 = 20_251;
const TEXTS: u64 = 20_000;

#[test]
fn hostile_texts_are_counted_as_the_reference_does() {
    println!("seed {SEED}");
    let (generator, pairs) = (Generator::new(SEED), Pair::all());
    let mut tried = Tried::default();
    for number in 0..TEXTS {
        match Pair::compare(&pairs, &generator.text(number)) {
            Ok(one) => tried += one,
            Err(difference) => panic!("text {number} of seed {SEED}: {difference}"),
        }
    }
    println!("{tried:?}");
    assert!(tried.cut > TEXTS / 20, "too few texts can be cut: {tried:?}");
}

#[test]
fn a_text_is_made_again_from_its_seed_and_number() {
    let (one, other) = (Generator::new(SEED), Generator::new(SEED + 1));
    assert_eq!(one.text(7), Generator::new(SEED).text(7));
    assert!((0..20).any(|number| one.text(number) != other.text(number)));
    let lengths: Vec<_> = (0..10_000).map(|number| one.text(number).chars().count()).collect();
    assert!(lengths.contains(&0) && lengths.iter().any(|length| *length > 300));
}
