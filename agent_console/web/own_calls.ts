// Today's own calls on the seat: read again whenever their count changes.

import { get } from "./api";
import { el, make, put, show, t } from "./page";
import { clock, span } from "./time";

interface Record {
  call: string;
  number: string | null;
  number_text: string | null;
  number_name: string | null;
  caller_text: string | null;
  arrived_at: string;
  answered_at: string | null;
  talk_s: number | null;
}

export class OwnCalls {
  private count = -1;

  constructor(private readonly operator: string) {}

  /** The figures of today; null while they are not known. */
  figures(today: { count: number; mean_talk_s: number | null } | null): void {
    if (!today) return;
    const mean = today.mean_talk_s === null ? "" : `  ${t("seat.mean", { t: span(today.mean_talk_s) })}`;
    put(el("own-today"), t("calls", { n: today.count }) + mean);
    if (today.count === this.count) return;
    this.count = today.count;
    void this.read();
  }

  private async read(): Promise<void> {
    try {
      const found = await get<{ calls: Record[] }>(`/calls?operator=${encodeURIComponent(this.operator)}&limit=50`);
      this.draw(found.calls);
    } catch {
      this.count = -1; // the next figures try again
    }
  }

  private draw(calls: Record[]): void {
    const rows = calls.map((call) => {
      const row = make("tr");
      const time = make("td", "num");
      const link = document.createElement("a");
      link.href = `/calls/${encodeURIComponent(call.call)}`;
      link.textContent = clock(call.answered_at ?? call.arrived_at);
      time.append(link);
      const talk = call.talk_s === null ? "―" : span(call.talk_s);
      row.append(
        time,
        make("td", "", call.number_name ?? call.number_text ?? ""),
        make("td", "num", call.caller_text ?? t("withheld")),
        make("td", "num right", talk),
      );
      return row;
    });
    el("own-calls").replaceChildren(...rows);
    put(el("own-empty"), t("seat.no_calls"));
    show(el("own-empty"), rows.length === 0);
  }
}
