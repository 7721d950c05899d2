"""Which numbers operators may dial: Japan's numbering plan, and what no typing gets past (toll fraud)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialplans import DialClass, DialRefused, OutLeg, Site, classify, parse_site, route_extension, route_out

PLAN = """
city: 試験市
centre: 試験センター
id: test
numbers:
  - {number: "0246-22-1111", name: 代表, queue: main, greeting: あ, recording_notice: 録音します,
     aliases: ["0246-22-1112"], diverted: [{number: "0246-22-7777", name: 税務課}]}
  - {number: "0246-22-1200", name: 相談, queue: main, greeting: あ, recording_notice: 録音します}
queues: [{id: main, name: 案内}]
operators: [{id: "1001", name: 甲, queues: [main]}]
trunks:
  - {id: hikari, addresses: [192.0.2.1], outbound: {host: 192.0.2.1}}
  - {id: spare, addresses: [192.0.2.2], outbound: {host: 192.0.2.2, prefix: "9"}}
  - {id: hall, addresses: [192.0.2.3], outbound: {host: 192.0.2.3, prefix: "0"}}
  - {id: inward, addresses: [192.0.2.4]}
dialling: {trunks: [hikari, spare], by_class: {mobile: [spare]}, area: "0246", never: ["0246-99", "090-1000"]}
pbx: {trunks: [hall], prefix: "8", digits: [3, 5], return_code: "*77"}
"""
SITE = parse_site(PLAN)


def with_dialling(**change: object) -> Site:
    return SITE.model_copy(update={"dialling": SITE.dialling.model_copy(update=change)})


def refused(number: str, site: Site = SITE) -> DialRefused:
    with pytest.raises(DialRefused) as caught:
        route_out(site, number)
    return caught.value


@pytest.mark.req("NUM-4")
@pytest.mark.parametrize(
    ("typed", "digits", "kind"),
    [
        ("0246-22-2345", "0246222345", DialClass.LOCAL),
        ("03-1234-5678", "0312345678", DialClass.LOCAL),
        ("(0220)12-3456", "0220123456", DialClass.LOCAL),  # an area code with a 0 in it
        ("22-2345", "0246222345", DialClass.LOCAL),  # the area's own
        ("+81 246 22 2345", "0246222345", DialClass.LOCAL),
        ("+81 (0)246-22-2345", "0246222345", DialClass.LOCAL),
        ("0246\N{FULLWIDTH HYPHEN-MINUS}22\N{MINUS SIGN}2345", "0246222345", DialClass.LOCAL),
        ("0246ー22ー2345", "0246222345", DialClass.LOCAL),  # 長音 where a hyphen was meant
        ("\uff10\uff12\uff14\uff16\uff12\uff12\uff12\uff13\uff14\uff15", "0246222345", DialClass.LOCAL),
        ("  090-1234-5678 ", "09012345678", DialClass.MOBILE),
        ("06012345678", "06012345678", DialClass.MOBILE),
        ("+819012345678", "09012345678", DialClass.MOBILE),
        ("186-090-1234-5678", "09012345678", DialClass.MOBILE),
        ("050-1234-5678", "05012345678", DialClass.IP),
        ("0570-012-345", "0570012345", DialClass.NAVI),
        ("0120-123-456", "0120123456", DialClass.FREE),
        ("0800-123-4567", "08001234567", DialClass.FREE),
        ("117", "117", DialClass.SERVICE),
        ("１１９", "119", DialClass.EMERGENCY),
        ("184-110", "110", DialClass.EMERGENCY),
        ("0990-123456", "0990123456", DialClass.PREMIUM),
        ("0180-99-1234", "0180991234", DialClass.PREMIUM),
        ("+1 212 555 0100", "01012125550100", DialClass.INTERNATIONAL),
        ("010-44-20-7946-0000", "010442079460000", DialClass.INTERNATIONAL),
        ("010-81-246-22-2345", "0246222345", DialClass.LOCAL),
    ],
)
def test_a_number_is_read_as_people_type_it(typed: str, digits: str, kind: DialClass) -> None:
    assert classify(typed, area="0246") == (digits, kind)


@pytest.mark.req("NUM-4")
@pytest.mark.parametrize(
    "typed",
    ["", "-", "あ", "0246", "22-2345", "0246-22-23456", "090-1234-567", "0200-1234567", "0033-03-1234-5678",
     "0246222345;x", "0246222345@host", "0246222345*1", "#9110", "142", "+", "++819012345678", "09012345678+",
     "٠٩٠١٢٣٤٥٦٧٨", "09012345678" + " " * 60 + "9", "09012345678\x00", "122-0990-123456"],
)  # fmt: skip
def test_what_is_no_number_is_refused_in_both_languages(typed: str) -> None:
    with pytest.raises(DialRefused) as caught:
        classify(typed)
    assert caught.value.code == "bad_number"
    assert caught.value.ja
    assert caught.value.en.isprintable()


@pytest.mark.req("NUM-4", "NUM-5")
def test_the_route_names_trunks_in_order_and_what_they_are_sent() -> None:
    route = route_out(SITE, "0246-22-2345")
    assert (route.digits, route.kind) == ("0246222345", DialClass.LOCAL)
    assert route.legs == (OutLeg("hikari", "0246222345"), OutLeg("spare", "90246222345"))
    assert route_out(SITE, "090-1234-5678").legs == (OutLeg("spare", "909012345678"),)


@pytest.mark.req("NUM-5")
def test_the_shown_number_is_the_sites_else_what_the_call_is_about_else_the_first() -> None:
    assert route_out(SITE, "0246-22-2345").shown == "0246221111"
    assert route_out(SITE, "0246-22-2345", about="0246221200").shown == "0246221200"
    assert route_out(SITE, "0246-22-2345", about="09011112222").shown == "0246221111"  # none of ours
    always = with_dialling(shown="0246-22-1111")
    assert route_out(always, "0246-22-2345", about="0246221200").shown == "0246221111"


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("117", "not_allowed"),
        ("0990-123456", "not_allowed"),
        ("+1 212 555 0100", "not_allowed"),
        ("0246-99-1234", "never"),
        ("+81 90 1000 1234", "never"),
        ("0246-22-1200", "own_number"),
        ("22-1112", "own_number"),
        ("+81 246 22 7777", "own_number"),
        ("nobody", "bad_number"),
    ],
)
def test_what_is_not_allowed_says_why(typed: str, code: str) -> None:
    assert refused(typed).code == code


@pytest.mark.req("SEC-4")
def test_numbers_abroad_are_dialled_only_where_the_site_allows_them() -> None:
    abroad = with_dialling(allow=(DialClass.INTERNATIONAL,))
    assert route_out(abroad, "+1 212 555 0100").legs[0].dial == "01012125550100"
    assert refused("0246-22-2345", abroad).code == "not_allowed"


@pytest.mark.req("SEC-4")
@pytest.mark.parametrize("typed", ["110", "118", "119", "１１９", "184110", "186-119"])
def test_emergency_calls_are_refused_with_what_to_do_whatever_the_plan_allows(typed: str) -> None:
    every = with_dialling(allow=tuple(DialClass))
    why = refused(typed, every)
    assert why.code == "not_allowed"
    assert "庁舎の電話か携帯電話" in why.ja
    assert "telephone of the building" in why.en


@pytest.mark.req("NUM-5")
def test_without_trunks_nobody_dials_out() -> None:
    assert refused("0246-22-2345", with_dialling(trunks=())).code == "no_trunk"
    assert refused("0246-22-2345", with_dialling(trunks=("inward",))).code == "no_trunk"


@pytest.mark.req("NUM-3", "NUM-4")
def test_an_extension_is_the_pbx_prefix_and_itself() -> None:
    route = route_extension(SITE, "２３-14")
    assert route.legs == (OutLeg("hall", "82314"),)  # the trunk's own prefix takes an outside line
    assert (route.digits, route.kind, route.shown) == ("2314", None, "0246221111")


@pytest.mark.req("NUM-4", "SEC-4")
@pytest.mark.parametrize(
    ("typed", "code"),
    [
        ("", "bad_extension"),
        ("12", "bad_extension"),
        ("123456", "bad_extension"),
        ("0110", "bad_extension"),  # 0 takes an outside line
        ("2314;x", "bad_extension"),
        ("*77", "bad_extension"),
        ("119", "not_allowed"),
    ],
)
def test_what_is_no_extension_is_refused(typed: str, code: str) -> None:
    with pytest.raises(DialRefused) as caught:
        route_extension(SITE, typed)
    assert caught.value.code == code


@pytest.mark.req("NUM-4")
def test_an_extension_that_leads_back_or_outside_is_refused() -> None:
    def by(prefix: str, **change: object) -> Site:
        pbx = SITE.pbx
        assert pbx is not None
        return SITE.model_copy(update={"pbx": pbx.model_copy(update={"prefix": prefix, **change})})

    for site, extension, code in (
        (by("024622"), "1200", "own_number"),  # 付加番号ダイヤルイン by public numbers
        (by("", return_code="7700"), "7700", "own_number"),
        (by("0990", digits=(3, 6)), "123456", "not_allowed"),
        (
            by("0", digits=(3, 6)),
            "184110",
            "not_allowed",
        ),  # outside line, 184, police
        (SITE.model_copy(update={"pbx": None}), "2314", "no_pbx"),
    ):
        with pytest.raises(DialRefused) as caught:
            route_extension(site, extension)
        assert caught.value.code == code


# What gets out, said a second time and in other words: whole numbers by their length and beginning.
_ALLOWED = re.compile(
    r"(?!0(?:990|180|170|910))0[1-9][1-9]\d{7}|0[56789]0[1-9]\d{7}|0570\d{6}|0120\d{6}|0800\d{7}", re.ASCII
)
_PIECES = st.sampled_from(
    ["184", "186", "010", "+81", "81", "+1", "+", "0033", "001", "110", "119", "0990", "0120", "0570", "0800",
     "090", "050", "0246", "0", "9", "*", "#", "*67", ";", "@", ",", "w", "-", "ー", " ", "２", "٣", "②", "^",
     "%2B", "\r\n", "&PJSIP/1001", "12345678", "221111", "991234", "10001234", "1200"]
)  # fmt: skip
_TYPED = st.one_of(
    st.lists(_PIECES, max_size=8).map("".join),
    st.text(alphabet="0123456789-+ ", max_size=18),
    st.text(max_size=20),
)


@pytest.mark.req("SEC-4")
@settings(max_examples=400, deadline=None)
@given(_TYPED, st.sampled_from(["0246", None]))
def test_nothing_that_is_not_allowed_gets_a_leg_whatever_is_typed(typed: str, area: str | None) -> None:
    site = with_dialling(area=area)
    try:
        route = route_out(site, typed)
    except DialRefused:
        return
    assert _ALLOWED.fullmatch(route.digits)
    assert not route.digits.startswith(("024699", "0901000"))
    assert route.digits not in ("0246221111", "0246221112", "0246221200", "0246227777")
    for leg in route.legs:
        assert leg.dial == {"hikari": "", "spare": "9"}[leg.trunk] + route.digits


@pytest.mark.req("SEC-4")
@settings(max_examples=300, deadline=None)
@given(_TYPED)
def test_whatever_is_typed_as_an_extension_stays_within_the_hall(typed: str) -> None:
    try:
        route = route_extension(SITE, typed)
    except DialRefused:
        return
    assert re.fullmatch(r"[1-9][0-9]{2,4}", route.digits, re.ASCII)
    assert [leg.dial for leg in route.legs] == ["8" + route.digits]
    assert route.digits not in ("110", "118", "119")


@pytest.mark.req("SEC-4")
@settings(max_examples=200, deadline=None)
@given(st.sampled_from(list(DialClass)), _TYPED)
def test_one_class_allowed_is_one_class_dialled(allowed: DialClass, typed: str) -> None:
    try:
        route = route_out(with_dialling(allow=(allowed,), by_class={}), typed)
    except DialRefused:
        return
    assert route.kind is allowed
    assert classify(route.digits) == (route.digits, allowed)
