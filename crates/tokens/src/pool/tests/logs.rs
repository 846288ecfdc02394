//! Logs say what happened, at a limited rate and without content.

use std::io::Write;

use tracing_subscriber::fmt::MakeWriter;

use super::faults::faulty;
use super::*;

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }
}

fn logged(code: impl FnOnce()) -> Vec<String> {
    let lines = Lines::default();
    let subscriber = tracing_subscriber::fmt().with_writer(lines.clone()).with_ansi(false).finish();
    tracing::subscriber::with_default(subscriber, code);
    let bytes = lines.0.lock().unwrap();
    String::from_utf8_lossy(&bytes).lines().map(str::to_owned).collect()
}

#[test]
fn failures_are_logged_once_in_a_while_with_worker_and_conversation() {
    let lines = logged(|| {
        let (pool, worker) = stepped(builder(faulty()));
        for text in ["fail", "panic", "fail"] {
            let (job, _results) = job(text);
            pool.submit(job.conversation(4711)).unwrap();
            worker.step();
        }
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["ERROR", "a count failed", "worker=0", "conversation=4711", "counter=\"mock\""] {
        assert!(lines[0].contains(part), "{part} in {lines:?}");
    }
    assert!(!lines[0].contains("secret") && !lines[0].contains("text"), "{lines:?}");
}

#[test]
fn a_count_that_hangs_is_logged_with_worker_and_conversation() {
    let lines = logged(|| {
        let (counter, gate) = gated();
        let (pool, mut watcher) = super::hung::watched(counter);
        let (job, results) = job(STOP);
        pool.submit(job.conversation(4711)).unwrap();
        gate.began.recv().unwrap();
        watcher.look(super::hung::too_late());
        results.recv().unwrap().unwrap_err();
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in ["ERROR", "a count hangs", "worker=0", "conversation=4711", "after=30s"] {
        assert!(lines[0].contains(part), "{part} in {lines:?}");
    }
}

#[test]
fn a_full_queue_is_logged_once_in_a_while() {
    let lines = logged(|| {
        let (pool, _worker) = stepped(builder(bytes()).capacity(1));
        let _place = pool.reserve().unwrap();
        for _ in 0..100 {
            pool.reserve().unwrap_err();
        }
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("capacity=1") && lines[0].contains("WARN"), "{lines:?}");
}

#[test]
fn switching_counting_at_once_off_is_logged() {
    let lines = logged(|| {
        let (pool, _worker) = stepped(builder(faulty()));
        for _ in 0..64 {
            pool.shared().cost.learn(100, std::time::Duration::from_nanos(1));
        }
        pool.shared().warmth.set_warm();
        for _ in 0..5 {
            pool.count_inline(&Message::user("fail"), std::time::Duration::from_secs(1));
        }
    });
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("switched off") && lines[0].contains("strikes=3"), "{lines:?}");
}
