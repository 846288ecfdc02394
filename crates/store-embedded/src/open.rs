//! Opening the database and checking what it holds.

use std::fs::{DirBuilder, File, OpenOptions};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

use memory_core::{CounterId, Limits, StoreError};
use redb::{Database, DatabaseError, ReadableTable, StorageError};

use crate::backend::{FileBackend, InMemoryBackend, StorageBackend, Unsynced};
use crate::behind::{Behind, Storage};
use crate::builder::{Durability, EmbeddedStoreBuilder, Place};
use crate::bytes::Damage;
use crate::counters::Counters;
use crate::digests::Digests;
use crate::error::{EmbeddedError, Fault, cannot_open, explain};
use crate::leases::Leases;
use crate::schema::{
    FIRST_FORMAT, FORMAT, META_DIGEST_KEY, META_FORMAT, META_NUMBERS, META_POSITIONS, Tables,
    meta_number, upgrade,
};
use crate::shared::Shared;
use crate::unfinished::start_over;
use crate::write::State;

/// An open database and what was read of it.
pub(crate) struct Opened {
    pub(crate) database: Database,
    pub(crate) behind: Arc<Behind>,
    pub(crate) shared: Shared,
    pub(crate) state: State,
}

/// Opens or creates the database that a builder describes.
pub(crate) fn open(builder: EmbeddedStoreBuilder) -> Result<Opened, StoreError> {
    let place = builder.place.ok_or_else(|| cannot_open(EmbeddedError::NoPlace))?;
    let (what, durable, backend) = match place {
        Place::Memory => {
            let backend: Box<dyn StorageBackend> = Box::new(InMemoryBackend::new());
            ("the store in memory".to_owned(), false, backend)
        }
        Place::Backend(backend) => ("the store on its own backend".to_owned(), true, backend),
        Place::File(path) => {
            let file = open_file(&path).map_err(cannot_open)?;
            let what = format!("store file {}", path.display());
            let backend = FileBackend::new(file).map_err(|error| refuse(error, &what))?;
            let backend: Box<dyn StorageBackend> = match builder.durability {
                Durability::Sync => Box::new(backend),
                Durability::Relaxed => Box::new(Unsynced(backend)),
            };
            (what, true, backend)
        }
    };
    let cache_bytes = builder.cache_bytes;
    // Some damaged files make the database panic instead of failing.
    let opened = catch_unwind(AssertUnwindSafe(|| {
        let failed = |error| refuse(DatabaseError::Storage(StorageError::Io(error)), &what);
        start_over(&*backend).map_err(failed)?;
        let behind = Arc::new(Behind::new(backend));
        let database = Database::builder()
            .set_cache_size(cache_bytes)
            .create_with_backend(Storage(Arc::clone(&behind)))
            .map_err(|error| refuse(error, &what))?;
        let content =
            read(&database, &what).map_err(|fault| explain(fault, "open", None, &what))?;
        Ok((database, behind, content))
    }));
    let detail = "reading it makes the database panic";
    let (database, behind, content) =
        opened.unwrap_or_else(|_| Err(StoreError::Damaged { what: what.clone(), detail }))?;
    let shared = Shared {
        what,
        durable,
        clock: builder.clock,
        limits: builder.limits,
        time_to_live: builder.time_to_live,
        counters: Counters::new(content.counters),
        digests: Digests::new(content.digest_key),
        leases: Leases::default(),
        poisoned: false.into(),
    };
    Ok(Opened { database, behind, shared, state: content.state })
}

/// What is read of the file at once.
struct Content {
    counters: Vec<CounterId>,
    digest_key: [u8; 32],
    state: State,
}

/// Checks the format and reads what is needed in memory; fills an empty database.
fn read(database: &Database, what: &str) -> Result<Content, Fault> {
    let transaction = database.begin_write()?;
    let names: Vec<_> = transaction.list_tables()?.collect();
    if names.is_empty() {
        let tables = Tables::open(&transaction)?;
        initialise(tables)?;
        transaction.commit()?;
        return read(database, what);
    }
    if !names.iter().any(|table| redb::TableHandle::name(table) == "meta") {
        return Err(Damage("it is the database of another program").into());
    }
    {
        let meta = transaction.open_table(crate::schema::META)?;
        let format = meta_number(&meta, META_FORMAT)?;
        drop(meta);
        if format == FIRST_FORMAT {
            upgrade(&transaction)?;
            transaction.commit()?;
            return read(database, what);
        }
        if format != FORMAT {
            let (found, supported) = (format.to_string(), FORMAT.to_string());
            let what = what.to_owned();
            return Err(StoreError::UnknownFormat { what, found, supported }.into());
        }
    }
    let content = {
        let tables = Tables::open(&transaction)?;
        let digest_key = match tables.meta.get(META_DIGEST_KEY)? {
            Some(key) => key.value().try_into().ok(),
            None => None,
        };
        let numbers = meta_number(&tables.meta, META_NUMBERS)?;
        let positions = meta_number(&tables.meta, META_POSITIONS)?;
        Content {
            counters: counters(&tables.counters)?,
            digest_key: digest_key.ok_or(Damage("it lacks the key of its digests"))?,
            state: State::new(numbers, positions),
        }
    };
    transaction.abort()?;
    Ok(content)
}

fn initialise(mut tables: Tables<'_>) -> Result<(), Fault> {
    let mut digest_key = [0; 32];
    getrandom::fill(&mut digest_key)
        .map_err(|error| cannot_open(EmbeddedError::NoRandomness(Box::new(error))))?;
    for (name, number) in [(META_FORMAT, FORMAT), (META_NUMBERS, 0), (META_POSITIONS, 0)] {
        tables.meta.insert(name, number.to_le_bytes().as_slice())?;
    }
    tables.meta.insert(META_DIGEST_KEY, digest_key.as_slice())?;
    Ok(())
}

fn counters(table: &impl ReadableTable<u32, &'static str>) -> Result<Vec<CounterId>, Fault> {
    let limits = Limits { id_bytes: usize::MAX, ..Limits::default() };
    let mut ids = Vec::new();
    for entry in table.iter()? {
        let (code, id) = entry?;
        let id = CounterId::within(id.value(), &limits);
        match id {
            Ok(id) if code.value() as usize == ids.len() => ids.push(id),
            _ => return Err(Damage("its counters are not whole").into()),
        }
    }
    Ok(ids)
}

/// The error of a database that cannot be opened.
fn refuse(error: DatabaseError, what: &str) -> StoreError {
    let what = what.to_owned();
    let damaged = |detail| StoreError::Damaged { what: what.clone(), detail };
    match error {
        DatabaseError::DatabaseAlreadyOpen | DatabaseError::LockProtocolMismatch => {
            StoreError::InUse { what }
        }
        DatabaseError::UpgradeRequired(version) => StoreError::UnknownFormat {
            what,
            found: format!("{version} of the database file"),
            supported: "3 of the database file".to_owned(),
        },
        DatabaseError::Storage(StorageError::Corrupted(_)) => {
            damaged("its pages contradict each other")
        }
        DatabaseError::Storage(StorageError::Io(error)) => match error.kind() {
            std::io::ErrorKind::InvalidData => damaged("it is no database file"),
            std::io::ErrorKind::UnexpectedEof => damaged("it is shorter than it should be"),
            _ => {
                StoreError::Backend { operation: "open", retryable: false, source: Box::new(error) }
            }
        },
        error => StoreError::Backend {
            operation: "open",
            retryable: false,
            source: Box::new(Arc::new(error)),
        },
    }
}

/// Opens the file, or creates it so that nobody else can read it.
fn open_file(path: &Path) -> Result<File, EmbeddedError> {
    let cannot = |source| EmbeddedError::File { path: path.to_owned(), source };
    let found = match std::fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            return Err(EmbeddedError::NotAFile { path: path.to_owned() });
        }
        Ok(_) => true,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => false,
        Err(error) => return Err(cannot(error)),
    };
    if found {
        let file = files().open(path).map_err(cannot)?;
        if file.metadata().map_err(cannot)?.len() == 0 {
            // Whoever made it may not have come to this.
            make_private(&file).map_err(cannot)?;
            sync_directory_of(path).map_err(cannot)?;
        }
        return Ok(file);
    }
    let parent = directory_of(path);
    let missing: Vec<_> = parent.ancestors().take_while(|ancestor| !is_there(ancestor)).collect();
    let failed = |source| EmbeddedError::Directory { path: parent.to_owned(), source };
    directories().create(parent).map_err(failed)?;
    let file = files().open(path).map_err(cannot)?;
    make_private(&file).map_err(cannot)?;
    // The new names must be as durable as what will stand in the file.
    for made in std::iter::once(path).chain(missing) {
        sync_directory_of(made).map_err(cannot)?;
    }
    Ok(file)
}

/// Makes a name durable.
fn sync_directory_of(path: &Path) -> std::io::Result<()> {
    File::open(directory_of(path))?.sync_all()
}

/// The directory that holds a name.
fn directory_of(path: &Path) -> &Path {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// Whether there is such a directory; the empty path, where a relative one ends, is the working
/// directory.
fn is_there(directory: &Path) -> bool {
    directory.as_os_str().is_empty() || directory.exists()
}

fn directories() -> DirBuilder {
    let mut builder = DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Takes an empty file that somebody may have made before away from everybody else.
#[cfg(unix)]
fn make_private(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_: &File) -> std::io::Result<()> {
    Ok(())
}

fn files() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}
