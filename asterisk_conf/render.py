"""A site becomes Asterisk's configuration: every file, rendered from templates, only what is needed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from asterisk_conf.files import link, write_if_changed
from asterisk_conf.phone_keys import MODULE, with_keys
from asterisk_conf.secrets import CITIZEN_WEB, Secrets
from asterisk_conf.settings import AsteriskSettings, ConfigurationError
from dialplans import Number, Site

if TYPE_CHECKING:
    import jinja2

_RELOADED_BY = {
    "pjsip.conf": "res_pjsip.so",
    "extensions.conf": "pbx_config.so",
    "queues.conf": "app_queue.so",
    "musiconhold.conf": "res_musiconhold.so",
    "rtp.conf": "res_rtp_asterisk.so",
    "ari.conf": "res_ari.so",
    "manager.conf": "manager",
    "logger.conf": "logger",
}
# Anything else (asterisk.conf, modules.conf, http.conf, stasis.conf, …) is read at start only.

_COUNTRY = "+81"
_ANY_NUMBER = "_[0-9+]!"  # only where calls are redirected to; from outside, other numbers stay refused
_SURVIVAL_WAIT_S = 1800  # then the caller is told to ring again; nobody listens to music for longer


def render(site: Site, secrets: Secrets, settings: AsteriskSettings, folder: Path | None = None) -> list[str]:
    """Writes every configuration file into `folder` (settings.etc) and makes Asterisk's other folders.
    Returns the names of the files that changed. Files hold secrets: 0600. Raises ConfigurationError."""
    settings.check()
    etc = folder or settings.etc
    moh = settings.sounds / "moh"
    music = [moh / name for name in ("default", *(one.folder for one in site.musics))]
    for made in (etc, settings.run, settings.log, settings.lib, settings.keys, *music, settings.spool):
        made.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Asterisk looks for documentation (without it, it refuses its own options) and sounds in one data folder.
    link(settings.lib / "documentation", settings.tree.data / "documentation")
    link(settings.lib / "sounds", settings.sounds)
    environment = _environment()
    address = ipaddress.ip_address(settings.listen)
    keys = with_keys(site, settings.tree.version)
    values = {
        "site": site,
        "secrets": secrets,
        "s": settings,
        "modules": [one for one in modules(settings) if keys or one != f"{MODULE}.so"],
        "keys": keys,
        "operator_endpoints": [(op, name) for op in site.operators if op.queues for name in op.endpoints],
        "citizen_web": CITIZEN_WEB,
        "survival": site.wording.prompt_of("survival_greeting"),
        "sorry": site.wording.prompt_of("sorry_goodbye"),
        "waiting": next((queue for queue in site.queues if queue.waiting_prompt), None),
        "served_alone": [*((one.digits, one) for one in site.numbers), (_ANY_NUMBER, site.numbers[0])],
        "aliases": aliases,
        "queue_of": partial(queue_of, site),
        "host": host,
        "lines": any(number.diverted for number in site.numbers),
        "survival_wait_s": _SURVIVAL_WAIT_S,
        "return_code": site.pbx.return_code if site.pbx is not None else None,
        "return_number": return_number(site).digits,
        "bracketed": f"[{settings.listen}]" if ":" in settings.listen else settings.listen,
        "any_address": address.is_unspecified,
        # A browser offers the machine's outward addresses even when it runs beside us, so on loopback its
        # media may come in anywhere (ICE and DTLS let nobody else in).
        "web_bound": not (address.is_unspecified or address.is_loopback),
    }
    changed = []
    for name in sorted(environment.list_templates(extensions=["j2"])):
        target = etc / name.removesuffix(".j2")
        if write_if_changed(target, environment.get_template(name).render(values)):
            changed.append(target.name)
    return changed


@cache
def _environment() -> jinja2.Environment:
    """Made once: compiling the templates takes most of the time of rendering them."""
    import jinja2  # the engine, which renders nothing, goes without

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("asterisk_conf"),
        undefined=jinja2.StrictUndefined,
        autoescape=False,  # noqa: S701 - not HTML; `plain` guards what people typed
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["plain"] = _plain
    return environment


def modules_to_reload(changed: Iterable[str]) -> list[str]:
    """Which modules must be reloaded after these files changed (see `Switch.reload`)."""
    return [_RELOADED_BY[name] for name in sorted(changed) if name in _RELOADED_BY]


def needs_restart(changed: Iterable[str]) -> list[str]:
    """The changed files that Asterisk reads at its start only."""
    return sorted(name for name in changed if name not in _RELOADED_BY)


def aliases(number: Number) -> list[str]:
    """Other digits that lead to the number: its aliases, and all of them in E.164 as carriers may write."""
    own = [number.digits, *(alias.replace("-", "") for alias in number.aliases)]
    international = [_COUNTRY + one[1:] for one in own if one.startswith("0") and len(one) >= 9]
    return list(dict.fromkeys([*own[1:], *international]))


def queue_of(site: Site, number: Number) -> str:
    """The queue in which a survival call of the number is counted: where its plan leads at once, else the
    first."""
    kind, _, queue = number.begins.partition(":")
    return queue if kind == "queue" else site.queues[0].id


def return_number(site: Site) -> Number:
    """The number under which a call to the return code is led that gives no citizen back: a department's own.
    The first one for staff (職員連絡用), else the first."""
    return next((one for one in site.numbers if one.staff), site.numbers[0])


def host(name: str) -> str:
    """As it stands in a SIP URI."""
    return f"[{name}]" if ":" in name else name


def modules(settings: AsteriskSettings) -> list[str]:
    """The modules to load, in the order of modules.txt; a line `a | b` takes the first that is there."""
    text = (Path(__file__).parent / "templates" / "modules.txt").read_text(encoding="utf-8")
    found = []
    for line in text.splitlines():
        names = [name.strip() for name in line.split("#")[0].split("|")]
        if not names[0]:
            continue
        there = [name for name in names if (settings.tree.modules / f"{name}.so").exists()]
        if not there:
            raise ConfigurationError(
                f"{settings.tree.modules}: no module {' or '.join(names)} in this Asterisk; install it"
            )
        found.append(f"{there[0]}.so")
    return found


def _plain(text: str) -> str:
    """What people typed, safe within a line of Asterisk's files."""
    return "".join(c for c in text if c.isprintable() and c not in ';,|"\\<>[]{}$()')
