// A transfer under way: with whom, who hears whom, and what can be done next.

import { announce } from "./announce";
import type { Call, Transfer } from "./live";
import { el, page, put, show, t } from "./page";
import { targetText } from "./targets";
import { secondsSince, span } from "./time";

const SHAPES = { ringing: "↗", talking: "▶", held: "‖", three_way: "▲", transferred: "↗" };
const STATES = { ringing: "calling", talking: "talking", held: "hold", three_way: "talking", transferred: "calling" };

export class Partner {
  private transfer: Transfer | null = null;

  /** `act`: what to ask of the engine: swap, three-way, complete, return. */
  constructor(act: (verb: string) => void) {
    for (const [id, verb] of [["complete", "complete"], ["swap", "swap"], ["three-way", "three-way"], ["give-back", "return"]]) {
      el(id ?? "").addEventListener("click", () => act(verb ?? ""));
    }
  }

  draw(call: Call | null): void {
    const transfer = call?.transfer ?? null;
    const mine = transfer !== null && transfer.operator === page.operator;
    this.transfer = mine ? transfer : null;
    show(el("partner"), mine);
    if (!mine || !transfer) return;
    const { state } = transfer;
    const card = el("partner");
    card.dataset.state = STATES[state];
    put(el("partner-shape"), SHAPES[state]);
    put(el("partner-word"), t(`transfer.state.${transfer.kind === "blind" ? "blind" : state}`));
    put(el("partner-name"), targetText(transfer.to));
    put(el("partner-hears"), t(`transfer.hears.${transfer.kind === "blind" ? "blind" : state}`));
    const answered = state === "talking" || state === "held" || state === "three_way";
    able("complete", answered);
    able("swap", state === "talking" || state === "held");
    able("three-way", state === "talking" || state === "held");
    able("give-back", transfer.kind === "consult");
    announce(`${t(`transfer.state.${transfer.kind === "blind" ? "blind" : state}`)} ${targetText(transfer.to)}`, call?.id);
    this.tick();
  }

  tick(): void {
    if (this.transfer) put(el("partner-timer"), span(secondsSince(this.transfer.since)));
  }
}

function able(id: string, may: boolean): void {
  const button = el<HTMLButtonElement>(id);
  if (button.disabled === may) button.disabled = !may;
}
