// What changes on the seat is said to screen readers once, politely, as one sentence.

import { el } from "./page";

let last = "";

/** Says it unless it was the last thing said. `key` tells two equal sentences apart: the call they are about. */
export function announce(text: string, key = ""): void {
  if (!text || last === key + text) return;
  last = key + text;
  el("announcer").textContent = text;
}
