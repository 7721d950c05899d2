// The day by the half-hour: 着信 as bars, 応答 and 放棄 as lines.

import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import type { Curves, Scope } from "./board_types";
import { el, page, put, show, t } from "./page";

const FROM_H = 8; // what a quiet morning shows
const UNTIL_H = 18;

const colour = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

export class TrendChart {
  private readonly place = el("trend");
  private plot: uPlot | null = null;
  private curves: Curves | null = null;
  private scope: Scope = { kind: "all", id: "" };
  private sums: number[] = [];

  constructor() {
    new ResizeObserver(() => this.size()).observe(this.place);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.anew());
  }

  take(curves: Curves | null | undefined): void {
    if (curves) this.curves = curves;
    this.draw();
  }

  show(scope: Scope): void {
    this.scope = scope;
    this.draw();
  }

  private draw(): void {
    const curves = this.curves;
    const counts = curves && this.chosen(curves);
    const sums = [0, 1, 2].map((n) => (counts ?? []).reduce((sum, one) => sum + (one[n] ?? 0), 0)) as [number, number, number];
    this.sums = sums;
    put(el("trend-empty"), t("board.trend_none"));
    show(el("trend-empty"), sums[0] === 0);
    if (!curves || !counts) return;
    this.place.setAttribute("aria-label", t("board.trend_text", { arrived: sums[0], answered: sums[1], abandoned: sums[2] }));
    const data = this.data(curves, counts);
    if (this.plot) this.plot.setData(data);
    else this.plot = new uPlot(this.options(), data, this.place);
  }

  private chosen(curves: Curves): number[][] {
    if (this.scope.kind === "number") return curves.numbers[this.scope.id] ?? [];
    if (this.scope.kind === "queue") return curves.queues[this.scope.id] ?? [];
    return curves.total;
  }

  /** From the first call (or 8:00) to now (or 18:00); what is to come stays empty. */
  private data(curves: Curves, counts: number[][]): uPlot.AlignedData {
    const step = curves.minutes * 60;
    const start = Date.parse(curves.start) / 1000;
    const busy = counts.flatMap((one, i) => (one[0] ? [i] : []));
    const slot = (hour: number) => (hour * 3600) / step;
    const now = Math.floor((Date.now() / 1000 - start) / step);
    const from = Math.min(slot(FROM_H), now, ...busy);
    const until = Math.min(counts.length, Math.max(slot(UNTIL_H), now + 1, ...busy.map((i) => i + 1)));
    const times: number[] = [];
    const lines: (number | null)[][] = [[], [], []];
    for (let i = Math.max(0, from); i < until; i += 1) {
      times.push(start + i * step + step / 2);
      lines.forEach((line, n) => line.push(i > now ? null : (counts[i]?.[n] ?? 0)));
    }
    return [times, ...lines] as uPlot.AlignedData;
  }

  private options(): uPlot.Options {
    const zone = page.zone || "Asia/Tokyo";
    const hour = new Intl.DateTimeFormat("ja-JP", { hour: "numeric", minute: "2-digit", hour12: false, timeZone: zone });
    const axis = { stroke: colour("--muted"), grid: { stroke: colour("--line"), width: 1 }, ticks: { show: false }, font: "12px system-ui" };
    const whole = (_: uPlot, values: number[]) => values.map((one) => (Number.isInteger(one) ? String(one) : ""));
    const middle = (seconds: number): string => hour.format(new Date((seconds - 15 * 60) * 1000));
    return {
      ...this.extent(),
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), zone),
      legend: { live: true, markers: { width: 2 } },
      cursor: { y: false, drag: { x: false, y: false } },
      scales: { x: { range: (_, min, max) => [min - 900, max + 900] }, y: { range: (_, __, max) => [0, Math.max(4, Math.ceil(max * 1.15))] } },
      axes: [
        { ...axis, size: 26, space: 60, values: (_, marks) => marks.map((one) => hour.format(new Date(one * 1000))) },
        { ...axis, size: 34, values: whole },
      ],
      series: [
        { label: "", value: (_, seconds) => (seconds == null ? "" : middle(seconds)) },
        { label: t("trend.arrived"), value: (_, v) => this.value(v, 0), stroke: colour("--line-strong"), fill: colour("--grey-soft"), paths: uPlot.paths.bars?.({ size: [0.8, 40] }) as uPlot.Series.PathBuilder, points: { show: false } },
        { label: t("trend.answered"), value: (_, v) => this.value(v, 1), stroke: colour("--ready"), width: 2.5, points: { show: true, size: 6, fill: colour("--ready") } },
        { label: t("trend.abandoned"), value: (_, v) => this.value(v, 2), stroke: colour("--red"), width: 2.5, dash: [6, 4], points: { show: true, size: 6, fill: colour("--red") } },
      ],
    };
  }

  /** What the legend says: of the half-hour pointed at, else of the day. */
  private value(value: number | null, series: number): string {
    return String(value ?? this.sums[series] ?? "");
  }

  private extent(): { width: number; height: number } {
    const legend = 26;
    return { width: Math.max(200, this.place.clientWidth), height: Math.max(90, this.place.clientHeight - legend) };
  }

  private size(): void {
    this.plot?.setSize(this.extent());
  }

  private anew(): void {
    this.plot?.destroy();
    this.plot = null;
    this.draw();
  }
}
