"""What the tests of the guides share."""

import functools
import pathlib
import re
import shlex
import subprocess
import sys
import tempfile

from cli import ROOT, leat

DOC = ROOT / "doc"


def up_to_date(tap, script, *names):
    """Made again, the files are the same."""
    with tempfile.TemporaryDirectory() as folder:
        made = subprocess.run(
            [sys.executable, DOC / script, folder], capture_output=True, text=True, check=False
        )
        tap.check(f"{script} can make what it should", made.returncode == 0, made.stderr)
        for name in names:
            fresh = pathlib.Path(folder) / name
            text = fresh.read_text(encoding="utf-8") if fresh.exists() else ""
            tap.same(f"{name} is up to date", (DOC / name).read_text(encoding="utf-8"), text)


@functools.cache
def anchors(path):
    """What links into a file can name: marks of our own, and headings as GitHub turns them into names."""
    text = path.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.*)$", text, re.M)
    return set(re.findall(r'<a id="([^"]+)">', text)) | {
        re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings
    }


def links(tap, *names):
    for name in names:
        text = (DOC / name).read_text(encoding="utf-8")
        dead = set()
        for target in re.findall(r"\]\(([^)]+)\)", text):
            file, _, anchor = target.partition("#")
            path = DOC / (file or name)
            if not path.exists() or (anchor and anchor not in anchors(path)):
                dead.add(target)
        tap.same(f"{name}: no dead links", sorted(dead), [])


def options(tap, guide, dialect, commands, others):
    """Each option that the guide names is one of the commands that it is about; others are lines of other programs."""
    named = set(re.findall(r"--[a-z][a-z0-9-]+", re.sub(others, "", guide, flags=re.M)))
    known = set(re.findall(r"--[a-z][a-z0-9-]+", "".join(
        leat(dialect, command, "--help").out.decode() for command in commands
    )))
    tap.check("the guide names options", len(named) > 5, named)
    tap.same("they exist", sorted(named - known), [])


def benchmarks(tap, guide, folder):
    """The guide names the benchmarks that the folder has."""
    named = re.findall(r"^    meson test --benchmark .* --verbose (.*)$", guide, re.M)
    text = (ROOT / "tests" / "bench" / folder / "meson.build").read_text()
    known = re.findall(r"^ *benchmark\('([a-z_]+)'(?! \+)", text, re.M)
    for names, loop in re.findall(r"^foreach name : \[([^]]*)\]\n *benchmark\('([a-z_]+)' \+ name", text, re.M):
        known += [loop + name for name in re.findall(r"'([a-z_]+)'", names)]
    tap.same("the guide names the benchmarks", [sorted(names.split()) for names in named], [sorted(known)])


def commands(guide, pattern):
    """The commands of the program that the guide shows, each as its words."""
    text = guide.replace("\\\n", "")
    return [shlex.split(line) for line in re.findall(rf"^    leat ({pattern})$", text, re.M)]
