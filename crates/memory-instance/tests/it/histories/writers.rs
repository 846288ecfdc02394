//! Writers that append at the same time.

use memory_core::{Message, MessageId, Seq};
use memory_instance::{Conversation, Entry, MemoryError, Receipt};

use super::model::{Life, can_be_counted, message};
use super::step::{Draft, Writer};
use super::world::{World, counts_first};

/// A batch, and what became of it.
struct Written {
    messages: Vec<(Option<u8>, Message)>,
    result: Result<Vec<Receipt>, MemoryError>,
}

impl World {
    pub(super) async fn append(&mut self, writers: &[Writer]) {
        let tasks: Vec<_> = writers
            .iter()
            .map(|writer| {
                let conversation = self.conversation(writer.memory, writer.conversation);
                let batches: Vec<_> =
                    writer.batches.iter().map(|drafts| self.draw(drafts)).collect();
                (writer, tokio::spawn(write(conversation, batches)))
            })
            .collect();
        let mut repeats = Vec::new();
        for (writer, task) in tasks {
            let written = self.until(task).await.unwrap();
            let place = usize::from(writer.conversation);
            let counts_first = counts_first(writer.memory);
            let life = &mut self.lives[place];
            repeats.extend(
                note(life, written, counts_first).into_iter().map(|written| (place, written)),
            );
        }
        for (place, (id, seq)) in repeats {
            assert_eq!(self.lives[place].ids.get(&id), Some(&seq), "the seq of a repeat of {id}");
        }
    }

    fn draw(&mut self, drafts: &[Draft]) -> Vec<(Option<u8>, Message)> {
        let mut draw = |draft: &Draft| {
            self.serial += 1;
            let message = message(*draft, self.serial);
            self.uncountable += u64::from(!can_be_counted(&message));
            (draft.id, message)
        };
        drafts.iter().map(&mut draw).collect()
    }
}

async fn write(
    conversation: Conversation,
    batches: Vec<Vec<(Option<u8>, Message)>>,
) -> Vec<Written> {
    let mut written = Vec::with_capacity(batches.len());
    for messages in batches {
        let entries = messages.iter().map(|(id, message)| {
            let entry = Entry::new(message.clone());
            match id {
                Some(id) => entry.with_id(MessageId::new(id.to_string()).unwrap()),
                None => entry,
            }
        });
        let result = conversation.append_many(entries).await;
        written.push(Written { messages, result });
    }
    written
}

/// Takes over what a writer's receipts say, and returns the repeats to be checked: another
/// writer's receipt may say of them that they are new.
fn note(life: &mut Life, written: Vec<Written>, counts_first: bool) -> Vec<(u8, u64)> {
    let mut repeats = Vec::new();
    let mut newest = 0;
    for Written { messages, result } in written {
        let receipts = match result {
            Ok(receipts) => receipts,
            Err(error) => {
                // What cannot be counted is not written; a count that hangs ends by its deadline.
                let may_fail = matches!(error, MemoryError::Count { .. });
                assert!(counts_first && may_fail, "{error}");
                continue;
            }
        };
        assert_eq!(receipts.len(), messages.len());
        let first_new = receipts.iter().find(|receipt| receipt.new).map(|receipt| receipt.seq);
        let mut next = first_new.map_or(0, Seq::get);
        for (receipt, (id, message)) in receipts.iter().zip(messages) {
            let seq = receipt.seq.get();
            let epoch = *life.epoch.get_or_insert(receipt.epoch);
            assert_eq!(receipt.epoch, epoch, "one life, one epoch");
            if counts_first && receipt.new {
                assert!(can_be_counted(&message), "seq {seq} was not counted first");
            }
            if receipt.new {
                assert!(seq > newest, "a writer's order: {seq} after {newest}");
                assert_eq!(seq, next, "the new messages of a batch stand together");
                (newest, next) = (seq, next + 1);
                let other = life.messages.insert(seq, message);
                assert_eq!(other, None, "seq {seq} was given twice");
                if let Some(id) = id {
                    assert_eq!(life.ids.insert(id, seq), None, "id {id} is new twice");
                }
            } else {
                repeats.push((id.expect("only what has an id is a repeat"), seq));
            }
        }
    }
    repeats
}
