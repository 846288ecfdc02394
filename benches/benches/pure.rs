//! The pure functions on the way of every append and every window.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use memory_core::groups::groups;
use memory_core::window::{Candidates, select};
use memory_core::{Framing, Limits, Message, ToolCall};
use tokens::Estimator;

/// Turns of a conversation that calls a tool in every other one.
fn conversation(turns: usize) -> Vec<Message> {
    let mut messages = vec![Message::system("Be brief.")];
    for turn in 0..turns {
        messages.push(Message::user(format!("What about booking number {turn}?")));
        if turn % 2 == 0 {
            let id = format!("call-{turn}");
            let call = ToolCall::function(&id, "booking", format!(r#"{{"number":{turn}}}"#));
            messages.push(Message::assistant_calling([call]));
            messages.push(Message::tool(id, "It is confirmed."));
        }
        messages.push(Message::assistant("It is confirmed, and you will get a letter."));
    }
    messages
}

/// A text of so many bytes.
fn text(bytes: usize) -> String {
    let words =
        "The ferry leaves at nine, unless the wind turns; ask `harbour_office()` at 8:30.\n";
    words.chars().cycle().take(bytes).collect()
}

fn grouping(criterion: &mut Criterion) {
    let messages = conversation(100);
    let mut group = criterion.benchmark_group("groups");
    group.throughput(Throughput::Elements(messages.len() as u64));
    group.bench_function("100 turns", |bencher| bencher.iter(|| groups(black_box(&messages))));
    group.finish();
}

fn selecting(criterion: &mut Criterion) {
    let messages = conversation(100);
    let tail: Vec<_> = messages.iter().map(|message| (message, 20)).collect();
    let candidates = Candidates { budget: 4000, fixed: 30, tail: &tail, reached_start: false };
    criterion.bench_function("select/4,000 tokens", |bencher| {
        bencher.iter(|| select(black_box(&candidates)));
    });
}

fn estimating(criterion: &mut Criterion) {
    let (framing, estimator) = (Framing::openai_chat_1(), Estimator::o200k_base());
    let mut group = criterion.benchmark_group("estimate");
    for bytes in [200, 2 << 10, 32 << 10] {
        let message = Message::user(text(bytes));
        group.throughput(Throughput::Bytes(bytes as u64));
        group.bench_function(format!("{bytes} B"), |bencher| {
            bencher.iter(|| framing.estimate(black_box(&message), |text| estimator.estimate(text)));
        });
    }
    group.finish();
}

fn parsing(criterion: &mut Criterion) {
    let limits = Limits::default();
    let mut group = criterion.benchmark_group("from_json");
    for bytes in [200, 2 << 10, 32 << 10] {
        let json = Message::user(text(bytes)).payload();
        group.throughput(Throughput::Bytes(json.len() as u64));
        group.bench_function(format!("{bytes} B"), |bencher| {
            bencher.iter(|| Message::from_json(black_box(&json), &limits));
        });
    }
    group.finish();
}

criterion_group!(pure, grouping, selecting, estimating, parsing);
criterion_main!(pure);
