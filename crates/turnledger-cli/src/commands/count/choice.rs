//! The counter that was asked for.

use std::sync::Arc;

use turnledger::settings::TurnledgerSettings;
use turnledger::{CounterRegistry, Estimator, Framing, HuggingFaceCounter, Limits, TokenCounter};

use crate::args::{CountArgs, GlobalArgs};
use crate::error::CliError;
use crate::session;

/// What counts, and the rules around it.
pub(super) struct Choice {
    pub(super) counter: Arc<dyn TokenCounter>,
    pub(super) framing: Framing,
    pub(super) estimator: Estimator,
    pub(super) limits: Limits,
}

/// Chooses by `--tokenizer`, `--model` or `--encoding`, and by the settings where none is given.
pub(super) fn choose(args: &CountArgs, global: &GlobalArgs) -> Result<Choice, CliError> {
    let both = global.encoding.is_some() && (args.model.is_some() || args.tokenizer.is_some());
    if both {
        let reason =
            "--encoding cannot be used with --model or --tokenizer: each says how to count";
        return Err(CliError::Usage { reason: reason.to_owned() });
    }
    let settings = TurnledgerSettings::from_settings(&session::load(global)?.settings)?;
    let (counter, framing): (Arc<dyn TokenCounter>, _) = if let Some(file) = &args.tokenizer {
        let counter = HuggingFaceCounter::from_file(file);
        let failed = |source| CliError::Counter { option: "--tokenizer", source };
        (Arc::new(counter.map_err(failed)?), Framing::default())
    } else {
        let (option, name) = match &args.model {
            Some(model) => ("--model", model),
            None => ("counter.encoding", &settings.counter.encoding),
        };
        let resolved = CounterRegistry::new().resolve(name);
        let resolved = resolved.map_err(|source| CliError::Counter { option, source })?;
        (resolved.counter, resolved.framing)
    };
    let estimator = Estimator::for_counter(counter.id());
    Ok(Choice { counter, framing, estimator, limits: settings.limits })
}
