//! The benches that are programs: they store what they find, and a page of figures is made from that.

use std::ffi::OsStr;
use std::fs;
use std::path::PathBuf;

use super::bench::PACKAGE;
use super::bench_page::page;
use super::corpus;
use super::test::TestData;
use crate::error::Error;
use crate::process::{self, cargo};
use crate::project::Project;
use crate::redis_server::RedisServer;
use crate::say;

/// A bench that is a program of its own, where the others are criterion's.
#[derive(Debug)]
pub(super) struct Stored {
    /// What the bench and its program are called.
    pub(super) name: &'static str,
    /// What its page is titled.
    title: &'static str,
    /// Where it stores what it finds.
    results: &'static str,
    /// The page that shows it, a file of the folder of pages.
    page: &'static str,
    /// Whether it counts the corpus, with other tokenizers beside.
    counts_corpus: bool,
    /// Whether it starts Redis servers.
    needs_redis: bool,
}

/// All of them.
pub(super) const STORED: [Stored; 4] = [
    Stored {
        name: "ledger",
        title: "Benchmarks",
        results: "benches/results/ledger.json",
        page: "docs/benchmarks.md",
        counts_corpus: false,
        needs_redis: false,
    },
    Stored {
        name: "tokens",
        title: "Benchmarks of counting",
        results: "benches/results/tokens.json",
        page: "docs/benchmarks-of-counting.md",
        counts_corpus: true,
        needs_redis: false,
    },
    Stored {
        name: "pool",
        title: "Benchmarks of the Redis pool",
        results: "benches/results/pool.json",
        page: "docs/benchmarks-of-the-pool.md",
        counts_corpus: false,
        needs_redis: true,
    },
    Stored {
        name: "redis",
        title: "Benchmarks of the ledger on Redis",
        results: "benches/results/redis.json",
        page: "docs/benchmarks-of-redis.md",
        counts_corpus: false,
        needs_redis: true,
    },
];

/// The other tokenizers: a workspace of its own, because they are heavy.
pub(super) const COMPETITORS: &str = "benches/competitors/Cargo.toml";

impl Stored {
    /// Measures, unless the stored results are to do, and writes the page from what is stored.
    pub(super) fn run(
        &self,
        project: &Project,
        arguments: &[String],
        from_stored: bool,
    ) -> Result<(), Error> {
        let measured = if from_stored { Ok(()) } else { self.measure(project, arguments) };
        // A missed goal is a failure, and what was found belongs on the page all the same.
        if project.root().join(self.results).is_file() {
            let path = project.root().join(self.page);
            fs::write(&path, self.stored_page(project)?)
                .map_err(|source| Error::Write { path, source })?;
            say::result(&format!("{} shows what {} holds", self.page, self.results));
        } else if from_stored {
            // Says what is missing, and where.
            project.read(self.results)?;
        }
        measured
    }

    fn measure(&self, project: &Project, arguments: &[String]) -> Result<(), Error> {
        let root = project.root();
        let mut bench = cargo(root, &["run", "--release", "--locked", "--package", PACKAGE]);
        bench.args(["--bin", self.name, "--"]);
        bench.args([OsStr::new("--out"), root.join(self.results).as_os_str()]);
        if self.counts_corpus {
            bench.args([OsStr::new("--competitors"), competitors(project)?.as_os_str()]);
            if !arguments.iter().any(|argument| argument.starts_with("--corpus")) {
                bench.args([OsStr::new("--corpus"), corpus::ensure(project)?.as_os_str()]);
            }
        }
        if self.needs_redis {
            RedisServer::ensure(project)?.hand_to(&mut bench);
            TestData::of(project)?.hand_to(&mut bench);
        }
        process::run("bench", bench.args(arguments))
    }

    /// The page that the stored results give.
    fn stored_page(&self, project: &Project) -> Result<String, Error> {
        let results = project.read(self.results)?;
        let results = serde_json::from_str(&results.text)
            .map_err(|source| Error::Results { path: project.root().join(self.results), source })?;
        Ok(page(self.title, self.results, &results))
    }
}

/// Builds the program that counts with other tokenizers, and says where it is.
fn competitors(project: &Project) -> Result<PathBuf, Error> {
    let target = project.target().join("competitors");
    // Not locked: what our own crates need changes more often than the others are compared.
    let arguments = ["build", "--release", "--manifest-path", COMPETITORS];
    let mut build = cargo(project.root(), &arguments);
    process::run("other tokenizers", build.arg("--target-dir").arg(&target))?;
    Ok(target.join("release/competitors"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_show_what_is_stored() {
        let project = Project::load().unwrap();
        let files = project.files().unwrap();
        for stored in STORED {
            let Stored { name, results, page, .. } = stored;
            assert_eq!(files.contains(results), files.contains(page), "{results} without {page}");
            if files.contains(results) {
                let shown = project.read(page).unwrap();
                assert!(
                    shown.text == stored.stored_page(&project).unwrap(),
                    "run `cargo xtask bench {name} --from-stored`"
                );
            }
        }
    }

    #[test]
    fn the_other_tokenizers_are_where_the_bench_looks_for_them() {
        assert!(Project::load().unwrap().root().join(COMPETITORS).is_file());
    }
}
