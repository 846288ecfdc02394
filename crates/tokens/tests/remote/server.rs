//! A provider on this machine that does what a test wants.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

/// A request as it came.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// From 0, over all connections.
    pub(crate) number: usize,
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    /// The text that is to be counted, in either form.
    pub(crate) fn text(&self) -> &str {
        let anthropic = &self.body["messages"][0]["content"];
        let gemini = &self.body["contents"][0]["parts"][0]["text"];
        anthropic.as_str().or(gemini.as_str()).unwrap()
    }
}

/// What comes back.
pub(crate) enum Reply {
    Answer {
        status: u16,
        headers: &'static str,
        body: String,
    },
    /// The connection ends without an answer.
    Close,
    /// Nothing comes, ever.
    Never,
}

impl Reply {
    pub(crate) fn status(status: u16, headers: &'static str) -> Self {
        Self::Answer { status, headers, body: "{\"error\":\"hush\"}".to_owned() }
    }

    pub(crate) fn body(body: impl Into<String>) -> Self {
        Self::Answer { status: 200, headers: "", body: body.into() }
    }

    /// A count in Anthropic's form: one token for each character, and seven around them.
    pub(crate) fn anthropic(seen: &Seen) -> Self {
        let tokens = seen.text().chars().count() + 7;
        Self::body(format!("{{\"input_tokens\":{tokens}}}"))
    }
}

type Answering = dyn Fn(Seen) -> Pin<Box<dyn Future<Output = Reply> + Send>> + Send + Sync;

/// Ends with its owner.
pub(crate) struct Server {
    pub(crate) url: String,
    seen: Arc<Mutex<Vec<Seen>>>,
    listening: JoinHandle<()>,
}

impl Server {
    /// Answers each request at once.
    pub(crate) async fn start(reply: impl Fn(&Seen) -> Reply + Send + Sync + 'static) -> Self {
        let reply = Arc::new(reply);
        Self::start_async(move |seen| {
            let reply = Arc::clone(&reply);
            async move { reply(&seen) }
        })
        .await
    }

    pub(crate) async fn start_async<F>(reply: impl Fn(Seen) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Reply> + Send + 'static,
    {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let shared: Arc<Answering> = Arc::new(move |seen| Box::pin(reply(seen)));
        let (noted, numbers) = (Arc::clone(&seen), Arc::new(AtomicUsize::new(0)));
        let listening = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (reply, noted) = (Arc::clone(&shared), Arc::clone(&noted));
                tokio::spawn(serve(stream, reply, noted, Arc::clone(&numbers)));
            }
        });
        Self { url, seen, listening }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.listening.abort();
    }
}

async fn serve(
    stream: TcpStream,
    reply: Arc<Answering>,
    noted: Arc<Mutex<Vec<Seen>>>,
    numbers: Arc<AtomicUsize>,
) {
    let mut stream = BufReader::new(stream);
    while let Some((line, headers, body)) = read(&mut stream).await {
        let number = numbers.fetch_add(1, Ordering::SeqCst);
        let seen = Seen { number, line, headers, body };
        noted.lock().unwrap().push(seen.clone());
        match reply(seen).await {
            Reply::Close => return,
            Reply::Never => std::future::pending().await,
            Reply::Answer { status, headers, body } => {
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 {status} X\r\n{headers}content-length: {length}\r\n\r\n{body}"
                );
                if stream.write_all(answer.as_bytes()).await.is_err() {
                    return;
                }
            }
        }
    }
}

/// A request; none where the other side has gone.
async fn read(stream: &mut BufReader<TcpStream>) -> Option<(String, Vec<(String, String)>, Value)> {
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await.ok()? == 0 {
            return None;
        }
        match line.trim_end() {
            "" => break,
            line => lines.push(line.to_owned()),
        }
    }
    let first = lines.remove(0);
    let headers: Vec<_> = lines
        .iter()
        .filter_map(|line| line.split_once(": "))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    let length = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("content-length"));
    let mut body = vec![0; length.map_or(0, |(_, length)| length.parse().unwrap())];
    stream.read_exact(&mut body).await.ok()?;
    Some((first, headers, serde_json::from_slice(&body).unwrap()))
}
