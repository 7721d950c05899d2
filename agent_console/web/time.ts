// Times on the screen run on the server's clock: a seat whose own clock is wrong still shows true waits.

import { page } from "./page";

let offset = 0;
const ticking = new Set<() => void>();

/** Takes the server's time of a message just received. The smallest delay seen is the truest. */
export function serverTime(at: string): void {
  const seen = Date.parse(at) - Date.now();
  if (Number.isNaN(seen)) return;
  offset = offset === 0 || seen > offset || Math.abs(seen - offset) > 2000 ? seen : offset;
}

/** Seconds since (or, negative, until) a moment. */
export function secondsSince(iso: string | null | undefined): number {
  return iso ? (Date.now() + offset - Date.parse(iso)) / 1000 : 0;
}

/** `2:07`, `1:02:07`. */
export function span(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (n: number) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  return h ? `${h}:${pad(m)}:${pad(s)}` : `${m}:${pad(s)}`;
}

const hours = new Intl.DateTimeFormat("ja-JP", {
  hour: "2-digit",
  minute: "2-digit",
  hour12: false,
  timeZone: page.zone || "Asia/Tokyo",
});

/** `14:02` in the site's zone. */
export function clock(iso: string | null | undefined): string {
  return iso ? hours.format(new Date(iso)) : "";
}

const days = new Intl.DateTimeFormat("ja-JP", { month: "numeric", day: "numeric", timeZone: page.zone || "Asia/Tokyo" });

/** `11/18` in the site's zone. */
export function dayOf(iso: string | null | undefined): string {
  return iso ? days.format(new Date(iso)) : "";
}

/** Calls back now and every second, for timers. */
export function everySecond(callback: () => void): void {
  ticking.add(callback);
  callback();
}

window.setInterval(() => ticking.forEach((callback) => callback()), 1000);
