// The seat's telephone: the browser's or the one on the desk, chosen once and remembered on this machine.

import type { Operator } from "./live";
import { alreadyAllowed, microphone, MicError, watchLevel } from "./mic";
import { el, page, put, say, show, t } from "./page";
import { BrowserPhone, type Setup } from "./phone";
import { ring, setRingVolume } from "./ring";

type Kind = "browser" | "desk";

const KEY = `daihyo.phone.${page.operator}`;
const VOLUME_KEY = "daihyo.ring";
const SETTLE_MS = 4000;

export class SeatPhone {
  /** New with every load of the page: tells the engine a reload from a reconnect. */
  readonly instance = crypto.randomUUID?.() ?? `page-${Date.now()}-${Math.random().toString(36).slice(2)}`;
  kind: Kind = localStorage.getItem(KEY) === "desk" ? "desk" : "browser";
  /** The phone is as ready as it will get: the seat may be announced. */
  settled = false;
  private browser: BrowserPhone | null = null;
  private me: Operator | null = null;
  private load: (() => Promise<Setup>) | null = null;
  private stopLevel: (() => void) | null = null;

  constructor(
    private readonly changed: () => void,
    private readonly announce: () => void,
  ) {
    document.querySelectorAll<HTMLInputElement>("input[name=phone]").forEach((input) => {
      input.checked = input.value === this.kind;
      input.addEventListener("change", () => void this.choose(input.value as Kind));
    });
    el("mic-test").addEventListener("click", () => void this.testMic());
    const volume = el<HTMLInputElement>("ring-volume");
    volume.value = localStorage.getItem(VOLUME_KEY) ?? volume.value;
    setRingVolume(Number(volume.value));
    volume.addEventListener("input", () => {
      localStorage.setItem(VOLUME_KEY, volume.value);
      setRingVolume(Number(volume.value));
    });
  }

  get ringing(): boolean {
    return this.browser?.ringing ?? false;
  }
  get talking(): boolean {
    return this.browser?.talking ?? false;
  }
  get muted(): boolean {
    return this.browser?.muted ?? false;
  }

  /** Takes up the chosen phone. */
  async begin(load: () => Promise<Setup>): Promise<void> {
    this.load = load;
    if (this.kind === "browser") await this.startBrowser();
    else this.settle();
  }

  /** What the engine knows of this operator's phones. */
  follow(me: Operator): void {
    this.me = me;
    this.draw();
  }

  /** Before going ready: the microphone must be there. False, with the reason shown, when it is not. */
  async prepare(): Promise<boolean> {
    if (this.kind === "desk") return true;
    try {
      await microphone();
      this.message("");
      return true;
    } catch (error) {
      this.message(error instanceof MicError ? error.message : String(error));
      return false;
    }
  }

  async answer(): Promise<void> {
    await this.browser?.answer();
  }

  end(): void {
    this.browser?.end();
  }

  toggleMute(): void {
    this.browser?.mute(!this.muted);
  }

  ring(on: boolean): void {
    ring(on && !this.talking);
  }

  /** Another window has taken the seat. */
  stop(): void {
    ring(false);
    this.browser?.stop();
    this.browser = null;
  }

  private async choose(kind: Kind): Promise<void> {
    if (this.talking) {
      this.check();
      return;
    }
    this.kind = kind;
    localStorage.setItem(KEY, kind);
    this.message("");
    this.check();
    if (kind === "browser") {
      await this.startBrowser();
    } else {
      this.browser?.stop();
      this.browser = null;
      this.settle();
    }
    this.draw();
  }

  private check(): void {
    document.querySelectorAll<HTMLInputElement>("input[name=phone]").forEach((input) => {
      input.checked = input.value === this.kind;
    });
  }

  private async startBrowser(): Promise<void> {
    if (this.browser || !this.load) return;
    this.settled = false;
    // A phone that cannot register must not keep the seat unannounced for ever.
    window.setTimeout(() => this.settle(), SETTLE_MS);
    try {
      const setup = await this.load();
      this.browser = new BrowserPhone(setup, el<HTMLAudioElement>("remote"), microphone, {
        changed: () => {
          if (this.browser?.registration === "registered") this.settle(true);
          this.draw();
          this.changed();
        },
        resumed: () => say(t("seat.returned")),
      });
      this.browser.start();
    } catch (error) {
      this.message(error instanceof Error ? error.message : String(error));
    }
    if (await alreadyAllowed()) await this.prepare();
  }

  private wasRegistered = false;

  private settle(registered = false): void {
    const again = registered !== this.wasRegistered;
    this.wasRegistered = registered;
    if (this.settled && !again) return;
    this.settled = true;
    this.announce();
  }

  private draw(): void {
    const place = el("phone-state");
    let [text, ok] = ["", ""];
    if (this.kind === "desk") {
      const there = this.me?.phones.desk ?? false;
      [text, ok] = [t(there ? "phone.desk_ok" : "phone.desk_missing"), String(there)];
    } else if (this.browser?.registration === "registered") {
      [text, ok] = [t("phone.registered"), "true"];
    } else if (this.browser?.registration === "failed") {
      [text, ok] = [t("phone.failed", { why: this.browser.why }), "false"];
    } else {
      text = t("phone.registering");
    }
    put(place, text);
    place.dataset.ok = ok;
    show(el("mic-test"), this.kind === "browser");
    show(el("mic-level"), this.kind === "browser");
  }

  private message(text: string): void {
    const place = el("phone-message");
    put(place, text);
    place.dataset.kind = "error";
    show(place, text !== "");
  }

  private async testMic(): Promise<void> {
    const meter = el<HTMLMeterElement>("mic-level");
    const button = el("mic-test");
    if (this.stopLevel) {
      this.stopLevel();
      this.stopLevel = null;
      put(button, t("mic.test"));
      this.message("");
      return;
    }
    if (!(await this.prepare())) return;
    this.stopLevel = watchLevel(await microphone(), (level) => (meter.value = level));
    put(button, t("mic.stop"));
    say(t("mic.ok"));
  }
}
