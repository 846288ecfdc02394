"""Takes texts out of the files that packages ship."""

import html
import json
import re
import struct
import zipfile

SCRIPTS = {
    "latin": "A-Za-z",
    "han": "\u4e00-\u9fff",
    "kana": "\u3040-\u30ff",
    "hangul": "\uac00-\ud7af",
    "cyrillic": "\u0400-\u04ff",
    "arabic": "\u0600-\u06ff",
    "devanagari": "\u0900-\u097f",
}


def read(path):
    """A file as text; nothing where it is not UTF-8."""
    try:
        return path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        return ""


def page(path):
    """The paragraphs of an HTML, Mallard or DocBook file, a line each."""
    text = read(path)
    body = text.find("<body")
    text = re.sub(r"<(script|style)\b.*?</\1>", " ", text[max(body, 0):], flags=re.S)
    text = re.sub(r"<!--.*?-->|<\?.*?\?>", " ", text, flags=re.S)
    # A line break in the source is a blank; a block's end is a line break.
    text = re.sub(r"\s+", " ", text)
    text = re.sub(r"</?(p|div|li|h\d|td|th|tr|dt|dd|title|item|br|pre)\b[^>]*>", "\n", text)
    return html.unescape(re.sub(r"<[^>]*>", "", text))


def messages(path):
    """The translations of a gettext catalogue (.mo), a line each."""
    data = path.read_bytes()
    if data[:4] not in (b"\xde\x12\x04\x95", b"\x95\x04\x12\xde"):
        return ""
    order = "<" if data[0] == 0xDE else ">"
    count, _, table = struct.unpack_from(order + "III", data, 8)
    # The first entry is the catalogue's head.
    return "\n".join(_translations(data, order, table, range(1, count)))


def _translations(data, order, table, places):
    for place in places:
        length, start = struct.unpack_from(order + "II", data, table + 8 * place)
        for plural in data[start:start + length].split(b"\0"):
            yield plural.decode("utf-8", "ignore")


def catalogue(path):
    """The translations of a gettext source (.po), a line each."""
    found = re.findall(r'(?m)^msgstr(?:\[\d\])? ((?:"(?:[^"\\]|\\.)*"\s*)+)', read(path))
    joined = ("".join(re.findall(r'"((?:[^"\\]|\\.)*)"', text)) for text in found[1:])
    return "\n".join(_unescape(text) for text in joined)


def _unescape(text):
    return re.sub(r"\\(.)", lambda found: {"n": "\n", "t": "\t"}.get(found[1], found[1]), text)


def properties(path):
    """The values of the property and Fluent files in a browser's language pack, a line each."""
    lines = []
    with zipfile.ZipFile(path) as pack:
        for name in sorted(pack.namelist()):
            if name.endswith((".properties", ".ftl")):
                text = pack.read(name).decode("utf-8", "ignore")
                lines += re.findall(r"(?m)^(?:[\w.-]+)\s*=\s*(.{3,})$", text)
    return "\n".join(lines)


def interface(path):
    """The values of a JSON file of messages, a line each."""
    values = json.loads(read(path) or "{}")
    return "\n".join(text for text in values.values() if isinstance(text, str))


def epigrams(path):
    """The texts of a fortune file."""
    return [text.strip() for text in read(path).split("\n%\n")]


def in_script(text, script, least=12):
    """The lines of a text whose letters are of a script for the greater part."""
    own = re.compile(f"[{SCRIPTS[script]}]")
    kept = []
    for line in text.split("\n"):
        line = re.sub(r"[ \t\u00a0]+", " ", line).strip()
        letters = re.sub(r"[\W\d_]", "", line)
        if len(line) >= least and len(own.findall(line)) > 0.5 * max(len(letters), 1):
            kept.append(line)
    return kept
