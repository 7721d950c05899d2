// What the operator should know of this call beside who calls: why it came back, how often it was sent on, who
// listens with them, what a supervisor has written.

import { announce } from "./announce";
import type { Call, Help } from "./live";
import { el, make, page, t } from "./page";
import { reasonText, targetText } from "./targets";
import { clock } from "./time";

interface Notice {
  key: string;
  kind: "info" | "warn" | "bad";
  shape: string;
  text: string;
}

const REPLY_SHOWN_MS = 30_000;

export class Notices {
  private shown = "";

  draw(call: Call | null, helps: Help[]): void {
    const notices = [...(call ? ofCall(call) : []), ...helps.flatMap(ofHelp)];
    const now = JSON.stringify(notices);
    if (now === this.shown) return;
    const before = new Set(this.shown ? (JSON.parse(this.shown) as Notice[]).map((one) => one.key) : []);
    this.shown = now;
    el("notices").replaceChildren(...notices.map(row));
    const fresh = notices.filter((one) => !before.has(one.key));
    if (fresh.length) announce(fresh.map((one) => one.text).join(" "), fresh.map((one) => one.key).join());
  }
}

function ofCall(call: Call): Notice[] {
  const found: Notice[] = [];
  const { returned, last_transfer: last, transfer } = call;
  // Rung by a colleague: without this it looks like a citizen's call, and is answered as one.
  if (transfer && transfer.to.kind === "operator" && transfer.to.number === page.operator && transfer.operator !== page.operator) {
    const text = t(`transfer.from.${transfer.kind === "blind" ? "blind" : transfer.state}`, { who: helperName(transfer.operator ?? "") });
    found.push({ key: `from ${transfer.since} ${transfer.state}`, kind: "info", shape: "↘", text });
  }
  if (call.marks?.some((one) => one.mark === "emergency")) {
    const mark = call.marks.find((one) => one.mark === "emergency");
    found.push({ key: "emergency", kind: "bad", shape: "▲", text: t("mark.emergency_on", { at: clock(mark?.at) }) });
  }
  for (const one of call.supervision ?? []) {
    found.push({ key: `with ${one.supervisor}`, kind: "info", shape: "◉", text: t("seat.joined", { at: clock(one.since) }) });
  }
  if (returned && (!last || returned.at >= last.at)) {
    const text = t("transfer.returned", { to: targetText(returned.to), why: reasonText(returned.reason), at: clock(returned.at) });
    found.push({ key: `returned ${returned.at}`, kind: "warn", shape: "↩", text });
  } else if (last && last.reason !== "returned" && last.reason !== "over") {
    const text = t("transfer.came_back", { to: targetText(last.to), why: reasonText(last.reason), at: clock(last.at) });
    found.push({ key: `last ${last.at}`, kind: "warn", shape: "↩", text });
  }
  const hops = call.hops ?? 0;
  if (hops >= (page.seat?.hops_warn ?? Infinity)) {
    found.push({ key: `hops ${hops}`, kind: "warn", shape: "⇄", text: t("transfer.hops", { n: hops }) });
  }
  return found;
}

/** The supervisor's last word, for as long as it is news. */
function ofHelp(help: Help): Notice[] {
  const said = help.messages.filter((one) => one.by !== page.operator && one.by !== page.login).pop();
  if (!said || Date.now() - Date.parse(said.at) > REPLY_SHOWN_MS) return [];
  return [{ key: `help ${said.at}`, kind: "info", shape: "✉", text: t("ask.reply", { who: helperName(said.by), text: said.text }) }];
}

/** A helper's name as people know it. */
export function helperName(by: string): string {
  return page.seat?.people[by] ?? by;
}

function row(notice: Notice): HTMLElement {
  const item = make("li", "notice");
  item.dataset.kind = notice.kind;
  const shape = make("span", "shape", notice.shape);
  shape.setAttribute("aria-hidden", "true");
  item.append(shape, make("span", "", notice.text));
  return item;
}
