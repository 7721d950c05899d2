"""Whose desk phone may dial and transfer by its own keys (XFR-6), with this Asterisk.

The opt-in stands in the site (`phone_keys: true` of an operator). Some versions can be ended by one message
of such a telephone: with them the opt-in counts only where the site says so once more
(`transfers: {keys_at_own_risk: true}`); docs/decisions/0015.
"""

from __future__ import annotations

from dialplans import Site
from switch.install import Version, keys_objection

MODULE = "res_pjsip_refer"  # loaded only where somebody has keys: without it no REFER is understood at all


def with_keys(site: Site, version: Version) -> frozenset[str]:
    """The operators whose desk phone's keys work."""
    if keys_objection(version) is not None and not site.transfers.keys_at_own_risk:
        return frozenset()
    return frozenset(one.id for one in site.operators if one.phone_keys)


def warning(site: Site, version: Version) -> str | None:
    """What whoever runs the centre must know of it; None where nobody has the opt-in."""
    asked = [one.id for one in site.operators if one.phone_keys]
    if not asked:
        return None
    problem = keys_objection(version)
    if problem is None:
        return (
            f"phone_keys of {', '.join(asked)}: in rare cases an attended transfer by a telephone stops all"
            " of SIP in any Asterisk so far (asterisk issue 2166); the supervisor then starts Asterisk again"
        )
    if site.transfers.keys_at_own_risk:
        return f"phone_keys of {', '.join(asked)} work at your own risk: {problem}"
    return (
        f"phone_keys of {', '.join(asked)} stay off: {problem}. Install a newer Asterisk, or write"
        " transfers: {keys_at_own_risk: true}"
    )
