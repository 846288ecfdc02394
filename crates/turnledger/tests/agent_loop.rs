//! The example is an agent that works, not only one that compiles.

#[path = "../examples/agent_loop.rs"]
#[expect(dead_code, reason = "the test runs what `main` runs")]
mod agent_loop;

/// Messages that the script makes: instructions, 4 questions, 6 replies and 3 results.
const MESSAGES: usize = 14;

#[tokio::test(flavor = "multi_thread")]
async fn the_agent_answers_and_the_ledger_is_exact() {
    let mut out = Vec::new();
    let totals = agent_loop::run(&mut out).await.unwrap();
    let out = String::from_utf8(out).unwrap();

    assert_eq!(totals.messages, MESSAGES as u64, "{out}");
    assert_eq!((totals.pending, totals.complete), (0, true), "{out}");
    let receipts: Vec<_> = out.lines().filter(|line| line.starts_with('#')).collect();
    assert_eq!(receipts.len(), MESSAGES, "{out}");
    assert!(receipts[3].contains("tool (") && receipts[3].contains("14:20, 3.4 m"), "{out}");
    assert!(out.contains("#14 assistant") && out.contains("Faro first"), "{out}");

    // The conversation outgrows the budget, and the model still gets a window each time.
    let windows: Vec<_> = out.lines().filter(|line| line.starts_with("  window: ")).collect();
    assert_eq!(windows.len(), 6, "{out}");
    assert!(windows[0].starts_with("  window: 2 of 2 messages"), "{out}");
    assert!(!windows[5].contains("13 of 13"), "{out}");
    assert!(out.ends_with(", 0 pending\n"), "{out}");
}
