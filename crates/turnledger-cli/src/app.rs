//! From the command line to the exit code.

use std::ffi::OsString;
use std::future::Future;
use std::io::{self, IsTerminal};
use std::pin::pin;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use tokio::runtime::Runtime;
use tracing_subscriber::EnvFilter;
use turnledger::wiring;

use crate::args::{Cli, Command, ConfigCommand, CopyArgs, GlobalArgs, StoreCommand};
use crate::commands;
use crate::error::{CliError, Outcome, note, tell};
use crate::interrupts::Interrupts;
use crate::output::Output;
use crate::session::{self, Left, Session};
use crate::stop::{self, Stop};

/// How long the end waits for files to be closed; everything in them is safe by then.
const CLOSING: Duration = Duration::from_secs(5);

/// Does what the command line says.
pub(crate) fn run(words: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(words) {
        Ok(cli) => cli,
        Err(answer) => {
            // Help and version are answers too; where nobody reads them, nothing is lost.
            let _ = answer.print();
            let outcome = if answer.use_stderr() { Outcome::Usage } else { Outcome::Done };
            return ExitCode::from(outcome.code());
        }
    };
    log_where_asked();
    let outcome = perform(cli).unwrap_or_else(|error| {
        tell(&error);
        error.outcome()
    });
    ExitCode::from(outcome.code())
}

/// Logs go to standard error, and only where `RUST_LOG` asks for them.
fn log_where_asked() {
    let Ok(filter) = EnvFilter::try_from_default_env() else { return };
    let logging = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    // It fails only where a subscriber is set already, and nobody else sets one.
    let _ = logging.try_init();
}

fn perform(cli: Cli) -> Result<Outcome, CliError> {
    let Cli { global, command } = cli;
    let mut output = Output::standard();
    match command {
        Command::Completions(args) => commands::completions(&args, &mut output)?,
        Command::Config(args) => {
            let ConfigCommand::Show(args) = &args.command;
            commands::config_show(args, &global, &mut output)?;
        }
        Command::Count(args) => {
            let counted = commands::count(&args, &global, &mut output);
            let flushed = output.flush();
            return counted.and_then(|outcome| flushed.map(|()| outcome));
        }
        Command::Doctor(args) => {
            let runtime = runtime()?;
            let examined = runtime.block_on(commands::doctor(&args, &global, &mut output));
            // What still waits for a server or a name has nothing more to tell.
            runtime.shutdown_background();
            let flushed = output.flush();
            return examined.and_then(|outcome| flushed.map(|()| outcome));
        }
        Command::Store(command) => {
            let runtime = runtime()?;
            let outcome = runtime.block_on(with_store(&global, command, &mut output));
            runtime.shutdown_timeout(CLOSING);
            return outcome;
        }
    }
    output.flush()?;
    Ok(Outcome::Done)
}

fn runtime() -> Result<Runtime, CliError> {
    let mut builder = tokio::runtime::Builder::new_multi_thread();
    builder.enable_all().build().map_err(|source| CliError::Thread { source })
}

/// Runs a command that needs the store, and ends the memory in good order whatever happens.
async fn with_store(
    global: &GlobalArgs,
    command: StoreCommand,
    output: &mut Output,
) -> Result<Outcome, CliError> {
    let mut interrupts = Interrupts::listen()?;
    let counts = counts(&command);
    let loaded = session::load_for_store(global, counts)?;
    let session = Session::open(&loaded).await?;
    note(&format!("store: {}", session.store_url));
    let asks = matches!(&command, StoreCommand::Clear(args) if !args.yes);
    let target = match &command {
        StoreCommand::Copy(args) => match open_target(global, args, &session).await {
            Ok(target) => Some(target),
            Err(error) => {
                session.close(false).await;
                return Err(error);
            }
        },
        _ => None,
    };
    let performed = {
        let (stopper, stop) = stop::stop();
        let doing = dispatch(command, global, &session, target.as_ref(), output, &stop);
        let mut doing = pin!(doing);
        tokio::select! {
            performed = &mut doing => performed,
            () = interrupts.next() => {
                // A question that stands on the line is answered by who asked it.
                if !asks {
                    let ending =
                        if counts { "counting what is queued" } else { "closing the store" };
                    note(&format!("interrupted: {ending}; once more ends at once"));
                }
                // The time of the end begins here.
                session.time_left();
                if let Some(target) = &target {
                    target.time_left();
                }
                stopper.ask();
                or_end_at_once(&mut interrupts, doing).await
            }
        }
    };
    let flushed = output.flush();
    let interrupted = matches!(performed, Err(CliError::Interrupted));
    let left = or_end_at_once(&mut interrupts, close(session, target, interrupted)).await;
    left.tell(interrupted && counts);
    performed.and_then(|outcome| flushed.map(|()| outcome))
}

/// Waits for the end of something, unless another interrupt says that there is no time.
async fn or_end_at_once<T>(interrupts: &mut Interrupts, ending: impl Future<Output = T>) -> T {
    tokio::select! {
        ended = ending => ended,
        () = interrupts.next() => {
            note("ended at once; what is not counted is left to the next sweep");
            std::process::exit(i32::from(Outcome::Failed.code()));
        }
    }
}

/// Whether a command leaves something to count, which is done before the end.
fn counts(command: &StoreCommand) -> bool {
    matches!(
        command,
        StoreCommand::Replay(_)
            | StoreCommand::Append(_)
            | StoreCommand::Copy(_)
            | StoreCommand::Sweep(_)
    )
}

async fn open_target(
    global: &GlobalArgs,
    args: &CopyArgs,
    from: &Session,
) -> Result<Session, CliError> {
    let loaded = session::load_for_target(global, &args.to)?;
    if is_same_file(&from.store_url, &args.to) {
        let reason = format!("--to names the store itself, {}", from.store_url);
        return Err(CliError::Usage { reason });
    }
    let target = Session::open_target(&loaded).await?;
    note(&format!("copying to: {}", target.store_url));
    Ok(target)
}

/// Whether two URLs of stores lead to one file, by whatever path. A store in memory is another
/// one each time.
fn is_same_file(one: &str, other: &str) -> bool {
    // A file that cannot be found is none that is open.
    let file = |url: &str| wiring::store_file(url)?.canonicalize().ok();
    file(one).is_some_and(|one| file(other) == Some(one))
}

async fn dispatch(
    command: StoreCommand,
    global: &GlobalArgs,
    session: &Session,
    target: Option<&Session>,
    output: &mut Output,
    stop: &Stop,
) -> Result<Outcome, CliError> {
    let memory = &session.memory;
    match command {
        // These end in good order by themselves: two of them between two messages.
        StoreCommand::Replay(args) => commands::replay(args, session, output, stop).await,
        StoreCommand::Copy(args) => {
            let Some(target) = target else {
                return Err(CliError::Usage { reason: "copy needs --to URL".to_owned() });
            };
            commands::copy(args, memory, &target.memory, output, stop).await
        }
        StoreCommand::Append(args) => stop.or(commands::append(args, memory, output)).await,
        StoreCommand::Window(args) => stop.or(commands::window(args, memory, output)).await,
        StoreCommand::Show(args) => stop.or(commands::show(args, global, memory, output)).await,
        StoreCommand::Totals(args) => stop.or(commands::totals(args, memory, output)).await,
        StoreCommand::List(args) => stop.or(commands::list(args, memory, output)).await,
        StoreCommand::Export(args) => stop.or(commands::export(args, memory, output)).await,
        StoreCommand::DropNewest(args) => {
            stop.or(commands::drop_newest(args, memory, output)).await
        }
        StoreCommand::Clear(args) => commands::clear(args, memory, output, stop).await,
        StoreCommand::Sweep(args) => stop.or(commands::sweep(args, memory, output)).await,
    }
}

/// Ends both memories at the same time, since they share the time of the end.
async fn close(session: Session, target: Option<Session>, interrupted: bool) -> Left {
    let Some(target) = target else { return session.close(interrupted).await };
    let (mut left, there) = tokio::join!(session.close(interrupted), target.close(interrupted));
    left.add(&there);
    left
}
