"""Ports: whether an address is free, and free ones for what only our own programs use."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket

from daihyo.settings import UserError


def check_address(listen: str) -> None:
    """Raises UserError when `listen` is no IP address or not one of this machine."""
    try:
        ipaddress.ip_address(listen)
    except ValueError:
        raise UserError(
            f"--listen {listen}: IPアドレスではありません / not an IP address; "
            "give one of this machine, e.g. 127.0.0.1"
        ) from None
    problem = _bind(listen, 0, socket.SOCK_STREAM)
    if problem is not None:
        raise UserError(
            f"--listen {listen}: このマシンのアドレスではありません / "
            f"not an address of this machine ({os.strerror(problem)})"
        )


def check_free(listen: str, port: int, option: str, *kinds: str) -> None:
    """Raises UserError naming port and option when it is taken; `kinds`: "tcp", "udp"."""
    for kind in kinds:
        problem = _bind(listen, port, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
        if problem is None:
            continue
        if problem == errno.EACCES:
            raise UserError(
                f"{option} {port}: 1024未満のポートを開く権限がありません / "
                f"no right to open {kind} port {port}; choose one above 1023 with {option}"
            )
        raise UserError(
            f"{option} {port}: ポートは使用中です / {kind} port {port} on {listen} is taken "
            f"({os.strerror(problem)}); choose another with {option}"
        )


def is_free(listen: str, port: int, *kinds: str) -> bool:
    try:
        check_free(listen, port, "", *kinds)
    except UserError:
        return False
    return True


def _bind(listen: str, port: int, kind: int) -> int | None:
    """None, or the errno of the failure."""
    family = socket.AF_INET6 if ":" in listen else socket.AF_INET
    with socket.socket(family, kind) as sock:
        if kind == socket.SOCK_STREAM:
            # Connections of a centre just stopped must not look like a taken port.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            sock.bind((listen, port))
            if kind == socket.SOCK_STREAM:
                sock.listen(1)
        except OSError as error:
            return error.errno or errno.EADDRINUSE
    return None


def pick(preferred: int | None, but_not: set[int], rtp: tuple[int, int]) -> int:
    """A free TCP port of 127.0.0.1: `preferred` if it is free (so that a restart keeps it), else any
    outside the RTP range."""
    if preferred is not None and preferred not in but_not and is_free("127.0.0.1", preferred, "tcp"):
        return preferred
    for _ in range(200):
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            port: int = sock.getsockname()[1]
        if port not in but_not and not rtp[0] <= port <= rtp[1]:
            return port
    raise UserError("no free port was found on 127.0.0.1 outside --rtp-ports; narrow that range")
