# SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
"""Kernels of Debian, fetched once and kept: what tests/vm/vm boots, and other tools build modules for.

The cache is ${XDG_CACHE_HOME:-/var/cache}/penstock/vm; a kernel appears in it by one rename, under a lock.
Nothing is installed. Tools that are missing, packages that cannot be had: a Failure that says so.
"""

import contextlib
import fcntl
import glob
import lzma
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile

# Exit statuses of who uses this; 77 is what meson counts as skipped.
USAGE, SKIP, TIMEOUT, DIED = 2, 77, 124, 125

# The package that depends on the newest signed image of a series.
META_PACKAGE = {"6.1": "linux-image-amd64", "6.12": "linux-image-6.12-amd64", "backports": "linux-image-amd64"}

# Where apt finds a series that this machine's own sources do not have; nobody else sees it.
SOURCE = {
    "backports": "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
    "http://deb.debian.org/debian trixie-backports main"
}

# Raise it when what unpack_kernel() leaves in the cache changes.
CACHE_FORMAT = 1
PARTIAL = "partial-"


class Failure(Exception):
    """The harness cannot go on: the exit status, and one line that says why and what helps."""

    def __init__(self, status, message):
        super().__init__(message)
        self.status = status


class Interrupted(BaseException):
    """A signal asked this script to end. Not an Exception, so that only main() catches it."""

    def __init__(self, number):
        super().__init__(number)
        self.number = number


def on_signal(number, _frame):
    raise Interrupted(number)


def say(message):
    """A line on standard error, after the name of the program."""
    print(f"{os.path.basename(sys.argv[0])}: {message}", file=sys.stderr, flush=True)


# The cache of kernels: SERIES/lock and SERIES/VERSION/{vmlinux,release,lib/modules/RELEASE}; SERIES/apt: apt's lists.


def output_of(*command, cwd=None):
    """Runs a tool and returns its standard output; if it is absent or fails, nothing can be tested."""
    if not shutil.which(command[0]):
        raise Failure(SKIP, f"{command[0]} is not installed: run .ci/setup")
    tool = subprocess.Popen(
        command,
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        close_fds=False,  # the lock of the cache, see there
    )
    try:
        output, errors = tool.communicate()
    except Interrupted:
        # Tools start others (dpkg-deb does); the pipes are at their end when all of them are gone.
        os.killpg(tool.pid, signal.SIGKILL)
        tool.communicate()
        raise
    if tool.returncode != 0:
        lines = (errors or output).strip().splitlines() or [f"exit status {tool.returncode}"]
        raise Failure(SKIP, f"{command[0]}: {lines[-1]}")
    return output


def cache_directory():
    default = "/var/cache" if os.access("/var/cache", os.W_OK) else os.path.expanduser("~/.cache")
    return os.path.join(os.environ.get("XDG_CACHE_HOME") or default, f"penstock/vm/{CACHE_FORMAT}")


@contextlib.contextmanager
def cache_lock(series):
    """Yields the directory of a series, for one process at a time."""
    directory = os.path.join(cache_directory(), series)
    try:
        os.makedirs(directory, exist_ok=True)
        lock = os.open(os.path.join(directory, "lock"), os.O_RDWR | os.O_CREAT, 0o644)
    except OSError as error:
        raise Failure(SKIP, f"{directory}: {error.strerror}: set XDG_CACHE_HOME to another place") from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        # Tools hold it too: should this script be killed, no other gets in before they have stopped writing.
        os.set_inheritable(lock, True)
        yield directory
    finally:
        os.close(lock)


def apt_options(series):
    """Words for apt: lists of our own where the series has a source of its own."""
    words = ["-o", "APT::Sandbox::User=root"]
    if series not in SOURCE:
        return words
    place = os.path.join(cache_directory(), series, "apt")
    os.makedirs(f"{place}/lists/partial", exist_ok=True)
    os.makedirs(f"{place}/cache/archives/partial", exist_ok=True)
    with open(f"{place}/sources.list", "w", encoding="ascii") as file:
        file.write(SOURCE[series] + "\n")
    for option in (f"Etc::sourcelist={place}/sources.list", "Etc::sourceparts=-", f"State::lists={place}/lists",
                   f"Cache={place}/cache"):
        words += ["-o", f"Dir::{option}"]
    return words


def apt_newest(series):
    """Name and version of the newest signed image of a series."""
    meta = META_PACKAGE[series]
    number = r"\d+" if series in SOURCE else re.escape(series)
    record = output_of("apt-cache", *apt_options(series), "show", "--no-all-versions", meta)
    found = re.search(rf"^Depends:.*\b(linux-image-{number}\.\S+-amd64) \(= (\S+)\)", record, re.M)
    if not found:
        raise Failure(SKIP, f"the package {meta} names no image of {series}: is this Debian 12?")
    return found.groups()


def apt_parts(series, image):
    """The packages that an image's files are in: since 7.0 the image's own has none."""
    names = [image.replace("linux-image-", f"linux-{part}-") for part in ("binary", "modules", "base")]
    known = output_of("apt-cache", *apt_options(series), "pkgnames", "linux-").split()
    return [name for name in names if name in known] or [image]


def apt_download(package, version, directory, series=""):
    say(f"downloading {package} {version}")
    output_of("apt-get", *apt_options(series), "download", f"{package}={version}", cwd=directory)
    return glob.glob(f"{directory}/{package}_*.deb")[0]


def uncompressed_kernel(image):
    """The ELF file in a bzImage; Linux' Documentation/arch/x86/boot.rst has the offsets."""
    setup_sectors = image[0x1F1] or 4
    offset, length = struct.unpack_from("<II", image, 0x248)
    start = (setup_sectors + 1) * 512 + offset
    payload = image[start : start + length]
    if payload.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor().decompress(payload)
    if not shutil.which("zstd"):
        raise Failure(SKIP, "zstd is not installed: run .ci/setup")
    # The kernel's build appends the length: zstd writes everything and then fails on these four bytes.
    kernel = subprocess.run(["zstd", "-dcq"], input=payload, capture_output=True, check=False).stdout
    if not kernel.startswith(b"\x7fELF"):
        raise Failure(SKIP, "the kernel is packed in a way that is not known here")
    return kernel


def unpack_kernel(packages, place):
    """Unpacks an image's packages and makes it ready to boot."""
    for package in packages:
        output_of("dpkg-deb", "-x", package, place)
        os.unlink(package)
    if not os.path.exists(f"{place}/lib"):
        os.rename(f"{place}/usr/lib", f"{place}/lib")
    (modules,) = glob.glob(f"{place}/lib/modules/*")
    release = os.path.basename(modules)
    (bootable,) = glob.glob(f"{place}/boot/vmlinuz-{release}") + glob.glob(f"{modules}/vmlinuz")
    with open(bootable, "rb") as image, open(f"{place}/vmlinux", "wb") as kernel:
        kernel.write(uncompressed_kernel(image.read()))
    packed = glob.glob(f"{modules}/**/*.ko.xz", recursive=True)
    for i in range(0, len(packed), 500):
        output_of("xz", "-d", *packed[i : i + 500])
    output_of("depmod", "-b", place, release)
    with open(f"{place}/release", "w", encoding="ascii") as file:
        file.write(release)


def fetch_kernel(series, directory):
    """The place of the newest kernel of a series, downloaded if need be; the caller holds the lock."""
    package, version = apt_newest(series)
    kernel = os.path.join(directory, version)
    if os.path.exists(kernel):
        return kernel
    for leftover in glob.glob(f"{directory}/{PARTIAL}*"):
        shutil.rmtree(leftover)
    place = tempfile.mkdtemp(prefix=PARTIAL, dir=directory)
    try:
        os.chmod(place, 0o755)
        parts = apt_parts(series, package)
        unpack_kernel([apt_download(part, version, place, series) for part in parts], place)
        os.rename(place, kernel)
    finally:
        shutil.rmtree(place, ignore_errors=True)
    return kernel


def fetch_kernel_fresh(series, directory):
    """The same; renews apt's lists where there are none, or they name what the mirror no longer has."""
    try:
        return fetch_kernel(series, directory)
    except Failure:
        if os.geteuid() != 0:
            raise
    output_of("apt-get", *apt_options(series), "-qq", "update")
    return fetch_kernel(series, directory)


def remove_older_kernels(directory, newest):
    """Removes what the newest kernel replaced, except what a guest still runs from."""
    for release in glob.glob(f"{directory}/*/release"):
        kernel = os.path.dirname(release)
        if kernel == newest:
            continue
        with open(release, "rb") as file, contextlib.suppress(BlockingIOError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(kernel)


def open_kernel(series):
    """A kernel of a series, fetched if there is none: its place, and a file that keeps it from removal."""
    with cache_lock(series) as directory:
        releases = glob.glob(f"{directory}/*/release")
        if releases:
            kernel = os.path.dirname(max(releases, key=os.path.getmtime))
        else:
            kernel = fetch_kernel_fresh(series, directory)
        in_use = open(f"{kernel}/release", encoding="ascii")
        fcntl.flock(in_use, fcntl.LOCK_SH)
    return kernel, in_use


def fetch_newest(series):
    """The place of the newest kernel there is; older ones go."""
    with cache_lock(series) as directory:
        kernel = fetch_kernel_fresh(series, directory)
        remove_older_kernels(directory, kernel)
    return kernel


def guarded(work):
    """Does a program's work, and returns its exit status; a failure is one line on standard error."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, on_signal)
    try:
        return work()
    except Failure as failure:
        say(failure)
        return failure.status
    except BrokenPipeError:
        return 128 + signal.SIGPIPE
    except OSError as error:
        say(error)
        return DIED
    except Interrupted as interrupted:
        return 128 + interrupted.number
