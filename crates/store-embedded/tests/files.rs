//! Files: modes, locks, formats and damage.

#![expect(clippy::unwrap_used, reason = "helpers of tests fail by panicking")]

use std::error::Error;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};

use memory_core::{
    Backlog, ConversationId, ConversationKey, CounterId, FinalReason, MemoryStore, Namespace,
    Repair, StoreError, Tally,
};
use memory_testkit::sample;
use store_embedded::{EmbeddedError, EmbeddedStore};

fn words() -> CounterId {
    CounterId::new("words").unwrap()
}

fn open(path: &Path) -> Result<EmbeddedStore, StoreError> {
    EmbeddedStore::builder().path(path).open()
}

fn refused(path: &Path) -> StoreError {
    let error = open(path).map(|_| ()).unwrap_err();
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    assert!(text.contains(path.to_str().unwrap()), "{text} does not name the path");
    error
}

/// A closed store with some messages in it.
async fn fill(path: &Path) {
    let store = EmbeddedStore::builder().path(path).open_async().await.unwrap();
    let key = ConversationKey::new(Namespace::default(), ConversationId::new("a").unwrap());
    for _ in 0..20 {
        let messages = (0..20).map(|_| sample::user("x".repeat(300), Tally::exact(1)));
        store.append(&key, sample::batch(&words(), messages)).await.unwrap();
    }
    store.close().await;
}

#[cfg(unix)]
#[tokio::test]
async fn only_the_owner_reads_what_is_created() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("new").join("deeper").join("memory.redb");
    // The shell's mask is lax; only the store's own modes are left.
    let status = Command::new("sh")
        .args(["-c", "umask 000; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "child_opens", "--ignored", "--nocapture"])
        .env(CHILD_PATH, &path)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(path.parent().unwrap().parent().unwrap()), 0o700);
}

#[test]
fn an_empty_file_that_was_there_becomes_private() {
    use std::os::unix::fs::PermissionsExt;

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    std::fs::write(&path, "").unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path).unwrap());
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

const CHILD_PATH: &str = "TURNLEDGER_TEST_CHILD_PATH";

#[test]
#[ignore = "other tests run it as a process of its own"]
fn child_opens() {
    let store = open(Path::new(&std::env::var_os(CHILD_PATH).unwrap())).unwrap();
    println!("\nopened");
    // Until the parent has let go.
    std::io::stdin().read_line(&mut String::new()).unwrap();
    drop(store);
}

#[tokio::test]
async fn a_file_that_another_process_has_is_in_use() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "child_opens", "--ignored", "--nocapture"])
        .env(CHILD_PATH, &path)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    // Kept open until the child has ended, because it prints more.
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line == "opened"));
    let error = refused(&path);
    assert!(matches!(error, StoreError::InUse { .. }), "{error:?}");
    assert!(error.is_retryable());
    child.stdin.take().unwrap().write_all(b"\n").unwrap();
    lines.for_each(drop);
    assert!(child.wait().unwrap().success());
    open(&path).unwrap().close().await;
}

#[tokio::test]
async fn a_second_store_of_this_process_is_refused_until_the_first_is_closed() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    let first = open(&path).unwrap();
    assert!(matches!(refused(&path), StoreError::InUse { .. }));
    first.close().await;
    first.close().await;
    open(&path).unwrap().close().await;
    assert!(matches!(first.probe().await, Err(StoreError::Closed)));
    let key = ConversationKey::new(Namespace::default(), ConversationId::new("a").unwrap());
    assert!(matches!(first.clear(&key).await, Err(StoreError::Closed)));
}

#[tokio::test]
async fn another_format_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    fill(&path).await;
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let format = 99_u64.to_le_bytes();
    transaction.open_table(meta).unwrap().insert("format", format.as_slice()).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refused(&path);
    let StoreError::UnknownFormat { found, supported, .. } = error else { panic!("{error:?}") };
    assert_eq!((found.as_str(), supported.as_str()), ("99", "2"));
}

#[tokio::test]
async fn the_database_of_another_program_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("other.redb");
    let table = redb::TableDefinition::<u64, u64>::new("theirs");
    let database = redb::Database::create(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    transaction.open_table(table).unwrap().insert(1, 2).unwrap();
    transaction.commit().unwrap();
    drop(database);
    let error = refused(&path);
    assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
    let database = redb::Database::open(&path).unwrap();
    let transaction = redb::ReadableDatabase::begin_read(&database).unwrap();
    assert_eq!(transaction.list_tables().unwrap().count(), 1);
}

#[test]
fn what_is_no_store_is_refused_and_left_as_it_is() {
    let directory = tempfile::tempdir().unwrap();
    let check = |content: &[u8]| {
        let path = directory.path().join(format!("{} bytes", content.len()));
        std::fs::write(&path, content).unwrap();
        let error = refused(&path);
        assert!(matches!(error, StoreError::Damaged { .. }), "{error:?}");
        assert_eq!(std::fs::read(&path).unwrap(), content);
    };
    check(b"x");
    check(b"Dear diary,\n");
    check(&[b'x'; 10_000]);
    check(&[0; 10_000]);
}

#[tokio::test]
async fn a_truncated_file_is_damaged() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    fill(&path).await;
    let whole = std::fs::read(&path).unwrap();
    for part in [1, 8, 100, 500, 4096, 5000, whole.len() / 4, whole.len() / 2] {
        std::fs::write(&path, &whole[..part]).unwrap();
        let error = refused(&path);
        assert!(matches!(error, StoreError::Damaged { .. }), "{part} bytes: {error:?}");
    }
    std::fs::write(&path, &whole).unwrap();
    open(&path).unwrap().close().await;
}

#[tokio::test]
async fn a_corrupted_file_is_an_error_or_works_but_never_panics() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    fill(&path).await;
    let whole = std::fs::read(&path).unwrap();
    let key = ConversationKey::new(Namespace::default(), ConversationId::new("a").unwrap());
    let mut refusals = 0;
    for start in (0..whole.len()).step_by(whole.len() / 60) {
        let mut damaged = whole.clone();
        let end = (start + 64).min(whole.len());
        damaged[start..end].fill(0xa5);
        std::fs::write(&path, &damaged).unwrap();
        let Ok(store) = EmbeddedStore::builder().path(&path).open_async().await else {
            refusals += 1;
            continue;
        };
        let counter = words();
        let query = memory_core::PageQuery { counter: counter.clone(), after: None, limit: 1000 };
        // Any answer will do, as long as there is one.
        refusals += u64::from(store.page(&key, query).await.is_err());
        let append = sample::batch(&counter, [sample::user("new", Tally::exact(1))]);
        refusals += u64::from(store.append(&key, append).await.is_err());
        store.close().await;
    }
    assert!(refusals > 0, "no damage was found");
}

#[tokio::test]
async fn one_damaged_conversation_leaves_the_others_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    fill(&path).await;
    let key =
        |id: &str| ConversationKey::new(Namespace::default(), ConversationId::new(id).unwrap());
    let conversations = redb::TableDefinition::<&[u8], &[u8]>::new("conversations");
    let database = redb::Database::open(&path).unwrap();
    let transaction = database.begin_write().unwrap();
    let stored_key = [7_u64.to_be_bytes().as_slice(), b"default", b"a"].concat();
    let mut table = transaction.open_table(conversations).unwrap();
    let value = [1_u8, 2, 3].as_slice();
    assert!(table.insert(stored_key.as_slice(), value).unwrap().is_some());
    drop(table);
    transaction.commit().unwrap();
    drop(database);
    let store = open(&path).unwrap();
    let append = || sample::batch(&words(), [sample::user("x", Tally::exact(1))]);
    for error in [
        store.append(&key("a"), append()).await.unwrap_err(),
        store.totals(&key("a")).await.unwrap_err(),
        store.repair(&key("a"), memory_core::Repair::Check).await.unwrap_err(),
    ] {
        let StoreError::DamagedConversation { key: named, .. } = error else { panic!("{error:?}") };
        assert_eq!(named, key("a"));
    }
    store.append(&key("b"), append()).await.unwrap();
    assert_eq!(store.totals(&key("b")).await.unwrap().messages, 1);
    // What cannot be read can still be removed.
    store.clear(&key("a")).await.unwrap();
    assert_eq!(store.append(&key("a"), append()).await.unwrap().messages[0].seq.get(), 1);
    store.close().await;
}

#[test]
fn a_directory_is_no_file() {
    let directory = tempfile::tempdir().unwrap();
    let error = refused(directory.path());
    let source = error.source().unwrap().downcast_ref::<EmbeddedError>();
    assert!(matches!(source, Some(EmbeddedError::NotAFile { .. })), "{error:?}");
    let inside_a_file = directory.path().join("file");
    std::fs::write(&inside_a_file, "").unwrap();
    refused(&inside_a_file.join("memory.redb"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_symbolic_link_is_followed() {
    let directory = tempfile::tempdir().unwrap();
    let (path, link) = (directory.path().join("memory.redb"), directory.path().join("link"));
    fill(&path).await;
    std::os::unix::fs::symlink(&path, &link).unwrap();
    let store = open(&link).unwrap();
    assert!(matches!(refused(&path), StoreError::InUse { .. }));
    store.close().await;
}

#[test]
fn a_store_needs_a_place_and_a_queue() {
    let check = |error: StoreError, word: &str| {
        let source = error.source().unwrap().to_string();
        assert!(source.contains(word), "{source}");
    };
    check(EmbeddedStore::builder().open().map(|_| ()).unwrap_err(), "path");
    check(EmbeddedStore::builder().in_memory().queue(0).open().map(|_| ()).unwrap_err(), "queue");
}

/// The tables that a program of the first format knows.
const FALLBACKS: redb::TableDefinition<'_, &[u8], (u64, u32)> =
    redb::TableDefinition::new("fallbacks");

/// Makes a closed store one of the first format: where no fallback has counted, it differs in its
/// number and in one table only.
fn make_first_format(path: &Path) {
    let meta = redb::TableDefinition::<&str, &[u8]>::new("meta");
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let first = 1_u64.to_le_bytes();
    transaction.open_table(meta).unwrap().insert("format", first.as_slice()).unwrap();
    transaction.delete_table(FALLBACKS).unwrap();
    transaction.commit().unwrap();
}

#[tokio::test]
async fn a_file_of_the_first_format_is_read_and_takes_fallbacks() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    fill(&path).await;
    make_first_format(&path);
    let key = ConversationKey::new(Namespace::default(), ConversationId::new("a").unwrap());
    for round in 1..=2 {
        let store = open(&path).unwrap();
        assert_eq!(store.probe().await.unwrap().format, "2");
        let fallback = Tally::final_because(7, FinalReason::Fallback);
        let batch = sample::batch(&words(), [sample::user("x", fallback)]);
        store.append(&key, batch).await.unwrap();
        let totals = store.totals(&key).await.unwrap().under(&words());
        assert_eq!((totals.messages, totals.tokens), (400 + round, 400 + 7 * round));
        assert_eq!((totals.fallback, totals.pending), (round, 0));
        let report = store.repair(&key, Repair::Check).await.unwrap();
        assert_eq!(report.differences, []);
        store.close().await;
    }
}

#[tokio::test]
async fn a_fallback_that_the_sums_do_not_know_is_found_by_a_repair() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("memory.redb");
    let key = ConversationKey::new(Namespace::default(), ConversationId::new("a").unwrap());
    let store = open(&path).unwrap();
    let fallback = Tally::final_because(7, FinalReason::Fallback);
    let batch = (0..3).map(|_| sample::user("x", fallback));
    store.append(&key, sample::batch(&words(), batch)).await.unwrap();
    store.close().await;
    make_first_format(&path);
    let store = open(&path).unwrap();
    let listed = async || {
        let found = store.pending(&key.namespace, Backlog::Fallback, 9).await.unwrap();
        found.iter().map(|found| found.pending).sum::<u64>()
    };
    assert_eq!(listed().await, 0, "the index is new");
    let check = store.repair(&key, Repair::Check).await.unwrap();
    let found: Vec<_> = check.differences.iter().map(|found| found.what.as_str()).collect();
    assert_eq!(found, ["entries in the index of fallbacks that are right"]);
    let mended = store.repair(&key, Repair::Mend).await.unwrap();
    assert!(mended.mended && mended.differences == check.differences);
    assert_eq!(listed().await, 3, "the index after the repair");
    store.close().await;
}
