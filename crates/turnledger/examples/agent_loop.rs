//! An agent with a tool, whose memory is Turnledger.
//!
//! The model is a script of replies, so that this runs without a network. Everything else is what
//! an agent does: it appends what the user says, asks for a window before each call of the model,
//! appends the model's reply, runs the tools that it calls, and appends their results.
//!
//! ```sh
//! cargo run -p turnledger --example agent_loop
//! ```

use std::collections::VecDeque;
use std::error::Error;
use std::io::Write;
use std::time::Duration;

use turnledger::{
    BpeCounter, Conversation, ConversationId, EmbeddedStore, Memory, Message, Receipt, ToolCall,
    Totals, Window,
};

/// Tokens of the conversation that the model gets to see. It is small, so that the oldest turns
/// fall out of the window while the example runs.
const BUDGET: u64 = 180;

/// How long to wait for counts at the end.
const PATIENCE: Duration = Duration::from_secs(10);

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout().lock()).await?;
    Ok(())
}

/// Runs the whole example, and returns the conversation's totals.
pub(crate) async fn run(out: &mut impl Write) -> Result<Totals, Box<dyn Error>> {
    let memory = Memory::builder()
        .store(EmbeddedStore::builder().in_memory().open_async().await?)
        .counter(BpeCounter::o200k_base())
        .build()
        .await?;
    let conversation = memory.conversation(ConversationId::new("harbour-42")?);
    let mut model = ScriptedModel::new();

    say(out, &conversation, Message::system("You are a harbour pilot. Be brief.")).await?;
    for question in [
        "When is high water in Lisbon and in Porto today?",
        "Which of the two is later?",
        "And in Faro? Tell me the height, too.",
        "Thanks. Where do we go first, then?",
    ] {
        say(out, &conversation, Message::user(question)).await?;
        answer(out, &conversation, &mut model).await?;
    }

    let totals = conversation.settle(PATIENCE).await?;
    writeln!(
        out,
        "\ntotal: {} messages, {} tokens under {}, {} pending",
        totals.messages,
        totals.tokens,
        memory.tally_id(),
        totals.pending,
    )?;
    memory.shutdown(PATIENCE).await;
    Ok(totals)
}

/// Calls the model until it has said all that it wants to, with tools in between.
async fn answer(
    out: &mut impl Write,
    conversation: &Conversation,
    model: &mut ScriptedModel,
) -> Result<(), Box<dyn Error>> {
    loop {
        let window = conversation.window(BUDGET).await?;
        writeln!(
            out,
            "  window: {} of {} messages, {} of {BUDGET} tokens",
            window.len(),
            window.totals.messages,
            window.tokens,
        )?;
        let reply = model.reply(&window)?;
        let calls = reply.tool_calls().to_vec();
        say(out, conversation, reply).await?;
        if calls.is_empty() {
            return Ok(());
        }
        // One batch: the results of parallel calls are written together or not at all.
        let results: Vec<_> = calls.iter().map(run_tool).collect();
        let receipts = conversation.append_many(results.clone()).await?;
        for (result, receipt) in results.iter().zip(&receipts) {
            show(out, result, receipt)?;
        }
    }
}

/// Appends a message and shows the receipt.
async fn say(
    out: &mut impl Write,
    conversation: &Conversation,
    message: Message,
) -> Result<(), Box<dyn Error>> {
    let receipt = conversation.append(message.clone()).await?;
    show(out, &message, &receipt)
}

fn show(out: &mut impl Write, message: &Message, receipt: &Receipt) -> Result<(), Box<dyn Error>> {
    let tally = match receipt.tally {
        Some(tally) => format!("{} tokens, {}", tally.tokens, tally.state),
        None => "not counted".to_owned(),
    };
    let said: String = message.texts().skip(1).collect::<Vec<_>>().join(" ");
    writeln!(out, "#{} {} ({tally}): {said}", receipt.seq, message.role().as_str())?;
    Ok(())
}

/// A model whose replies were written in advance.
struct ScriptedModel {
    replies: VecDeque<Message>,
}

impl ScriptedModel {
    fn new() -> Self {
        let call = |id: &str, port: &str| {
            ToolCall::function(id, "high_water", format!(r#"{{"port":"{port}"}}"#))
        };
        let replies = [
            Message::assistant_calling([call("call-1", "Lisbon"), call("call-2", "Porto")]),
            Message::assistant("High water is at 14:20 in Lisbon and at 14:35 in Porto."),
            Message::assistant("Porto, by a quarter of an hour."),
            Message::assistant_calling([call("call-3", "Faro")]),
            Message::assistant("High water in Faro is at 13:55, 3.1 m."),
            Message::assistant("Faro first, then Lisbon, then Porto."),
        ];
        Self { replies: replies.into() }
    }

    /// Stands for the request to a chat API, which takes `window.to_json()` as its messages.
    fn reply(&mut self, window: &Window) -> Result<Message, &'static str> {
        if window.tokens > BUDGET {
            return Err("the window is over the budget");
        }
        self.replies.pop_front().ok_or("the script has no reply left")
    }
}

/// Looks a port up in the tide table.
fn run_tool(call: &ToolCall) -> Message {
    const TABLE: [(&str, &str); 3] =
        [("Lisbon", "14:20, 3.4 m"), ("Porto", "14:35, 3.3 m"), ("Faro", "13:55, 3.1 m")];
    let arguments = call.arguments().unwrap_or_default();
    let found = TABLE.iter().find(|(port, _)| arguments.contains(port));
    let result = found.map_or("no such port in the table", |(_, high_water)| high_water);
    Message::tool(call.id().unwrap_or_default(), result)
}
