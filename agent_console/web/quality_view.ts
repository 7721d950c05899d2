// The line's quality on the page: three bars and a word, the figures in the settings. `–` while nothing is known.

import { put, show, t } from "./page";
import type { Quality } from "./quality";

const BARS = { good: "▂▅▇", fair: "▂▅", poor: "▂" };

/** Draws into `#quality` and the figures of the settings, where the page has them. */
export function drawQuality(quality: Quality, kind: "browser" | "desk"): void {
  const place = document.getElementById("quality");
  const { loss, jitter, roundTrip, mos } = quality.reading;
  const grade = quality.grade;
  if (place) {
    const dash = t(kind === "desk" ? "quality.desk" : "quality.none");
    place.dataset.grade = grade ?? "none";
    put(part(place, "bars"), grade ? BARS[grade] : "–");
    put(part(place, "word"), grade ? t(`quality.${grade}`) : "");
    place.title = grade ? t("quality.title", { mos: mos?.toFixed(1) ?? "–", loss: one(loss), jitter: whole(jitter), trip: whole(roundTrip) }) : dash;
    place.setAttribute("aria-label", grade ? `${t("quality.name")} ${t(`quality.${grade}`)}` : dash);
  }
  for (const [name, text] of Object.entries({
    loss: loss === null ? "–" : `${one(loss)} %`,
    jitter: jitter === null ? "–" : `${whole(jitter)} ms`,
    trip: roundTrip === null ? "–" : `${whole(roundTrip)} ms`,
    mos: mos === null ? "–" : mos.toFixed(1),
  })) {
    const cell = document.getElementById(`quality-${name}`);
    if (cell) put(cell, text);
  }
  const advice = document.getElementById("quality-advice");
  if (advice) {
    put(advice, grade === "fair" || grade === "poor" ? t(`quality.advice_${grade}`) : "");
    show(advice, grade === "fair" || grade === "poor");
  }
}

function part(place: HTMLElement, name: string): HTMLElement {
  let found = place.querySelector<HTMLElement>(`.${name}`);
  if (!found) {
    found = document.createElement("span");
    found.className = name;
    place.append(found);
  }
  return found;
}

const one = (value: number | null): string => (value === null ? "–" : value.toFixed(1));
const whole = (value: number | null): string => (value === null ? "–" : String(Math.round(value)));
