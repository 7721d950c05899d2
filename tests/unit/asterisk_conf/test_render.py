"""Rendering: complete, safe against what people type, and only what changed is written."""

from __future__ import annotations

import json
import re
import stat
from dataclasses import replace
from pathlib import Path

import pytest

import dialplans
from asterisk_conf import (
    CITIZEN_WEB,
    AsteriskSettings,
    ConfigurationError,
    Secrets,
    modules_to_reload,
    needs_restart,
    render,
)
from dialplans import Site, load_site
from switch.install import Tree

MINATO = load_site(Path(dialplans.__file__).parent / "minato.yaml")


@pytest.fixture
def settings(tmp_path: Path) -> AsteriskSettings:
    """Of an Asterisk that has every module, and is not there otherwise."""
    modules = tmp_path / "modules"
    modules.mkdir()
    wanted = (Path(__file__).parents[3] / "asterisk_conf" / "templates" / "modules.txt").read_text()
    for line in wanted.splitlines():
        for name in line.split("#")[0].split("|"):
            if name.strip():
                (modules / f"{name.strip()}.so").touch()
    tree = Tree(["asterisk"], modules, tmp_path / "data", (22, 10, 1))
    return AsteriskSettings(tmp_path / "asterisk", tmp_path / "spool", tree, listen="192.0.2.7")


def secrets_of(settings: AsteriskSettings, site: Site = MINATO) -> Secrets:
    return Secrets.load_or_create(settings.folder.parent / "secrets.json", site)


def changed(site: Site, **fields: object) -> Site:
    return Site.model_validate({**site.model_dump(), **fields})


def test_writes_all_then_only_what_changed(settings: AsteriskSettings) -> None:
    first = render(MINATO, secrets_of(settings), settings)
    assert {"asterisk.conf", "modules.conf", "pjsip.conf", "extensions.conf", "queues.conf"} <= set(first)
    assert render(MINATO, secrets_of(settings), settings) == []
    fewer = changed(MINATO, operators=MINATO.operators[:-2], users=())  # an operator and a supervisor
    again = render(fewer, secrets_of(settings, fewer), settings)
    assert set(again) == {"pjsip.conf", "queues.conf"}
    assert set(modules_to_reload(again)) == {"res_pjsip.so", "app_queue.so"}
    assert needs_restart(again) == []
    other = render(fewer, secrets_of(settings, fewer), replace(settings, ari_port=9999))
    assert needs_restart(other) == ["http.conf"]


@pytest.mark.req("SEC-5")
def test_files_with_secrets_are_for_their_owner_only(settings: AsteriskSettings) -> None:
    render(MINATO, secrets_of(settings), settings)
    files = [*settings.etc.iterdir(), settings.folder.parent / "secrets.json"]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE(settings.etc.stat().st_mode) == 0o700


@pytest.mark.req("NUM-1", "SEC-4")
def test_the_trunk_knows_the_sites_numbers_only(settings: AsteriskSettings) -> None:
    render(MINATO, secrets_of(settings), settings)
    text = (settings.etc / "extensions.conf").read_text()
    trunk = text.split("[trunk]")[1].split("\n[")[0]
    extens = {line.split(",")[0].split()[2] for line in trunk.splitlines() if line.startswith("exten")}
    ours = {*(number.digits for number in MINATO.numbers), "0246221110"}  # with the alias
    assert len(ours) == 6
    assert extens == ours | {"+81" + digits[1:] for digits in ours}
    # Armed before the application, so that it outlives it.
    assert trunk.index("MixMonitor") < trunk.index("Stasis(daihyo,arrival,${EXTEN},")
    assert "Dial(" not in text


@pytest.mark.req("NUM-1", "NUM-2")
def test_other_ways_of_dialling_a_number_lead_to_it_and_are_told(settings: AsteriskSettings) -> None:
    [first, *others] = MINATO.model_dump()["numbers"]
    site = changed(MINATO, numbers=[{**first, "aliases": ["0120-00-1111", "110022"]}, *others])
    render(site, secrets_of(settings, site), settings)
    trunk = (settings.etc / "extensions.conf").read_text().split("[trunk]")[1].split("\n[")[0]
    for alias in ("0120001111", "110022", "+81120001111"):
        assert f"exten => {alias},1,Set(DIALLED=${{EXTEN}})\n same => n,Goto(0246221111,1)\n" in trunk
    stasis = "Stasis(daihyo,arrival,${EXTEN},${CALLERID(pres)},${DIALLED},"
    assert trunk.count(stasis) == len(site.numbers)  # one a number, none an alias


@pytest.mark.req("NUM-3", "ACD-4")
def test_a_trunk_with_a_way_out_has_one_address_and_no_registration(settings: AsteriskSettings) -> None:
    inward = load_site(Path(dialplans.__file__).parent / "examples" / "kobe.yaml")
    render(inward, secrets_of(settings, inward), settings)
    assert "contact = sip:" not in (settings.etc / "pjsip.conf").read_text()
    trunk = MINATO.model_dump()["trunks"][0]
    out = {"host": "2001:db8::5", "port": 5062, "prefix": "0"}
    site = changed(MINATO, trunks=[{**trunk, "id": "hikari", "outbound": out}])
    render(site, secrets_of(settings, site), settings)
    text = (settings.etc / "pjsip.conf").read_text()
    assert "aors = trunk-hikari" in text
    assert "[trunk-hikari]\ntype = aor\ncontact = sip:[2001:db8::5]:5062\nmax_contacts = 0\n" in text


@pytest.mark.req("HRS-4")
def test_each_music_has_its_class(settings: AsteriskSettings) -> None:
    music = {"id": "spring", "name": "春;[x]", "audio": ["0" * 16], "licence": "CC0"}
    site = changed(MINATO, musics=[music])
    render(site, secrets_of(settings, site), settings)
    text = (settings.etc / "musiconhold.conf").read_text()
    folder = settings.sounds / "moh" / site.musics[0].folder
    assert f"[spring]\nmode = files\ndirectory = {folder}\n" in text
    assert "春x\n" in text
    assert folder.is_dir()
    other = changed(MINATO, musics=[{**music, "audio": ["1" * 16]}])
    assert "musiconhold.conf" in render(other, secrets_of(settings, other), settings)


def test_the_citizens_page_exists_in_demo_only(settings: AsteriskSettings) -> None:
    render(MINATO, secrets_of(settings), settings)
    assert CITIZEN_WEB not in (settings.etc / "pjsip.conf").read_text()
    render(MINATO, secrets_of(settings), replace(settings, demo=True))
    assert CITIZEN_WEB in (settings.etc / "pjsip.conf").read_text()


def test_what_people_type_stays_words(settings: AsteriskSettings) -> None:
    site = changed(
        MINATO,
        city="市;[x]\u3000(a)",
        operators=[{"id": "1001", "name": '甲;,[b]=>"', "queues": ["main"]}],
        users=(),
        wording={"survival_greeting": "こん,に;ち[は] ${EXTEN} )&("},
    )
    render(site, secrets_of(settings, site), settings)
    for file in settings.etc.iterdir():
        text = file.read_text()
        assert "甲" not in text
        assert "こん" not in text


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"folder": Path("/srv/a,b")}, "','"),
        ({"spool": Path("/srv/${HOME}")}, "choose another folder"),
        ({"spool": Path("spool")}, "absolute"),
        ({"folder": Path("/" + "x" * 120)}, "too long"),
        ({"listen": "localhost"}, "not an IP address"),
        ({"rtp_ports": (20000, 10000)}, "RTP ports"),
        ({"sip_port": 8088}, "a port each"),
        ({"ami_port": 70000}, "1-65535"),
    ],
)
def test_what_asterisk_cannot_have_is_refused_in_one_line(
    settings: AsteriskSettings, wrong: dict[str, object], words: str
) -> None:
    secrets = secrets_of(settings)
    with pytest.raises(ConfigurationError) as caught:
        render(MINATO, secrets, replace(settings, **wrong))  # type: ignore[arg-type]
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_module_that_is_missing_is_named(settings: AsteriskSettings) -> None:
    (settings.tree.modules / "app_queue.so").unlink()
    with pytest.raises(ConfigurationError, match="app_queue"):
        render(MINATO, secrets_of(settings), settings)
    (settings.tree.modules / "app_queue.so").touch()
    (settings.tree.modules / "codec_opus.so").unlink()  # Debian's build has the other one
    render(MINATO, secrets_of(settings), settings)
    assert "codec_opus_open_source.so" in (settings.etc / "modules.conf").read_text()


@pytest.mark.req("SEC-5")
def test_secrets_are_kept_new_operators_get_theirs_and_none_is_shown(settings: AsteriskSettings) -> None:
    first = secrets_of(settings)
    assert secrets_of(settings) == first
    fewer = changed(MINATO, operators=MINATO.operators[:2], users=())
    less = secrets_of(settings, fewer)
    assert set(less.sip) == {"1001", "1001-web", "1002", "1002-web", CITIZEN_WEB}
    assert less.sip["1001"] == first.sip["1001"]
    again = secrets_of(settings)
    assert again.sip["1001"] == first.sip["1001"]
    assert again.sip["1008"] != first.sip["1008"]  # who left and comes back gets a new one
    assert len(set(first.sip.values())) == len(first.sip)
    shown = repr(first)
    hidden = [first.ari_password, first.ami_password, first.api_token, first.session_key, *first.sip.values()]
    assert not any(secret in shown for secret in hidden)


@pytest.mark.parametrize("text", ["", "{", "[1]", "null", '"x"'])
def test_a_broken_secrets_file_is_told_and_left_alone(tmp_path: Path, text: str) -> None:
    path = tmp_path / "secrets.json"
    path.write_text(text)
    with pytest.raises(ConfigurationError, match=r"secrets\.json"):
        Secrets.load_or_create(path, MINATO)
    assert path.read_text() == text


@pytest.mark.req("OPR-1")
def test_reading_secrets_takes_none_from_an_operator_who_is_just_coming(tmp_path: Path) -> None:
    """A program that knows the plan of a moment ago reads; whoever makes a plan live made the new ones."""
    path = tmp_path / "secrets.json"
    with pytest.raises(ConfigurationError, match="missing"):
        Secrets.read(path)
    Secrets.load_or_create(path, MINATO)
    stored = json.loads(path.read_text())
    stored["sip"]["1999"] = "of the next plan"
    path.write_text(json.dumps(stored))
    assert Secrets.read(path).sip["1999"] == "of the next plan"
    assert json.loads(path.read_text()) == stored


@pytest.mark.req("REL-2")
def test_a_number_that_left_the_plan_is_served_alone_but_not_dialled(settings: AsteriskSettings) -> None:
    render(MINATO, secrets_of(settings), settings)
    text = (settings.etc / "extensions.conf").read_text()
    contexts = {part.split("]")[0]: part for part in re.split(r"^\[", text, flags=re.MULTILINE)[1:]}
    for name in ("survival", "survival-adopt"):
        assert contexts[name].count("exten => _[0-9+]!,1,") == 1
        first = MINATO.numbers[0].recording_notice_prompt
        assert f"daihyo-{first})" in contexts[name].split("exten => _")[1]
    assert "exten => _" not in contexts["trunk"]


@pytest.mark.req("XFR-4", "SEC-4")
def test_the_return_code_is_dialled_from_the_city_hall_alone(settings: AsteriskSettings) -> None:
    hall = {"id": "hall", "addresses": ["192.0.2.20"], "outbound": {"host": "192.0.2.20"}}
    carrier = {"id": "hikari", "addresses": ["192.0.2.1"], "outbound": {"host": "192.0.2.1"}}
    site = changed(MINATO, trunks=[carrier, hall], pbx={"trunks": ["hall"], "return_code": "*77"})
    render(site, secrets_of(settings, site), settings)
    dialplan = (settings.etc / "extensions.conf").read_text()
    citizens, _, rest = dialplan.partition("[trunk]")[2].partition("[trunk-pbx]")
    department = rest.partition("[survival]")[0]
    assert "*77" not in citizens
    assert "exten => *77,1," in department
    staff = next(one.digits for one in site.numbers if one.staff)
    assert f"Stasis(daihyo,arrival,{staff}," in department
    assert ",return_code)" in department
    assert "include => trunk\n" in department
    peers = (settings.etc / "pjsip.conf").read_text()
    contexts = dict(re.findall(r"\[trunk-(\w+)\]\ntype = endpoint\ncontext = (\S+)", peers))
    assert contexts == {"hikari": "trunk", "hall": "trunk-pbx"}


@pytest.mark.req("REL-2")
def test_a_seat_without_queues_is_not_rung_while_the_engine_is_away(settings: AsteriskSettings) -> None:
    site = changed(MINATO, operators=[*MINATO.model_dump()["operators"], {"id": "1900", "name": "監督"}])
    render(site, secrets_of(settings, site), settings)
    queues = (settings.etc / "queues.conf").read_text()
    assert "PJSIP/1001," in queues
    assert "1900" not in queues
    assert "[1900]" in (settings.etc / "pjsip.conf").read_text()
