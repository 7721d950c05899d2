"""The words of the interface, a file for each part of it. Keys under `js.` are given to the browser."""

from . import (
    call_story,
    desk,
    distribution,
    frame,
    pages,
    phone,
    plan,
    plan_forms,
    plan_safety,
    plan_seats,
    problems,
    seat,
    seat_work,
    staffing,
    supervision,
)

WORDS: dict[str, tuple[str, str]] = {
    **frame.WORDS,
    **seat.WORDS,
    **phone.WORDS,
    **seat_work.WORDS,
    **pages.WORDS,
    **call_story.WORDS,
    **desk.WORDS,
    **distribution.WORDS,
    **staffing.WORDS,
    **plan.WORDS,
    **plan_forms.WORDS,
    **plan_safety.WORDS,
    **plan_seats.WORDS,
    **problems.WORDS,
    **supervision.WORDS,
}

__all__ = ["WORDS"]
