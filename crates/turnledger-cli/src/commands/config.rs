//! `config show`: every setting, and where it comes from.

use crate::args::{ConfigShowArgs, GlobalArgs};
use crate::error::{CliError, note};
use crate::output::{Output, plain, table};
use crate::session;

/// Prints the settings; which file was read is said on standard error.
pub(crate) fn config_show(
    args: &ConfigShowArgs,
    global: &GlobalArgs,
    output: &mut Output,
) -> Result<(), CliError> {
    let loaded = session::load(global)?;
    let file = match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "none was found".to_owned(),
    };
    if args.encoded.json {
        // The one object is all that a program wants to read.
        note(&format!("settings file: {file}"));
        return output.line(loaded.settings.to_json());
    }
    output.line(format_args!("settings file: {}", plain(&file)))?;
    let mut rows = vec![["key", "value", "layer", "source"].map(str::to_owned)];
    rows.extend(loaded.settings.iter().map(|setting| {
        [
            setting.key().to_owned(),
            setting.value().to_string(),
            setting.layer().to_string(),
            plain(setting.source().unwrap_or("-")),
        ]
    }));
    for line in table(&rows) {
        output.line(line)?;
    }
    Ok(())
}
