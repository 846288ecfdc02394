//! Walking through token trees.

use proc_macro2::{TokenStream, TokenTree};

/// Visits the sequence of tokens in every group, the outermost first.
///
/// Tokens, unlike syntax, reach into the arguments of macros too.
pub(crate) fn each_sequence(stream: &TokenStream, visit: &mut dyn FnMut(&[TokenTree])) {
    let sequence: Vec<TokenTree> = stream.clone().into_iter().collect();
    visit(&sequence);
    for tree in &sequence {
        if let TokenTree::Group(group) = tree {
            each_sequence(&group.stream(), visit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_inside_macros_are_visited() {
        let stream: TokenStream = "a!(b, { c })".parse().unwrap();
        let mut seen = Vec::new();
        each_sequence(&stream, &mut |sequence| {
            seen.extend(sequence.iter().filter_map(|tree| match tree {
                TokenTree::Ident(ident) => Some(ident.to_string()),
                _ => None,
            }));
        });
        assert_eq!(seen, ["a", "b", "c"]);
    }
}
