from pathlib import Path

import pytest

from rramkit.characterization.ngspice import apt, fetch, library, prefix
from rramkit.characterization.ngspice.library import SimulatorLibrary
from rramkit.errors import SetupError

DEB822 = """# a comment
Types: deb deb-src
URIs: http://mirror.example/debian
# http://elsewhere.example
Suites: bookworm bookworm-updates
Components: main contrib
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 abc=
 -----END PGP PUBLIC KEY BLOCK-----

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main

Enabled: no
Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
"""
ONE_LINE = """# deb http://commented.example/debian bookworm main
deb cdrom:[Debian GNU/Linux 12]/ bookworm main
deb [arch=amd64,arm64 signed-by=/usr/share/keyrings/k.gpg] http://mirror.example/debian bookworm main contrib # end
deb-src http://mirror.example/debian bookworm main
deb http://mirror.example/debian bookworm-updates main
"""
DEBIAN = apt.System("debian", "bookworm", "Debian GNU/Linux 12 (bookworm)", "12")
UBUNTU = apt.System("ubuntu", "jammy", "Ubuntu 22.04", "22.04")


def test_stanzas_are_read_with_their_key_and_without_what_is_off():
    sources = apt.parse_deb822(DEB822)
    assert [source.suites[0] for source in sources] == ["bookworm", "bookworm-security"]
    assert sources[0].types == ("deb", "deb-src") and sources[0].components == ("main", "contrib")
    assert dict(sources[0].options)["Signed-By"].startswith("\n -----BEGIN")


def test_a_written_stanza_reads_back_as_itself():
    for source in (*apt.parse_deb822(DEB822), *apt.parse_list(ONE_LINE)):
        assert apt.parse_deb822(source.stanza()) == [source]


def test_one_line_sources_are_read_with_their_options():
    first, code, updates = apt.parse_list(ONE_LINE)
    assert first.uris == ("http://mirror.example/debian",) and first.components == ("main", "contrib")
    assert dict(first.options) == {"Architectures": "amd64 arm64", "Signed-By": "/usr/share/keyrings/k.gpg"}
    assert code.types == ("deb-src",) and updates.suites == ("bookworm-updates",)


@pytest.mark.parametrize("text", [DEB822, ONE_LINE])
def test_backports_are_derived_from_the_release_and_keep_its_key(text):
    parse = apt.parse_deb822 if text is DEB822 else apt.parse_list
    (archive,) = apt.archives(parse(text), DEBIAN)
    derived = apt.backports(archive)
    assert derived.suites == ("bookworm-backports",) and derived.types == ("deb",) and derived.components == ("main",)
    assert derived.uris == ("http://mirror.example/debian",) and "Signed-By" in dict(derived.options)


def test_newer_source_code_is_derived_on_ubuntu():
    sources = apt.parse_list(
        "deb http://u.example/ubuntu jammy main restricted\ndeb http://ppa.example/x jammy other\n"
    )
    (archive,) = apt.archives(sources, UBUNTU)
    code = apt.source_code(archive, "noble")
    assert code.types == ("deb-src",) and code.suites == ("noble",) and code.components == ("main", "universe")
    assert "Targets: Sources" in code.stanza()


@pytest.mark.parametrize(
    ("system", "names"),
    [
        (DEBIAN, ["the package of bookworm", "the package of bookworm-backports", "the source code of trixie"]),
        (UBUNTU, ["the package of jammy", "the source code of noble"]),
        (apt.System("ubuntu", "noble", "Ubuntu 24.04", "24.04"), ["the package of noble"]),
    ],
)
def test_the_ways_are_tried_cheap_first(system, names):
    own = [apt.Source(("deb",), ("http://mirror.example",), (system.codename,), ("main",))]
    assert [name for name, _ in fetch._routes(own, system, print, at_least=library.GOOD)] == names
    assert [name for name, _ in fetch._routes(own, system, print, at_least=library.OLDEST)] == names[:1]


def test_configured_reads_both_styles_and_no_other_file(tmp_path):
    (tmp_path / "sources.list.d").mkdir()
    (tmp_path / "sources.list").write_text(ONE_LINE)
    (tmp_path / "sources.list.d" / "a.sources").write_text(DEB822)
    (tmp_path / "sources.list.d" / "b.list.disabled").write_text(ONE_LINE)
    assert len(apt.configured(tmp_path)) == 3 + 2
    assert apt.configured(tmp_path / "none") == []


def test_a_derivative_counts_as_what_it_takes_its_packages_from(tmp_path):
    file = tmp_path / "os-release"
    file.write_text('ID=linuxmint\nID_LIKE="ubuntu debian"\nVERSION_CODENAME=virginia\nUBUNTU_CODENAME=jammy\n')
    assert (apt.read_system(file).family, apt.read_system(file).codename) == ("ubuntu", "jammy")
    file.write_text('PRETTY_NAME="Fedora Linux 42"\nID=fedora\n')
    assert apt.read_system(file) == apt.System("fedora", "", "Fedora Linux 42", "")
    assert apt.read_system(tmp_path / "none").family == "unknown"


@pytest.mark.parametrize(
    ("version", "major"), [("46+ds-1~bpo12+1", 46), ("1:44.2-1", 44), ("39.3+ds-1", 39), ("", 0), ("x", 0)]
)
def test_the_major_version_is_read_from_a_package_version(version, major):
    assert fetch._major(version) == major


def test_the_start_up_file_names_the_prefixs_own_code_models():
    text = (
        "alias exit quit\n codemodel /usr/lib/x/ngspice/analog.cm\n codemodel /usr/lib/x/gone.cm\n osdi /usr/a.osdi\n"
    )
    assert prefix.rewrite_spinit(text, {"analog.cm"}, Path("/p/lib/ngspice")).splitlines() == [
        "alias exit quit",
        " codemodel /p/lib/ngspice/analog.cm",
    ]
    blank = prefix.rewrite_spinit(text, {"analog.cm"}, Path("/my p"))
    assert "codemodel '/my p/analog.cm'" in blank
    assert prefix.rewrite_spinit(blank, {"analog.cm"}, Path("/my p")) == blank


PROGRAM = """#!/bin/sh
[ -e "$(dirname "$0")/../program/libXaw.so.7" ] || { echo "libXaw.so.7: cannot open shared object file" >&2; exit 127; }
"""


def unpack_fake(unpacked: Path, version: str) -> None:
    (unpacked / "usr" / "bin").mkdir(parents=True)
    (unpacked / "usr" / "bin" / "ngspice").write_text(PROGRAM)
    (unpacked / "usr" / "bin" / "ngspice").chmod(0o755)
    folder = unpacked / "usr" / "lib" / "multi"
    (folder / "ngspice").mkdir(parents=True)
    (folder / "libngspice.so.0.0.15").write_text(version)
    (folder / "libngspice.so.0").symlink_to("libngspice.so.0.0.15")
    (folder / "ngspice" / "analog.cm").touch()
    scripts = unpacked / "usr" / "share" / "ngspice" / "scripts"
    scripts.mkdir(parents=True)
    (scripts / "spinit").write_text(f"codemodel /usr/lib/multi/ngspice/analog.cm\n* {version}\n")


def probe_fake(path: Path, origin: str) -> SimulatorLibrary:
    version = int(path.read_text())
    return SimulatorLibrary(
        path=path, version=version, version_text=str(version), klu=version >= library.GOOD, xspice=True, osdi=True,
        openmp=True, origin=origin, spice_lib_dir=library.matching_lib_dir(path),
    )  # fmt: skip


OWN = apt.Source(("deb",), ("http://mirror.example",), ("x",), ("main",))


class FakeApt:
    """The packages of a system that lacks libXaw; `fails` is raised in place of each download."""

    fails: Exception | None = None

    def lacking(self, package):
        return [package.partition("=")[0], "libngspice0", "libxaw7"]

    def unpack(self, packages, into):
        if self.fails is not None:
            raise self.fails
        assert packages == ["libxaw7"]
        (into / "usr").mkdir(parents=True)
        (into / "usr" / "libXaw.so.7.0.0").write_text("xaw")
        (into / "usr" / "libXaw.so.7").symlink_to("libXaw.so.7.0.0")


@pytest.fixture
def world(monkeypatch, tmp_path):
    """Replace the routes to a library by {name: version, or an exception}; packages are `FakeApt`'s."""
    monkeypatch.setattr(apt, "archives", lambda *_: [OWN])
    monkeypatch.setattr(apt.PrivateApt, "open", lambda *_: FakeApt())
    monkeypatch.delenv(library.VARIABLE, raising=False)
    monkeypatch.setattr(library, "probe", probe_fake)
    monkeypatch.setattr(library, "system_candidates", list)
    monkeypatch.setattr(fetch.shutil, "which", lambda name: f"/usr/bin/{name}")

    def way(outcome):
        def route(_folder, unpacked):
            if isinstance(outcome, BaseException):
                raise outcome
            unpack_fake(unpacked, str(outcome))
            return fetch.Found(f"version {outcome}", OWN, str(outcome))

        return route

    def offer(good, old=None):
        def routes(_own, _system, _say, *, at_least):
            offered = good if at_least == library.GOOD else (old or {})
            return [(name, way(outcome)) for name, outcome in offered.items()]

        monkeypatch.setattr(fetch, "_routes", routes)
        return tmp_path / ".ngspice"

    return offer


def ensure(target: Path) -> SimulatorLibrary:
    return fetch.ensure(target, print)


def left_over(target: Path) -> list[str]:
    return sorted(path.name for path in target.parent.iterdir() if path != target)


def test_the_first_good_way_fills_the_prefix(world):
    target = world({"first": SetupError("unreachable"), "second": 46, "third": 47})
    found = ensure(target)
    assert (found.version, found.path, found.origin) == (46, target / "lib" / "libngspice.so.0", "private prefix")
    assert found.spice_lib_dir == target / "share" / "ngspice"
    assert '"how": "version 46"' in (target / "origin.json").read_text()
    assert left_over(target) == []


def test_a_second_call_fetches_nothing(world):
    ensure(world({"one": 46}))
    assert ensure(world({"one": AssertionError("fetched again")})).version == 46


def test_a_moved_prefix_is_mended(world):
    target = world({"one": 46})
    ensure(target)
    moved = target.with_name("moved")
    target.rename(moved)
    assert library.matching_lib_dir(moved / "lib" / "libngspice.so.0") == library.BARE
    assert ensure(moved).spice_lib_dir == moved / "share" / "ngspice"


def test_a_killed_fetch_leaves_nothing_half_made(world):
    target = world({"one": KeyboardInterrupt()})
    with pytest.raises(KeyboardInterrupt):
        ensure(target)
    assert not target.exists() and left_over(target) == []
    (target.with_name(".ngspice.part") / "new").mkdir(parents=True)  # as SIGKILL would leave it
    assert ensure(world({"one": 46})).version == 46
    assert left_over(target) == []


def test_the_oldest_usable_one_is_taken_last_and_replaced_by_a_better(world, capsys):
    target = world({"good": SetupError("unreachable")}, {"own": 39})
    assert ensure(target).version == 39
    assert "unreachable" in capsys.readouterr().out
    assert ensure(world({"good": SetupError("still")}, {"own": AssertionError("again")})).version == 39
    assert ensure(world({"good": 46})).version == 46
    assert left_over(target) == []


def test_a_build_without_klu_does_not_count_as_good(world):
    target = world({"poor": 41, "good": 44})
    assert ensure(target).version == 44


def test_the_systems_good_library_is_used_as_it_is(world, monkeypatch, tmp_path):
    target = world({"one": AssertionError("fetched")})
    unpack_fake(tmp_path / "system", "44")
    monkeypatch.setattr(library, "system_candidates", lambda: [next((tmp_path / "system").rglob("libngspice.so.0"))])
    assert ensure(target).origin == "system"
    assert not target.exists()


def test_nothing_to_be_had_says_what_was_tried_and_what_to_install(world, monkeypatch):
    target = world({"the package of old": SetupError("it has version 36")})
    monkeypatch.setattr(prefix, "missing_packages", lambda: ["bison", "flex"])
    with pytest.raises(SetupError) as caught:
        ensure(target)
    for part in ("the package of old: it has version 36", "install bison flex", library.VARIABLE, "42 or newer"):
        assert part in str(caught.value)


def test_a_system_without_apt_is_told_what_to_install(world, monkeypatch):
    target = world({})
    monkeypatch.setattr(fetch.shutil, "which", lambda name: None)
    with pytest.raises(SetupError) as caught:
        ensure(target)
    assert "\n" not in str(caught.value) and not target.exists()
    for part in ("has no apt-get", "42 or newer", library.VARIABLE):
        assert part in str(caught.value)


def test_without_network_it_says_to_connect_and_not_to_compile(world, monkeypatch):
    said = "W: Failed to fetch http://mirror.example/x  Temporary failure resolving 'mirror.example'"
    target = world({"the package of x": SetupError(f"{apt._kind(said)}`apt-get update`: {said}")})
    monkeypatch.setattr(prefix, "missing_packages", lambda: ["bison"])
    with pytest.raises(SetupError, match=r"no network, .*Connect the machine and run `rramkit setup` again") as caught:
        ensure(target)
    assert "bison" not in str(caught.value)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("E: Failed to fetch http://m/x  Could not connect to m:80 (1.2.3.4), connection timed out", apt.OFFLINE),
        ("E: Failed to fetch http://m/x  Hash Sum mismatch", "a wrong checksum"),
        ("W: GPG error: http://m x InRelease: NO_PUBKEY 1234", "no valid signature"),
    ],
)
def test_apts_reasons_have_words(said, kind):
    assert apt._kind(said) == f"{kind}, "
    assert apt._kind("E: Unable to locate package x") == ""


def test_a_folder_that_cannot_be_written_is_said_before_anything_is_fetched(world, tmp_path):
    (tmp_path / "file").write_text("no folder")
    world({"one": AssertionError("fetched")})
    with pytest.raises(
        SetupError, match=r"file/ngspice: must be a folder that can be written, for ngspice; got: File exists\. "
    ):
        ensure(tmp_path / "file" / "ngspice")


def test_a_wrongly_named_library_stops_the_fetch(world, monkeypatch):
    target = world({"one": AssertionError("fetched")})
    monkeypatch.setenv(library.VARIABLE, "/nowhere/libngspice.so")
    with pytest.raises(SetupError, match=r"/nowhere/libngspice\.so"):
        ensure(target)


def test_the_program_has_the_libraries_that_the_system_lacks(world, capsys):
    target = world({"one": 46})
    ensure(target)
    assert prefix.program_runs(target) and "and this system lacks ..." in capsys.readouterr().out
    assert (target / "lib" / "program" / "libXaw.so.7").read_text() == "xaw"
    assert sorted(path.name for path in (target / "lib" / "program").iterdir()) == ["libXaw.so.7"]


def test_a_program_that_cannot_run_is_left_out_and_said(world, monkeypatch, capsys):
    monkeypatch.setattr(FakeApt, "fails", SetupError("no network"))
    target = world({"one": 46})
    assert ensure(target).version == 46
    assert not (target / "bin").exists() and not (target / "lib" / "program").exists()
    said = capsys.readouterr().out
    assert "without the ngspice program for decks by hand (no network); `rramkit simulate` runs them" in said


def test_a_library_that_the_system_lacks_is_fetched_too(world, monkeypatch):
    target = world({"one": 46})

    class Apt(FakeApt):
        def unpack(self, packages, into):
            if packages != ["libgomp1"]:
                return super().unpack(packages, into)
            (into / "usr").mkdir(parents=True)
            (into / "usr" / "libgomp.so.1.0.0").write_text("gomp")

    def probe(path, origin):
        if not (path.parent / "needed" / "libgomp.so.1").is_file():
            raise SetupError("libgomp.so.1: cannot open shared object file")
        return probe_fake(path, origin)

    monkeypatch.setattr(library, "probe", probe)
    monkeypatch.setattr(apt.PrivateApt, "open", lambda *_: Apt())
    assert ensure(target).version == 46
    assert (target / "lib" / "needed" / "libgomp.so.1").read_text() == "gomp"


def test_apt_is_kept_in_its_folder(tmp_path):
    settings = apt._settings(tmp_path)
    for option in ("Dir::State::Lists", "Dir::Cache", "Dir::Etc::SourceParts"):
        assert f'{option} "{tmp_path}/' in settings
    assert 'Dir::Etc::SourceList "/dev/null";' in settings
