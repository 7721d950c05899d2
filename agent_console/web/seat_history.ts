// この方の履歴: earlier contacts of who calls, and what is still open for them.

import { get } from "./api";
import type { Call, Callback } from "./live";
import { el, make, page, put, show, t } from "./page";
import { clock, dayOf } from "./time";

interface Contact {
  call: string;
  at: string;
  number_name: string | null;
  via: string | null;
  outcome: string | null;
  result: string | null;
  category: string | null;
  note: string | null;
  operator_name: string | null;
  transferred_to: string | null;
}

export interface OpenCase {
  id: number;
  kind: string;
  subject: string;
  note: string;
  due_at: string | null;
  created_at: string;
  call: string | null;
  overdue: boolean;
}

interface Found {
  contacts: Contact[];
  cases: OpenCase[];
}

export class History {
  private of = "";
  private may = false;

  /** `dial` calls the citizen back for a case; `reveal` brings the history to the front. */
  constructor(
    private readonly dial: (found: OpenCase) => void,
    private readonly reveal: () => void,
  ) {}

  /** Of whom: the call that rings or runs, or the callback that is offered. */
  follow(now: Call | Callback | null, free: boolean): void {
    if (free !== this.may) {
      this.may = free;
      document.querySelectorAll<HTMLButtonElement>("#cases button").forEach((button) => (button.disabled = !free));
    }
    if (!now || now.id === this.of) return;
    this.of = now.id;
    this.reveal();
    void this.read(now);
  }

  private async read(now: Call | Callback): Promise<void> {
    const known = "caller" in now ? now.caller !== null : true;
    put(el("history-of"), "caller_text" in now ? (now.caller_text ?? t("withheld")) : now.number_text);
    if (!known) {
      this.draw({ contacts: [], cases: [] }, t("history.withheld"));
      return;
    }
    this.draw({ contacts: [], cases: [] }, t("history.reading"));
    const id = now.id;
    try {
      const found = await get<Found>(`/calls/${encodeURIComponent(id)}/history`);
      if (this.of === id) this.draw(found, found.contacts.length || found.cases.length ? "" : t("history.none"));
    } catch (error) {
      if (this.of === id) this.draw({ contacts: [], cases: [] }, t("history.failed", { why: error instanceof Error ? error.message : "" }));
    }
  }

  private draw(found: Found, instead: string): void {
    put(el("history-empty"), instead);
    show(el("history-empty"), instead !== "");
    el("cases").replaceChildren(...found.cases.map((one) => this.caseRow(one)));
    el("contacts").replaceChildren(...found.contacts.map(contactRow));
  }

  private caseRow(one: OpenCase): HTMLElement {
    const row = make("li", "case");
    const head = make("p", "line");
    head.append(make("b", "", t(`history.kind.${one.kind}`)));
    if (one.due_at) {
      const due = make("span", one.overdue ? "num late" : "num", t(one.overdue ? "history.overdue" : "history.due", { at: `${dayOf(one.due_at)} ${clock(one.due_at)}` }));
      head.append(due);
    }
    const button = make("button", "small-button", t("history.dial")) as HTMLButtonElement;
    button.type = "button";
    button.disabled = !this.may;
    button.addEventListener("click", () => this.dial(one));
    if (one.kind === "callback") head.append(button);
    row.append(head, make("p", "small", [one.subject, one.note].filter(Boolean).join(" · ")));
    return row;
  }
}

function contactRow(one: Contact): HTMLElement {
  const row = make("li");
  const head = make("p", "line");
  const result = one.result ? t(`result.${one.result}`) : (page.texts[`history.outcome.${one.outcome ?? ""}`] ?? "");
  head.append(make("span", "num", `${dayOf(one.at)} ${clock(one.at)}`), make("b", "", one.category ?? one.number_name ?? ""), make("span", "tag", result));
  const rest = [one.via === "outbound" || one.via === "callback" ? t("history.ours") : "", one.transferred_to ? `→ ${one.transferred_to}` : "", one.operator_name ?? ""];
  row.append(head, make("p", "small muted", rest.filter(Boolean).join(" · ")));
  if (one.note) {
    const note = make("p", "small note", one.note);
    note.title = one.note;
    row.append(note);
  }
  return row;
}
