//! A provider's service behind a memory: what is appended while it is down is exact once it is back.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use memory_core::{Clock, FinalReason, ManualClock, Message, TallyState, Timestamp};
use store_embedded::EmbeddedStore;
use tokens::{BlockingCounter, BpeCounter, Fallback, ProviderCounter};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::support::{PATIENCE, assert_exact, assert_sums, builder, conversation};

const MESSAGES: u64 = 30;

/// Answers as Anthropic does, with a token for each word, while it is up; returns its address.
async fn service(is_up: &Arc<AtomicBool>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let is_up = Arc::clone(is_up);
    // It ends with the test's runtime.
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&is_up)));
        }
    });
    url
}

async fn serve(stream: TcpStream, is_up: Arc<AtomicBool>) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    loop {
        let mut length = 0;
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(());
            }
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().unwrap();
            }
            if line.trim_end().is_empty() {
                break;
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await?;
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let words = body["messages"][0]["content"].as_str().unwrap().split_whitespace().count();
        let (status, body) = if is_up.load(Ordering::SeqCst) {
            (200, format!("{{\"input_tokens\":{}}}", words + FRAMING))
        } else {
            (503, String::new())
        };
        let length = body.len();
        let answer = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\n\r\n{body}");
        stream.write_all(answer.as_bytes()).await?;
    }
}

/// Tokens that the service counts around each text.
const FRAMING: usize = 7;

#[tokio::test]
async fn what_was_appended_while_the_provider_was_down_is_exact_once_it_is_back() {
    let is_up = Arc::new(AtomicBool::new(false));
    let provider = ProviderCounter::anthropic("m", "key")
        .base_url(service(&is_up).await)
        .retries(1)
        .pauses(Duration::ZERO, Duration::ZERO)
        .build()
        .unwrap();
    let clock = Arc::new(ManualClock::new(Timestamp::from_millis(0)));
    let counter = Fallback::with_clock(
        Arc::new(BlockingCounter::new(Arc::new(provider)).unwrap()),
        Arc::new(BpeCounter::o200k_base()),
        Arc::<ManualClock>::clone(&clock) as Arc<dyn Clock>,
    );
    let store = EmbeddedStore::builder().in_memory().open().unwrap();
    let memory = builder(store, counter).build().await.unwrap();
    let conversation = conversation(&memory, "c");
    for words in 1..=MESSAGES {
        let text = "word ".repeat(usize::try_from(words).unwrap());
        conversation.append(Message::user(text)).await.unwrap();
    }
    assert!(memory.settled(PATIENCE).await);
    let page = conversation.page(None, 1000).await.unwrap();
    let fallback = TallyState::Final(FinalReason::Fallback);
    assert!(page.entries.iter().all(|entry| entry.tally.unwrap().state == fallback));
    assert_eq!((page.totals.pending, page.totals.fallback), (0, MESSAGES));
    assert_sums(&conversation).await;

    // It is back, which a sweep finds out after the fallback's pause.
    is_up.store(true, Ordering::SeqCst);
    let before = memory.sweep().await.unwrap();
    assert_eq!(before.settled, 0);
    clock.advance(Duration::from_mins(1));
    let after = memory.sweep().await.unwrap();
    assert_eq!((after.settled, after.recounted, after.left), (MESSAGES, MESSAGES, 0));
    assert_exact(&conversation).await;
    assert_eq!(conversation.totals().await.unwrap().fallback, 0);

    // What is appended from now on is the provider's at once.
    conversation.append(Message::user("three more words")).await.unwrap();
    assert!(memory.settled(PATIENCE).await);
    assert_exact(&conversation).await;
    memory.shutdown(PATIENCE).await;
}
