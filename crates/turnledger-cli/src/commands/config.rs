//! `config show`: every setting, and where it comes from.

use turnledger::settings::Loaded;

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
    if args.encoded.json {
        // The one object is all that a program wants to read.
        note(&format!("settings file: {}", file(&loaded)));
        return output.line(loaded.settings.to_json());
    }
    for line in setting_lines(&loaded) {
        output.line(line)?;
    }
    Ok(())
}

/// The settings for people: the file, and a table.
pub(super) fn setting_lines(loaded: &Loaded) -> Vec<String> {
    let mut lines = vec![format!("settings file: {}", plain(&file(loaded)))];
    let mut rows = vec![["key", "value", "layer", "source"].map(str::to_owned)];
    rows.extend(loaded.settings.iter().map(|setting| {
        [
            setting.key().to_owned(),
            setting.value().to_string(),
            setting.layer().to_string(),
            plain(setting.source().unwrap_or("-")),
        ]
    }));
    lines.extend(table(&rows));
    lines
}

fn file(loaded: &Loaded) -> String {
    match &loaded.file {
        Some(file) => file.display().to_string(),
        None => "none was found".to_owned(),
    }
}
