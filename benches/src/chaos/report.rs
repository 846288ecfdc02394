//! What a run says: a line for each part, and one JSON object for all.

use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::budget::lanes;
use super::error::{ChaosError, Outcome};
use super::say;

/// The figures of a run.
#[derive(Debug)]
pub(super) struct Report(Map<String, Value>);

impl Report {
    pub(super) fn new(store: &str, seed: u64) -> Self {
        let mut map = Map::new();
        map.insert("store".to_owned(), json!(store));
        map.insert("seed".to_owned(), json!(seed));
        map.insert("threads".to_owned(), json!(lanes()));
        Self(map)
    }

    /// Notes a part, and says how it went.
    pub(super) fn add(
        &mut self,
        part: &str,
        seed: u64,
        took: Duration,
        figures: impl Serialize,
    ) -> Outcome<()> {
        let figures = serde_json::to_value(figures)?;
        let seconds = took.as_secs_f64();
        say::result(&format!("{part}: passed in {seconds:.1} s, seed {seed}: {}", line(&figures)));
        let rounded = (seconds * 1000.0).round() / 1000.0;
        self.0.insert(part.to_owned(), json!({ "seconds": rounded, "figures": figures }));
        Ok(())
    }

    /// Writes the figures as one object.
    pub(super) fn write(&self, path: &Path) -> Outcome<()> {
        let mut text = serde_json::to_string_pretty(&self.0)?;
        text.push('\n');
        let written = std::fs::write(path, text);
        written.map_err(|source| ChaosError::Report { path: path.to_owned(), source })
    }
}

/// `a 1, b 2 (c 3, d 4)` for an object.
fn line(figures: &Value) -> String {
    let Value::Object(map) = figures else { return figures.to_string() };
    let words = map.iter().map(|(name, value)| {
        let name = name.replace('_', " ");
        match value {
            Value::Object(_) => format!("{name} ({})", line(value)),
            value => format!("{name} {value}"),
        }
    });
    words.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_names_every_figure() {
        let figures = json!({ "kills": 3, "counts": { "left_open": 1 } });
        assert_eq!(line(&figures), "counts (left open 1), kills 3");
    }
}
