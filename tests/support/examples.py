"""The cities' examples: where they are, their numbers, and moments of the year that matter to them."""

from pathlib import Path

import dialplans

EXAMPLES = Path(dialplans.__file__).parent / "examples"
CITIES = ("iwaki", "yokosuka", "kawagoe", "kobe", "kumamoto")

IWAKI = ("0246-22-1111", "0246-54-2111", "0246-63-2111", "0246-43-2111", "0246-26-2111")
CENTRE, WATER, EVENTS = "046-000-0001", "046-000-0002", "046-000-0003"  # Yokosuka
CARD = "0570-000-000"  # Kawagoe
KOBE = "0120-000-000"
TASKS = {"096-000-0001": "tax", "096-000-0002": "fire", "096-000-0003": "school"}  # Kumamoto: queues
MEDICAL = "096-000-0004"

NOON, EVENING = "2026-11-24 12:00", "2026-11-24 20:30"  # a Tuesday
SATURDAY, SATURDAY_LATE = "2026-11-28 12:00", "2026-11-28 17:30"
HOLIDAY = "2026-11-23 11:00"  # 勤労感謝の日, a Monday
SUBSTITUTE = "2027-03-22 11:00"  # 振替休日 of 春分の日, a Monday
YEAR_END, NEW_YEAR = "2026-12-30 11:00", "2027-01-01 11:00"  # a Wednesday, a Friday
AFTER_NEW_YEAR = "2027-01-04 09:00"
