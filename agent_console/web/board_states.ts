// Setting an operator's state from the board, signing off included.

import { ApiError, post } from "./api";
import type { Operator } from "./live";
import { el, put, say, t } from "./page";

const LATER = new Set(["ringing", "talking", "hold", "wrap_up"]);

export class StateDialog {
  private readonly dialog = el<HTMLDialogElement>("state-of");
  private operator: Operator | null = null;
  private from: HTMLElement | null = null;

  constructor() {
    el("state-cancel").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("close", () => this.from?.focus());
    for (const button of this.dialog.querySelectorAll<HTMLButtonElement>("[data-set]")) {
      button.addEventListener("click", () => void this.set(button.dataset.set ?? ""));
    }
  }

  open(operator: Operator): void {
    this.operator = operator;
    this.from = document.activeElement as HTMLElement | null;
    put(el("state-of-title"), t("board.state_of", { name: operator.name }));
    for (const button of this.dialog.querySelectorAll<HTMLButtonElement>("[data-set]")) {
      button.setAttribute("aria-pressed", String(button.dataset.set === operator.state));
    }
    this.dialog.showModal();
  }

  private async set(state: string): Promise<void> {
    const operator = this.operator;
    if (!operator) return;
    try {
      await post(`/operators/${encodeURIComponent(operator.id)}/state`, { state });
      const later = LATER.has(operator.state) && operator.state !== "ringing";
      say(t(later ? "board.state_later" : "board.state_set", { name: operator.name, state: t(`state.${state}`) }));
    } catch (error) {
      say(error instanceof ApiError ? error.message : String(error), "error");
    }
    this.dialog.close();
  }
}
