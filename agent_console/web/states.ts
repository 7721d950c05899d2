// A state has a colour, a shape and a word, the same everywhere. Colours stand in the style sheet under data-state.

import { page, put, t } from "./page";

const SHAPES: Record<string, string> = {
  ready: "●",
  ringing: "◉",
  talking: "▶",
  hold: "‖",
  wrap_up: "◆",
  break: "○",
  training: "◇",
  no_answer: "▲",
  off: "–",
  no_phone: "△",
  greeting: "♪",
  announcement: "♪",
  menu: "#",
  forwarding: "↗",
  forwarded: "↗",
  transferring: "↗",
  transferred: "↗",
  waiting: "…",
  returning: "↺",
  calling: "↗",
};

/** What stands beside a state: the operator's own words for a break, ours for why calls are held back. */
function reasonOf(state: string, reason: string | null | undefined): string {
  if (!reason || reason === state) return "";
  return state === "no_answer" ? (page.texts[`why.${reason}`] ?? "") : reason;
}

/** Draws a state into an element that holds a `.shape` and a `.word`. */
export function drawState(node: HTMLElement, state: string, reason?: string | null): void {
  if (node.dataset.state !== state) node.dataset.state = state;
  const shape = node.querySelector(".shape");
  const word = node.querySelector(".word");
  if (shape) put(shape, SHAPES[state] ?? "?");
  if (word) put(word, [t(`state.${state}`), reasonOf(state, reason)].join(" ").trim());
}

export const shapeOf = (state: string): string => SHAPES[state] ?? "?";
