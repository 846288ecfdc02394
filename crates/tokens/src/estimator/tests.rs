//! The estimates against exact counts. None of these texts was fitted to.

use memory_core::{CounterId, Framing, Limits, Message, TokenCounter};
use proptest::prelude::*;

use super::*;
use crate::BpeCounter;

const SAMPLES: [(&str, &str); 14] = [
    (
        "English prose",
        "The lighthouse keeper had three rules. The lamp was to be lit before the sun touched the \
         water, the log was to be written before supper, and nobody was to whistle on the stairs. \
         He could explain the first two to any inspector who cared to climb so far; the third had \
         come with the house, like the smell of paraffin and the crack in the kitchen window.",
    ),
    (
        "English chat",
        "hey, quick question :) i booked two seats for friday but the email only shows one?? \
         can you check pls. Order no. is 7731902, name's Tomasz. also - is the 9:40 still running \
         or did they cancel it again lol. thanks!!",
    ),
    (
        "Rust",
        "impl<T: Clone> Ring<T> {\n    pub fn push(&mut self, value: T) -> Option<T> {\n        let \
         slot = self.head % self.items.len();\n        self.head += 1;\n        \
         self.items[slot].replace(value)\n    }\n\n    /// Returns the newest value.\n    pub fn \
         newest(&self) -> Option<&T> {\n        self.items.get(self.head.checked_sub(1)?)?\
         .as_ref()\n    }\n}\n",
    ),
    (
        "Python",
        "def moving_average(values: list[float], width: int = 5) -> list[float]:\n    \"\"\"Return \
         the mean of each window.\"\"\"\n    if width < 1:\n        raise ValueError(f\"width must \
         be positive, not {width}\")\n    total, result = 0.0, []\n    for index, value in \
         enumerate(values):\n        total += value\n        if index >= width:\n            total \
         -= values[index - width]\n        result.append(total / min(index + 1, width))\n    return \
         result\n",
    ),
    (
        "JSON",
        "{\"reservation_id\": \"QX4R7P\", \"user\": {\"id\": \"mia_keller_4821\", \"email\": \
         \"mia.keller@example.com\"}, \"flights\": [{\"number\": \"HAT271\", \"origin\": \"JFK\", \
         \"destination\": \"SEA\", \"date\": \"2024-05-16\", \"price\": 184}, {\"number\": \
         \"HAT018\", \"origin\": \"SEA\", \"destination\": \"SFO\", \"date\": \"2024-05-17\", \
         \"price\": 93}], \"insurance\": false, \"bags\": 2}",
    ),
    (
        "Markdown",
        "# Installing\n\n1. Download the archive for your system.\n2. Unpack it: `tar xf \
         tool-1.4.tar.gz`\n3. Run `./tool --help`.\n\n## Options\n\n| option | default | meaning \
         |\n|---|---|---|\n| `--jobs N` | 4 | how many files at once |\n| `--quiet` | off | print \
         errors only |\n\n> **Note:** see [the guide](docs/guide.md) before you upgrade.\n",
    ),
    (
        "Chinese",
        "老渔夫每天清晨出海,傍晚才回来。他说大海像一本书,每一页都不一样。年轻人问他为什么不换一条\
         更大的船,他笑了笑:船大了,就听不见水的声音了。后来村里修了新的码头,游客越来越多,他还是\
         划着那条旧木船。",
    ),
    (
        "Japanese",
        "朝早く起きて、海辺を散歩するのが好きです。波の音を聞きながら歩いていると、昨日の悩みが小さく\
         見えてきます。帰り道に小さなパン屋さんがあって、焼きたてのクロワッサンとコーヒーを買うのが\
         いつもの楽しみになっています。",
    ),
    (
        "Korean",
        "어제는 하루 종일 비가 와서 집에서 책을 읽었습니다. 저녁에는 친구가 전화를 해서 다음 주말에 \
         같이 산에 가자고 했습니다. 날씨가 좋아지면 좋겠지만, 비가 와도 우산을 쓰고 천천히 걸으면 \
         괜찮을 것 같습니다.",
    ),
    (
        "Russian",
        "Старый мельник каждое утро выходил на крыльцо и смотрел на реку. Если вода поднималась до \
         третьей ступени, он знал, что через два дня привезут зерно. Никто в деревне не понимал, как \
         он это угадывает, а он только улыбался и просил принести ему свежего хлеба.",
    ),
    (
        "Arabic",
        "في كل صباح يفتح صاحب المقهى بابه قبل شروق الشمس، ويضع الكراسي على الرصيف، ثم ينتظر أول \
         الزبائن. يقول إن أجمل ما في المدينة هو صوتها قبل أن تستيقظ، وإن القهوة لا طعم لها بعد الظهر.",
    ),
    (
        "Hindi",
        "हर सुबह दादाजी आँगन में बैठकर अख़बार पढ़ते थे और चाय ठंडी हो जाती थी। दादी कहती थीं कि ख़बरें \
         तो शाम को भी वही रहेंगी, लेकिन चाय नहीं। हम बच्चे हँसते थे और दौड़कर रसोई से दूसरा प्याला ले आते थे।",
    ),
    (
        "German",
        "Der Fährmann wartete, bis der Nebel sich hob. Drüben, am anderen Ufer, stand schon die \
         Lehrerin mit ihren Büchern und winkte. Früher hätte er gerufen, dass es noch zu gefährlich \
         sei; heute löste er nur schweigend das Tau und schob das Boot ins Wasser.",
    ),
    (
        "emoji",
        "That's great news 🎉🎉 see you at 8 👍 bring snacks 🍕🍿 and the dog 🐶❤️ lol 😂😂 can't wait \
         ✨ (parking is round the back 🚗)",
    ),
];

fn encodings() -> [(BpeCounter, Estimator); 2] {
    [
        (BpeCounter::o200k_base(), Estimator::o200k_base()),
        (BpeCounter::cl100k_base(), Estimator::cl100k_base()),
    ]
}

/// How far a guess is from the exact count, as a share of it.
#[expect(clippy::cast_precision_loss, reason = "counts of tokens here are small")]
fn off(guess: u64, exact: u64) -> f64 {
    guess.abs_diff(exact) as f64 / exact as f64
}

#[test]
fn estimates_are_near_and_far_better_than_a_quarter_of_the_bytes() {
    for (counter, estimator) in encodings() {
        let (mut sum, mut sum_of_quarters) = (0.0, 0.0);
        for (kind, text) in SAMPLES {
            let exact = counter.count(text).unwrap() as u64;
            let guess = estimator.estimate(text);
            let error = off(guess, exact);
            println!("{} {kind}: {guess} for {exact}, {:.1} %", counter.id(), 100.0 * error);
            assert!(error < 0.25, "{} {kind}: {guess} for {exact}", counter.id());
            sum += error;
            sum_of_quarters += off(text.len().div_ceil(4) as u64, exact);
        }
        let kinds = f64::from(u32::try_from(SAMPLES.len()).unwrap());
        assert!(sum / kinds < 0.10, "{}: mean {:.3}", counter.id(), sum / kinds);
        assert!(sum < sum_of_quarters / 2.0, "{}: {sum} {sum_of_quarters}", counter.id());
    }
}

#[test]
fn short_texts_are_not_far_off() {
    let check = |text: &str, least: u64, most: u64| {
        let guess = Estimator::default().estimate(text);
        assert!((least..=most).contains(&guess), "{guess} for {text:?}");
    };
    check("", 0, 0);
    check("a", 1, 1);
    check("user", 1, 1);
    check("system", 1, 1);
    check("assistant", 1, 2);
    check("get_flight_details", 2, 5);
    check("Yes, please.", 3, 5);
    check("é", 1, 2);
    check("🚞", 1, 4);
    check("\u{0}", 1, 1);
}

#[test]
fn most_counts_are_within_their_intervals() {
    for (counter, estimator) in encodings() {
        let mut outside = Vec::new();
        for (kind, text) in SAMPLES {
            let exact = counter.count(text).unwrap() as u64;
            let interval = estimator.interval(text);
            if !(interval.lower..=interval.upper).contains(&exact) {
                outside.push(format!("{kind}: {interval:?} for {exact}"));
            }
            assert!(2 * interval.lower > interval.upper / 2, "{kind}: {interval:?} says little");
        }
        assert!(outside.len() <= 2, "{}: {outside:#?}", counter.id());
    }
}

#[test]
fn a_counters_estimator_is_that_of_its_encoding() {
    let hindi = SAMPLES[11].1;
    let estimate = |id: &str| Estimator::for_counter(&CounterId::new(id).unwrap()).estimate(hindi);
    assert_eq!(estimate("o200k_base"), Estimator::o200k_base().estimate(hindi));
    assert_eq!(estimate("cl100k_base"), Estimator::cl100k_base().estimate(hindi));
    assert_eq!(estimate("a team's own"), Estimator::default().estimate(hindi));
    assert!(estimate("cl100k_base") > 2 * estimate("o200k_base"));
}

#[test]
fn reading_in_stripes_costs_little_accuracy() {
    let estimator = Estimator::default();
    for (kind, text) in SAMPLES {
        let long = text.repeat(16);
        let error = off(estimator.estimate(&long), 16 * estimator.estimate(text));
        assert!(error < 0.02, "{kind}: {error}");
    }
}

proptest! {
    #[test]
    fn an_estimate_is_between_one_and_the_bytes(text in any::<String>(), times in 1_usize..400) {
        for (_, estimator) in encodings() {
            for text in [text.clone(), text.repeat(times)] {
                let (guess, bytes) = (estimator.estimate(&text), text.len() as u64);
                prop_assert!((bytes.min(1)..=bytes).contains(&guess));
                prop_assert_eq!(guess, estimator.estimate(&text));
                let interval = estimator.interval(&text);
                prop_assert_eq!(interval.estimate, guess);
                prop_assert!(interval.lower <= guess && guess <= interval.upper);
                prop_assert!((bytes.min(1)..=bytes).contains(&interval.lower));
                prop_assert!(interval.upper <= bytes);
            }
        }
    }
}

/// The folder with real conversations, where there is one.
#[test]
fn estimates_of_real_messages_are_near() {
    let Some(folder) = std::env::var_os("TURNLEDGER_TEST_DATA").map(std::path::PathBuf::from)
    else {
        println!("left out: TURNLEDGER_TEST_DATA names no folder with conversations");
        return;
    };
    let read = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let json = |line: &str| serde_json::from_str::<serde_json::Value>(line).unwrap();
    let conversations = read("airline-conversations.jsonl");
    let expected = read("airline-conversations.expected.jsonl");
    let framing = Framing::openai_chat_1();
    for (counter, estimator) in encodings() {
        let (mut absolute, mut absolute_of_quarters, mut guessed, mut counted) = (0, 0, 0, 0);
        for (line, tallies) in conversations.lines().zip(expected.lines()) {
            let (conversation, tallies) = (json(line), json(tallies));
            let messages = conversation["messages"].as_array().unwrap();
            let tallies = tallies[counter.id().as_str()].as_array().unwrap();
            assert_eq!(messages.len(), tallies.len());
            for (message, tally) in messages.iter().zip(tallies) {
                let message = Message::from_json(&message.to_string(), &Limits::default()).unwrap();
                let exact = tally.as_u64().unwrap();
                let tally = framing.tally(&message, |text| counter.count(text).map(|n| n as u64));
                assert_eq!(tally.unwrap().tokens, exact, "the counter equals the reference");
                let guess = framing.estimate(&message, |text| estimator.estimate(text)).tokens;
                let quarter = framing.estimate(&message, |text| text.len().div_ceil(4) as u64);
                assert!(guess / 2 <= exact, "{guess} for {exact}");
                absolute += guess.abs_diff(exact);
                absolute_of_quarters += quarter.tokens.abs_diff(exact);
                guessed += guess;
                counted += exact;
            }
        }
        println!(
            "{}: off by {absolute} of {counted} tokens, a quarter of the bytes by \
             {absolute_of_quarters}; {guessed} in all",
            counter.id()
        );
        assert!(counted > 100_000, "{counted}");
        assert!(absolute < absolute_of_quarters / 2, "{absolute} {absolute_of_quarters}");
        assert!(off(guessed, counted) < 0.10, "{guessed} {counted}");
    }
}
