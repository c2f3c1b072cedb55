# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""The source tree as the checks see it: what git tracks, and what it would track."""

import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SKIPPED_FOLDERS = (".git", "__pycache__")


def root():
    """The tree to check: the argument, else the one this file is in."""
    return os.path.abspath(sys.argv[1] if len(sys.argv) > 1 else os.path.join(HERE, "..", ".."))


def walk(top):
    for folder, folders, names in os.walk(top):
        # A build folder may have any name.
        folders[:] = [name for name in folders if name not in SKIPPED_FOLDERS
                      and not os.path.exists(os.path.join(folder, name, "build.ninja"))]
        for name in names:
            yield os.path.relpath(os.path.join(folder, name), top)


def files(top):
    """Paths of all source files from the top, sorted. A tree without git has no others than its files."""
    if os.path.exists(os.path.join(top, ".git")):
        # The tree may belong to another user than the one who checks it.
        git = ["git", "-c", "safe.directory=*", "-C", top]
        list_files = [*git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
        paths = subprocess.run(list_files, check=True, capture_output=True, text=True).stdout.split("\0")
    else:
        paths = walk(top)
    return sorted({path for path in paths if os.path.isfile(os.path.join(top, path))})


def text(top, path):
    """The text of a file, or None for a binary one."""
    with open(os.path.join(top, path), "rb") as file:
        data = file.read()
    try:
        return None if b"\0" in data else data.decode()
    except UnicodeDecodeError:
        return None


def report(problems, what):
    """Prints problems, one a line, and a last line; returns the exit status."""
    for problem in problems:
        print(problem)
    print(f"{what}: {len(problems) or 'no'} problem{'s' if len(problems) != 1 else ''}")
    return 1 if problems else 0
