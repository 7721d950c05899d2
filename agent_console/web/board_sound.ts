// The sound of alarms and of 手上げ: two falling notes, an emergency three high ones, made in the browser; can be muted.

import { el } from "./page";

const KEY = "daihyo.alarm-sound";
const AGAIN_MS = 12_000; // what is urgent calls until somebody has seen it
const USUAL = [880, 660];
const URGENT = [1320, 990, 1320, 990];

export class AlarmSound {
  private context: AudioContext | null = null;
  private known = new Set<string>();
  private timer = 0;
  private readonly box = el<HTMLInputElement>("alarm-sound");

  constructor() {
    this.box.checked = localStorage.getItem(KEY) !== "off";
    this.box.addEventListener("change", () => {
      localStorage.setItem(KEY, this.box.checked ? "on" : "off");
      if (this.box.checked) this.play(USUAL);
    });
  }

  /** `calling`: keys of what nobody has seen yet; new ones sound once, what is urgent again and again. On a page that
   * has just been opened (`first`) what is there already does not sound, unless it is urgent. */
  follow(calling: string[], urgent: boolean, first: boolean): void {
    const fresh = calling.some((key) => !this.known.has(key));
    this.known = new Set(calling);
    if (fresh && (!first || urgent)) this.play(urgent ? URGENT : USUAL);
    if (urgent === (this.timer !== 0)) return;
    window.clearInterval(this.timer);
    this.timer = urgent ? window.setInterval(() => this.play(URGENT), AGAIN_MS) : 0;
  }

  private play(notes: number[]): void {
    document.body.dataset.sounded = String(Number(document.body.dataset.sounded ?? 0) + 1);
    if (!this.box.checked) return;
    this.context ??= new AudioContext();
    const context = this.context;
    void context.resume(); // browsers let a page sound only after somebody has used it
    notes.forEach((hz, i) => {
      const at = context.currentTime + 0.02 + i * 0.22;
      const note = context.createOscillator();
      const gain = context.createGain();
      note.frequency.value = hz;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.18, at + 0.02);
      gain.gain.linearRampToValueAtTime(0, at + 0.2);
      note.connect(gain).connect(context.destination);
      note.start(at);
      note.stop(at + 0.21);
    });
  }
}
