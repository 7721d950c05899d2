"""The passwords that programs and phones know each other by; made once, kept over restarts."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from asterisk_conf.files import write_atomically
from asterisk_conf.settings import ConfigurationError
from dialplans import Site

ARI_USER = "daihyo"
AMI_USER = "daihyo"
CITIZEN_WEB = "citizen-web"

_ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # typed into desk phones by hand: nothing that looks alike
_SIP_LENGTH = 20  # 99 bits


@dataclass(frozen=True)
class Secrets:
    """`sip`: secret of each SIP endpoint (`1001`, `1001-web`, `citizen-web`). Nothing of it is ever printed
    by repr; only `daihyo phone` shows one on request."""

    ari_password: str = field(repr=False)
    ami_password: str = field(repr=False)
    api_token: str = field(repr=False)
    session_key: str = field(repr=False)
    sip: Mapping[str, str] = field(repr=False)
    ari_user: str = ARI_USER
    ami_user: str = AMI_USER

    @classmethod
    def load_or_create(cls, path: Path, site: Site) -> Secrets:
        """Reads `path` (JSON, 0600) and adds what is missing, e.g. for new operators; those of operators who
        left are dropped. Safe with several processes at once. Raises ConfigurationError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _locked(path):
            stored = _read(path)
            known = stored.get("sip")
            sip = known if isinstance(known, dict) else {}
            endpoints = [name for operator in site.operators for name in operator.endpoints]
            wanted: dict[str, object] = {
                "ari_password": stored.get("ari_password") or secrets.token_urlsafe(32),
                "ami_password": stored.get("ami_password") or secrets.token_urlsafe(32),
                "api_token": stored.get("api_token") or secrets.token_urlsafe(32),
                "session_key": stored.get("session_key") or secrets.token_urlsafe(32),
                "sip": {name: sip.get(name) or _sip_secret() for name in [*endpoints, CITIZEN_WEB]},
            }
            if wanted != stored:
                write_atomically(path, json.dumps(wanted, indent=1) + "\n", mode=0o600)
            else:
                path.chmod(0o600)
        return cls(**wanted)  # type: ignore[arg-type]  # read as object, made above of the right kinds

    @classmethod
    def read(cls, path: Path) -> Secrets:
        """As they stand, nothing added or dropped: for programs that follow the plan, a moment behind
        whoever makes the secrets of new operators. Raises ConfigurationError."""
        with _locked(path):
            stored = _read(path)
        names = ("ari_password", "ami_password", "api_token", "session_key", "sip")
        if missing := [name for name in names if not stored.get(name)]:
            raise ConfigurationError(f"{path}: {', '.join(missing)} missing")
        return cls(**{name: stored[name] for name in names})  # type: ignore[arg-type]  # asked for above


def _sip_secret() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(_SIP_LENGTH))


def _read(path: Path) -> dict[str, object]:
    try:
        stored = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"{path}: the secrets cannot be read ({type(error).__name__}); restore the file, or remove it to"
            " have new ones made (desk phones must then be set up again)"
        ) from None
    if not isinstance(stored, dict):
        raise ConfigurationError(f"{path}: not a secrets file; restore it or remove it")
    return stored


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)
