//! Where a value comes from.

use std::fmt;

/// The layer that a value comes from; a later one replaces an earlier one.
///
/// ```
/// use layered_settings::Layer;
///
/// assert!(Layer::File < Layer::Environment);
/// assert_eq!(Layer::Explicit.as_str(), "explicit");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Layer {
    /// The schema's default, or nothing at all.
    Default,
    /// Computed from another setting.
    Derived,
    /// A settings file.
    File,
    /// An environment variable.
    Environment,
    /// A call in the program, such as one for a command line option.
    Explicit,
}

impl Layer {
    const ALL: [Self; 5] =
        [Self::Default, Self::Derived, Self::File, Self::Environment, Self::Explicit];

    /// The layer's name: `default`, `derived`, `file`, `environment` or `explicit`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Derived => "derived",
            Self::File => "file",
            Self::Environment => "environment",
            Self::Explicit => "explicit",
        }
    }
}

impl fmt::Display for Layer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.as_str())
    }
}

/// A layer, and the variable, file or key inside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    pub(crate) layer: Layer,
    pub(crate) source: Option<String>,
}

impl Origin {
    pub(crate) fn new(layer: Layer, source: Option<String>) -> Self {
        Self { layer, source }
    }

    /// The one text that the `config` crate carries along with a value.
    pub(crate) fn to_tag(&self) -> String {
        self.to_string()
    }

    pub(crate) fn from_tag(tag: &str) -> Option<Self> {
        let (name, source) = match tag.split_once(' ') {
            Some((name, source)) => (name, Some(source.to_owned())),
            None => (tag, None),
        };
        let layer = Layer::ALL.into_iter().find(|layer| layer.as_str() == name)?;
        Some(Self { layer, source })
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.layer.as_str())?;
        match &self.source {
            Some(source) => write!(formatter, " {source}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tag_reads_back() {
        for layer in Layer::ALL {
            for source in [None, Some("a b/c.toml"), Some("NAME"), Some("")] {
                let origin = Origin::new(layer, source.map(str::to_owned));
                assert_eq!(Origin::from_tag(&origin.to_tag()), Some(origin));
            }
        }
        assert_eq!(Origin::from_tag("elsewhere x"), None);
    }

    #[test]
    fn layers_are_ordered_as_they_win() {
        assert!(Layer::ALL.windows(2).all(|pair| pair[0] < pair[1]));
    }
}
