//! The examples below each help.

pub(super) const GENERAL: &str = "\
Examples:
  $ turnledger replay conversations.jsonl
  $ turnledger --store memory: replay --budget 8000 --json conversations.jsonl
  $ turnledger --store redis://127.0.0.1:6379 replay conversations.jsonl
  $ turnledger append support-7 --role user --content 'Where is my parcel?'
  $ turnledger window support-7 --budget 4096
  $ turnledger count --model gpt-4o prompt.txt

Exit codes: 0 done, 1 failed or part failed, 2 wrong usage. Ctrl-C ends a command in good order,
with 1; a second one ends it at once, with 1 as well.";

pub(super) const REPLAY: &str = "\
Input is JSON lines of {\"id\"?, \"messages\": [...]}, a JSON array of the same, or ShareGPT
{\"id\"?, \"conversations\": [{\"from\", \"value\"}]}, in lines or in an array. A conversation without
an id is named by its file's name and its place in it.

Replaying again adds nothing. What the store holds already is compared message by message, at the
same place: equal ones are skipped, another one is a conflict, and the conversation ends there.
What is behind is appended with ids that are made of the place.

An interrupted or failed run tells what it has done, and the same command goes on from there. With
--keep-going only a failure of the store itself ends the run.

In the summary, `seconds` is the time from the first append to the answer to the last one, 0 where
nothing was appended, and `seconds_to_exact` the time from the end of the input until no message was
left uncounted.

Examples:
  $ turnledger replay conversations.jsonl
  $ turnledger replay --budget 8000 monday.jsonl tuesday.json
  $ turnledger replay --json --tallies --encoding cl100k_base conversations.jsonl
  $ zcat dump.json.gz | turnledger replay --format sharegpt --keep-going -";

pub(super) const APPEND: &str = "\
Without --role and --content the messages are read from standard input: one JSON object in the
OpenAI form, or one on each line. All are checked before the first is stored.

Examples:
  $ turnledger append support-7 --role user --content 'Where is my parcel?'
  $ turnledger append support-7 --id msg-12 --role assistant --content 'On its way.'
  $ cat turn.jsonl | turnledger append support-7 --json";

pub(super) const WINDOW: &str = "\
With --json the output is one object; its `messages` are ready to be sent to a chat API.

Examples:
  $ turnledger window support-7
  $ turnledger window support-7 --budget 8000 --json";

pub(super) const SHOW: &str = "\
Examples:
  $ turnledger show support-7
  $ turnledger show support-7 --after 50 --limit 10
  $ turnledger show support-7 --json";

pub(super) const TOTALS: &str = "\
Examples:
  $ turnledger totals support-7
  $ turnledger totals support-7 --json";

pub(super) const LIST: &str = "\
Examples:
  $ turnledger list
  $ turnledger list --namespace tenant-a --json";

pub(super) const EXPORT: &str = "\
A line has a conversation's id and its messages. The ids that messages were appended with are not
kept in it, nor are the tokens: `replay` compares messages by place, and counts anew.

Examples:
  $ turnledger export > all.jsonl
  $ turnledger export support-7 support-8 > two.jsonl";

pub(super) const COPY: &str = "\
A conversation that is in the other store already is compared first, message by message: where it
is the beginning of the one here, the rest is appended; where it is another one, nothing of it is
written. The ids that messages were appended with are not copied: the copies get ids that are made
of their places, as `replay` gives them.

Examples:
  $ turnledger copy --to file:backup.redb
  $ turnledger copy --to file:backup.redb support-7";

pub(super) const DROP_NEWEST: &str = "\
Examples:
  $ turnledger drop-newest support-7 1";

pub(super) const CLEAR: &str = "\
Examples:
  $ turnledger clear support-7
  $ turnledger clear support-7 --yes";

pub(super) const SWEEP: &str = "\
Each conversation has one counter of its own, the last one that worked on it. A sweep settles the
conversations of its own counter, in every namespace. For the namespace it also tells what waits
for another counter, and what this one has not counted because another one is the conversation's
own.

Examples:
  $ turnledger sweep
  $ turnledger sweep --json";

pub(super) const COUNT: &str = "\
Prints tokens, bytes and lines of each file, and their sums where there are several. With --estimate
the estimate follows, and how far it is off in per cent.

With --jsonl each line holds an object with `text`, or with `messages` as they are sent to a model:
those count the sum of their tallies, and 3 for the reply. Other fields are ignored. A line
{\"tokens\": n} is printed for each that is not blank, in order; the first that cannot be counted ends
the run.

Examples:
  $ turnledger count prompt.txt
  $ turnledger count --model gpt-4o --estimate *.md
  $ turnledger count --tokenizer tokenizer.json --json notes.txt
  $ cat prompts.jsonl | turnledger count --jsonl --encoding cl100k_base -";

pub(super) const CONFIG: &str = "\
Examples:
  $ turnledger config show
  $ turnledger config show --json --strict
  $ turnledger --config turnledger.toml config show";

pub(super) const DOCTOR: &str = "\
Asks the Redis of the section [redis], whatever store is the default: its version (7.0 or later) and
memory policy, how long an answer takes, and how much goes through. It writes nothing, and ends at
most 5 s after redis.pool.timeout.

Exits with 1 where the settings cannot be used, no connection or command succeeds, or the version is
not supported. Warnings and advice leave it at 0.

Examples:
  $ turnledger doctor
  $ turnledger --config turnledger.toml doctor --json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  $ turnledger completions bash > turnledger.bash
  $ turnledger completions zsh > _turnledger";
