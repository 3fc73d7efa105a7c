"""Read the machine's apt sources and download packages through them, without root and without changing them."""

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from rramkit.errors import SetupError

SECONDS = 600  # one apt call; a package index is 10 to 20 MB
# Names by which a distribution also calls its releases in its sources.
ALIASES = ("stable", "oldstable", "testing", "unstable", "sid")
# The components that hold ngspice and what it needs.
COMPONENTS = {"debian": ("main",), "ubuntu": ("main", "universe")}
ONE_LINE = re.compile(r"^(deb|deb-src)\s+(?:\[([^\]]*)\]\s+)?(\S+)\s+(\S+)\s*(.*)$")
ONE_LINE_OPTION = {"arch": "Architectures", "lang": "Languages", "target": "Targets"}
LISTS = ("Types", "URIs", "Suites", "Components")


OFFLINE = "no network"
"""First words of a failure where the package server was not reached."""

# What apt says of a failure, and the words for it.
_KINDS = (
    (re.compile(r"resolv|could not connect|unable to connect|timed? ?out|unreachable|refused", re.IGNORECASE), OFFLINE),
    (re.compile(r"hash sum|checksum|unexpected size|size mismatch", re.IGNORECASE), "a wrong checksum"),
    (re.compile(r"NO_PUBKEY|not signed|signature", re.IGNORECASE), "no valid signature"),
    (re.compile(r"no space left", re.IGNORECASE), "a full disk"),
)


def _kind(said: str) -> str:
    """Return the kind of a failure before apt's own words; empty: none that is known."""
    return next((f"{words}, " for pattern, words in _KINDS if pattern.search(said)), "")


@dataclass(frozen=True)
class System:
    """What `/etc/os-release` says: `debian`, `ubuntu` or another family, the codename, a name for people."""

    family: str
    codename: str
    name: str
    release: str


@dataclass(frozen=True)
class Source:
    """One package source as it is configured, its options in deb822 names."""

    types: tuple[str, ...]
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    options: tuple[tuple[str, str], ...] = ()

    def stanza(self) -> str:
        """Write it in deb822 form."""
        values = (self.types, self.uris, self.suites, self.components)
        lines = [f"{name}: {' '.join(value)}" for name, value in zip(LISTS, values, strict=True) if value]
        return "\n".join([*lines, *(f"{name}: {value}" for name, value in self.options)]) + "\n"


def read_system(file: Path = Path("/etc/os-release")) -> System:
    """Return the distribution; a derivative counts as the one whose packages it uses."""
    text = file.read_text(errors="replace") if file.is_file() else ""
    fields = dict(re.findall(r"^([A-Z_]+)=[\"']?(.*?)[\"']?\s*$", text, re.MULTILINE))
    like = f"{fields.get('ID', '')} {fields.get('ID_LIKE', '')}".split()
    family = next((name for name in ("ubuntu", "debian") if name in like), (like or ["unknown"])[0])
    codename = fields.get("UBUNTU_CODENAME") or fields.get("VERSION_CODENAME", "")
    return System(family, codename, fields.get("PRETTY_NAME", "this system"), fields.get("VERSION_ID", ""))


def configured(etc: Path = Path("/etc/apt")) -> list[Source]:
    """Read every package source that is configured and enabled, in apt's order."""
    parts = sorted((etc / "sources.list.d").glob("*")) if (etc / "sources.list.d").is_dir() else []
    sources: list[Source] = []
    for file in (etc / "sources.list", *parts):
        if file.suffix not in (".list", ".sources") or not file.is_file():
            continue
        parse = parse_list if file.suffix == ".list" else parse_deb822
        sources += parse(file.read_text(errors="replace"))
    return sources


def parse_list(text: str) -> list[Source]:
    """Parse the one-line style: `deb [arch=amd64 signed-by=/key] URI suite component ...`."""
    matches = (ONE_LINE.match(line.partition("#")[0].strip()) for line in text.splitlines())
    return [_from_line(match) for match in matches if match and not match[3].startswith("cdrom:")]


def _from_line(match: re.Match[str]) -> Source:
    options = []
    for option in (match[2] or "").split():
        name, _, value = option.partition("=")
        name = name.rstrip("+-")
        options.append((ONE_LINE_OPTION.get(name, name.title()), value.replace(",", " ")))
    return Source((match[1],), (match[3],), (match[4],), tuple(match[5].split()), tuple(options))


def parse_deb822(text: str) -> list[Source]:
    """Parse the stanza style; a key written into the stanza itself is kept as it is."""
    sources = []
    for block in re.split(r"\n\s*\n", text):
        fields = dict(_fields(block))
        types, uris, suites, components = (tuple(fields.pop(name.lower(), ("", ""))[1].split()) for name in LISTS)
        if fields.pop("enabled", ("", "yes"))[1].strip().lower() in ("no", "false", "0", "off"):
            continue
        if types and uris and suites:
            sources.append(Source(types, uris, suites, components, tuple(fields.values())))
    return sources


def _fields(block: str) -> Iterator[tuple[str, tuple[str, str]]]:
    """Yield (lower-case name, (name, value)) of one stanza, continuation lines kept."""
    lines = "\n".join(line for line in block.splitlines() if not line.startswith("#"))
    for match in re.finditer(r"^([\w-]+):[ \t]*(.*(?:\n[ \t].*)*)", lines, re.MULTILINE):
        yield match[1].lower(), (match[1], match[2])


def archives(sources: list[Source], system: System) -> list[Source]:
    """Return the binary sources of the running release itself, one suite each, without security and add-on suites."""
    selected = []
    for source in sources:
        suite = next((name for name in source.suites if name in (system.codename, *ALIASES)), None)
        if suite and "deb" in source.types and "main" in source.components:
            selected.append(_as(source, "deb", suite, COMPONENTS.get(system.family, source.components)))
    return list(dict.fromkeys(selected))


def backports(archive: Source) -> Source:
    """Derive the backports suite of a release from the source that is configured for the release."""
    return replace(archive, suites=(f"{archive.suites[0]}-backports",))


def source_code(archive: Source, suite: str) -> Source:
    """Derive the source packages of another suite of the same archive."""
    return _as(archive, "deb-src", suite, archive.components)


def _as(source: Source, kind: str, suite: str, components: tuple[str, ...]) -> Source:
    target = ("Targets", "Packages" if kind == "deb" else "Sources")  # no translations, no desktop data
    options = tuple(option for option in source.options if option[0].lower() not in ("targets", "types"))
    return Source((kind,), source.uris, (suite,), components, (*options, target))


@dataclass(frozen=True)
class PrivateApt:
    """apt with its own sources, lists and cache in `folder`; all other settings are the machine's."""

    folder: Path

    @classmethod
    def open(cls, folder: Path, *sources: Source) -> "PrivateApt":
        """Create the folder, and download the indexes of these sources.

        Raises
        ------
        SetupError
            A source does not exist, or cannot be reached.
        """
        for name in ("parts", "lists/partial", "cache/archives/partial"):
            (folder / name).mkdir(parents=True)
        (folder / "parts" / "own.sources").write_text("\n".join(source.stanza() for source in sources))
        (folder / "apt.conf").write_text(_settings(folder))
        apt = cls(folder)
        apt.run("apt-get", "update")
        return apt

    def run(self, program: str, *arguments: str) -> str:
        """Run one apt program in the folder; raise `SetupError` with apt's first complaint when it fails."""
        command = [program, f"-c={self.folder / 'apt.conf'}", "-qq", *arguments]
        try:
            process = subprocess.run(
                command, cwd=self.folder, capture_output=True, text=True, timeout=SECONDS, check=False,
                stdin=subprocess.DEVNULL,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise SetupError(f"`{program} {arguments[0]}` took more than {SECONDS} s") from error
        if process.returncode:
            complaints = [line for line in process.stderr.splitlines() if line.startswith(("E:", "W:"))]
            raise SetupError(
                f"{_kind(process.stderr)}`{program} {arguments[0]}`: {(complaints or ['no reason given'])[0]}"
            )
        return process.stdout

    def lacking(self, package: str) -> list[str]:
        """Return the packages that an installation of this one would add to the system, itself included."""
        lines = self.run("apt-get", "install", "--simulate", "--no-install-recommends", package).splitlines()
        return [line.split()[1] for line in lines if line.startswith("Inst ")]

    def newest(self, package: str) -> str:
        """Return the newest version of a package, empty when there is none."""
        rows = [line.split("|") for line in self.run("apt-cache", "madison", package).splitlines()]
        return next((row[1].strip() for row in rows if len(row) == 3), "")

    def unpack(self, packages: list[str], into: Path) -> None:
        """Download binary packages and unpack them into a folder, installing nothing."""
        self.run("apt-get", "download", *packages)
        into.mkdir(parents=True, exist_ok=True)
        for file in sorted(self.folder.glob("*.deb")):
            subprocess.run(["dpkg-deb", "-x", str(file), str(into)], check=True, capture_output=True)
            file.unlink()

    def source_archive(self, package: str) -> Path:
        """Download the source code of a package and return its archive."""
        self.run("apt-get", "source", "--download-only", package)
        files = sorted(self.folder.glob(f"{package}_*.orig.tar.*"))
        archive = next((file for file in files if file.suffix != ".asc"), None)
        if archive is None:
            raise SetupError(f"the source package of {package} holds no .orig.tar archive")
        return archive


def _settings(folder: Path) -> str:
    """Write the settings that keep apt inside `folder`; hooks meant for a real update are cleared."""
    return "\n".join(
        [
            'Dir::Etc::SourceList "/dev/null";',
            f'Dir::Etc::SourceParts "{folder}/parts/";',
            f'Dir::State::Lists "{folder}/lists/";',
            f'Dir::Cache "{folder}/cache/";',
            'APT::Sandbox::User "root";',  # apt's own user could not write here, and warns at each download
            'APT::Update::Error-Mode "any";',
            'Acquire::Retries "2";',
            'Acquire::http::Timeout "30";',
            'Acquire::https::Timeout "30";',
            *(f"#clear APT::Update::{hook};" for hook in ("Pre-Invoke", "Post-Invoke", "Post-Invoke-Success")),
            "",
        ]
    )
