"""Where the texts of each kind come from.

Each kind is a list of sources. A source is the most bytes that it may give, and a function that
yields its documents. Sources with a small share come first; the last one fills up.
"""

import gzip
import json
import re

from extract import (
    catalogue, epigrams, in_script, interface, messages, page, properties, read,
)

MEGABYTE = 1_000_000
# Bytes of what is one file, and of lines that were taken from many places.
LONGEST_DOCUMENT = 40_000
LONGEST_JOINED = 8_000
HISTORIES = ("CHANGELOG", "CHANGES", "RELEASE")
OFFICES = ("gnucash-common", "evolution-common", "pidgin-data")
# Crates of constants and declarations only.
BINDINGS = ("libc-", "linux-raw-sys-", "windows")
LEGAL = ("LICENSE", "CODE_OF_CONDUCT")
EMOJI = re.compile("[\U0001f300-\U0001faff\u2600-\u27bf]")


def kinds(packages):
    """The sources of every kind."""
    return {
        "english_prose": english_prose(packages),
        "english_chat": english_chat(packages),
        "rust": [(3 * MEGABYTE, lambda: crate_files(packages, "src/**/*.rs"))],
        "python": python(packages),
        "json": objects(packages),
        "markdown": [
            (3 * MEGABYTE, lambda: crate_files(packages, "**/*.md")),
            (3 * MEGABYTE, lambda: crate_files(packages, "**/*.md", HISTORIES)),
        ],
        "chinese": [
            fortunes(packages, "fortunes-zh", "han"),
            translated(packages, "zh_CN", "zh-hans", "han"),
            handbook(packages, "zh-CN", "han"),
            help_pages(packages, "zh-cn", "han"),
        ],
        "japanese": [
            translated(packages, "ja", "ja", "kana"),
            handbook(packages, "ja-JP", "kana"),
            reference(packages, "ja", "kana"),
            help_pages(packages, "ja", "kana"),
        ],
        "korean": [
            translated(packages, "ko", "ko", "hangul"),
            handbook(packages, "ko-KR", "hangul"),
            help_pages(packages, "ko", "hangul"),
        ],
        "russian": [
            fortunes(packages, "fortunes-ru", "cyrillic"),
            translated(packages, "ru", "ru", "cyrillic"),
            handbook(packages, "ru-RU", "cyrillic"),
            help_pages(packages, "ru", "cyrillic"),
        ],
        "arabic": [
            handbook(packages, "ar-MA", "arabic"),
            office(packages, "ar", "arabic"),
            office(packages, "ar", "arabic", OFFICES),
            browser(packages, "ar", "arabic"),
            translated(packages, "ar", "ar", "arabic"),
        ],
        "hindi": [
            translated(packages, "hi", "hi", "devanagari"),
            office(packages, "hi", "devanagari"),
            office(packages, "hi", "devanagari", OFFICES),
            help_pages(packages, "hi", "devanagari"),
        ],
        "emoji_mixed": emoji_mixed(packages),
    }


def english_prose(packages):
    def pages(package, pattern):
        for path in sorted(packages.debian(package).glob(pattern)):
            yield from joined(in_script(page(path), "latin", least=60))

    return [
        (400_000, lambda: pages("developers-reference", "**/*.html")),
        (400_000, lambda: pages("debian-history", "**/*.en.html")),
        (600_000, lambda: pages("gnome-user-docs", "**/help/C/**/*.page")),
        (800_000, lambda: pages("debian-handbook", "**/html/en-US/*.html")),
        (3 * MEGABYTE, lambda: pages("anarchism", "**/html/*.html")),
    ]


def english_chat(packages):
    def talks():
        for place, talk in enumerate(conversations(packages)):
            if place % 8:
                # One person's messages follow one another; a blank line is the other's turn.
                yield "\n\n".join("\n".join(line["text"] for line in turn) for turn in talk)

    return [fortunes(packages, "fortunes", "latin", 500_000), (3 * MEGABYTE, talks)]


def python(packages):
    def files(name, version):
        for path in sorted(packages.wheel(name, version).glob("**/*.py")):
            if "/locale/" not in str(path):
                yield from bounded(read(path))

    return [
        (500_000, lambda: files("rich", "15.0.0")),
        (800_000, lambda: files("networkx", "3.6.1")),
        (3 * MEGABYTE, lambda: files("django", "5.2.19")),
    ]


def objects(packages):
    def talks():
        for place, talk in enumerate(conversations(packages)):
            if place % 8 == 0:
                yield json.dumps({"messages": talk}, ensure_ascii=False)

    def payloads():
        folder = packages.npm("@octokit/webhooks-examples", "7.6.1")
        for path in sorted(folder.glob("**/api.github.com/index.json")):
            for event in json.loads(read(path)):
                for example in event["examples"]:
                    yield from bounded(json.dumps(example, indent=2, ensure_ascii=False))

    def requests():
        folder = packages.wheel("botocore", "1.44.5")
        for path in sorted(folder.glob("**/examples-1.json")):
            for examples in json.loads(read(path)).get("examples", {}).values():
                yield from bounded(json.dumps(examples, separators=(",", ":"), ensure_ascii=False))

    def services():
        folder = packages.wheel("botocore", "1.44.5")
        for path in sorted(folder.glob("**/service-2.json.gz")):
            service = json.loads(gzip.decompress(path.read_bytes()))
            yield from bounded(json.dumps(service["operations"], indent=2, ensure_ascii=False))

    def countries():
        for path in sorted(packages.debian("iso-codes").glob("**/json/iso_*.json")):
            yield from bounded(read(path))

    return [
        (400_000, talks),
        (600_000, countries),
        (900_000, payloads),
        (900_000, requests),
        (3 * MEGABYTE, services),
    ]


def emoji_mixed(packages):
    data = ("emojibase-data", "17.0.0")

    def annotations():
        for path in sorted(packages.npm(*data).glob("package/*/data.json")):
            lines = []
            for emoji in json.loads(read(path)):
                skins = "".join(skin["emoji"] for skin in emoji.get("skins", []))
                tags = ", ".join(emoji.get("tags", []))
                lines.append(f"{emoji['emoji']}{skins} {emoji['label']}: {tags}")
            yield from joined(lines)

    def readmes():
        for text in crate_files(packages, "**/*.md"):
            yield from joined([line for line in text.split("\n") if EMOJI.search(line)])

    def languages():
        folder = packages.debian("mediawiki") / "usr/share/mediawiki/languages/i18n"
        for path in sorted(folder.glob("*.json")):
            yield from joined(in_any(interface(path)))

    return [
        (100_000, readmes),
        (1_200_000, annotations),
        (3 * MEGABYTE, languages),
    ]


def in_any(text):
    return [line for line in text.split("\n") if len(line) >= 12]


def conversations(packages):
    folder = packages.wheel("chitchat-dataset", "0.9.0")
    talks = json.loads(read(folder / "chitchat_dataset/dataset.json"))
    return [talks[key]["messages"] for key in sorted(talks)]


def crate_files(packages, pattern, names=None):
    """Files of crates: those whose names begin so, or all but histories and legal texts."""
    for crate, folder in packages.crates().items():
        if crate.startswith(BINDINGS):
            continue
        for path in sorted(folder.glob(pattern)):
            name = path.name.upper()
            if name.startswith(names) if names else not name.startswith(HISTORIES + LEGAL):
                yield from bounded(read(path))


def fortunes(packages, package, script, most=400_000):
    def texts():
        for path in sorted(packages.debian(package).glob("usr/share/games/fortunes/**/*")):
            if path.is_file() and path.suffix in ("", ".fortunes"):
                for text in epigrams(path):
                    if in_script(text, script):
                        yield text

    return (most, texts)


def handbook(packages, language, script):
    def pages():
        for path in sorted(packages.debian("debian-handbook").glob(f"**/html/{language}/*.html")):
            yield from joined(in_script(page(path), script))

    return (700_000, pages)


def reference(packages, language, script):
    def pages():
        for path in sorted(packages.debian(f"debian-reference-{language}").glob("**/*.html")):
            yield from joined(in_script(page(path), script))

    return (400_000, pages)


def help_pages(packages, language, script):
    def pages():
        for path in sorted(packages.debian(f"libreoffice-help-{language}").glob("**/*.html")):
            yield from joined(in_script(page(path), script))

    return (3 * MEGABYTE, pages)


def office(packages, language, script, names=None):
    """Messages of programs for the office and the desktop."""

    def files():
        for name in names or [f"libreoffice-l10n-{language}"]:
            for path in sorted(packages.debian(name).glob(f"**/{language}/LC_MESSAGES/*.mo")):
                yield from joined(in_script(messages(path), script))

    return (900_000, files)


def browser(packages, language, script):
    def files():
        for path in sorted(packages.debian(f"firefox-esr-l10n-{language}").glob("**/*.xpi")):
            yield from joined(in_script(properties(path), script))

    return (400_000, files)


def translated(packages, language, wiki, script):
    """Messages of programs: sites, shops and a wiki."""

    def texts():
        sources = [
            (packages.debian("gnome-user-docs"), f"**/help/{language}/**/*.page", page),
            (packages.wheel("django", "5.2.19"), f"**/locale/{language}/**/*.po", catalogue),
            (packages.wheel("pretix", "2026.8.0"), f"**/locale/{language}/**/*.mo", messages),
            (packages.debian("mediawiki"), f"**/i18n/**/{wiki}.json", interface),
        ]
        for folder, pattern, extract in sources:
            for path in sorted(folder.glob(pattern)):
                yield from joined(in_script(extract(path), script))

    return (1_200_000 if language not in ("ar", "hi") else 3 * MEGABYTE, texts)


def joined(lines):
    """The lines as documents of a bounded length, cut between lines."""
    document, length = [], 0
    for line in lines:
        document.append(line)
        length += len(line.encode())
        if length > LONGEST_JOINED:
            yield "\n".join(document)
            document, length = [], 0
    if document:
        yield "\n".join(document)


def bounded(text):
    """The beginning of a text, cut at a line's end: so no file makes up a kind."""
    if len(text) <= LONGEST_DOCUMENT:
        yield text
        return
    end = text.rfind("\n", 0, LONGEST_DOCUMENT)
    if end > 0:
        yield text[:end]
