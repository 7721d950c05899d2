// The seat's telephone: the browser's or the one on the desk, chosen once and remembered on this machine. Its part of
// the page stands in templates/phone_parts.html and is the same on every page that has a telephone.

import { Devices, playOn } from "./devices";
import type { Operator } from "./live";
import { alreadyAllowed, microphone, MicError, useMicrophone, watchLevel } from "./mic";
import { el, page, put, say, show, t } from "./page";
import { BrowserPhone, type Setup, type Trouble } from "./phone";
import { PhoneSettings } from "./phone_settings";
import { Quality } from "./quality";
import { drawQuality } from "./quality_view";
import { ring, ringOn } from "./ring";

type Kind = "browser" | "desk";

const KEY = `daihyo.phone.${page.operator}`;
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
  private error = "";
  private trouble: Trouble = null;
  private readonly devices = new Devices(() => this.followDevices());
  private readonly quality = new Quality(() => drawQuality(this.quality, this.kind));
  private readonly settings = new PhoneSettings(this.devices, () => this.meter());

  constructor(
    private readonly changed: () => void,
    private readonly announce: () => void,
  ) {
    document.querySelectorAll<HTMLInputElement>("input[name=phone]").forEach((input) => {
      input.checked = input.value === this.kind;
      input.addEventListener("change", () => void this.choose(input.value as Kind));
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
    drawQuality(this.quality, this.kind);
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
      this.error = "";
      void this.devices.look();
    } catch (error) {
      this.error = error instanceof MicError ? error.message : String(error);
    }
    this.tell();
    return this.error === "";
  }

  async answer(): Promise<void> {
    await this.browser?.answer();
  }

  end(): void {
    this.browser?.end();
  }

  /** The engine says that this seat is in no conversation, and the phone still holds one: it was taken away while
   * the network was. */
  leftOver(): void {
    if (!this.talking) return;
    this.end();
    say(t("phone.taken_away"), "error");
  }

  toggleMute(): void {
    this.browser?.mute(!this.muted);
  }

  /** Sends keys as a telephone does. */
  digits(tones: string): void {
    this.browser?.digits(tones);
  }

  ring(on: boolean): void {
    ring(on && !this.talking);
  }

  /** Another window has taken the seat. */
  stop(): void {
    ring(false);
    this.quality.watch(null);
    this.stopLevel?.();
    this.stopLevel = null;
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
    this.error = "";
    this.tell();
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
        inTalk: () => !this.me || this.me.supervising != null || ["talking", "hold"].includes(this.me.state),
        // The same header makes this page answer what it has asked for itself: a call out, listening.
        resumed: () => {
          if (["talking", "hold"].includes(this.me?.state ?? "")) say(t("seat.returned"));
        },
      });
      this.browser.start();
    } catch (error) {
      this.error = error instanceof Error ? error.message : String(error);
      this.tell();
    }
    await this.devices.look();
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

  // -- devices

  private followDevices(): void {
    const mic = this.devices.using("mic").id;
    useMicrophone(mic, () => void this.otherMic());
    void playOn(el<HTMLAudioElement>("remote"), this.devices.using("headset").id);
    void ringOn(this.devices.using("ringer").id);
    this.settings.draw();
    if (this.error === "") this.tell();
    void this.otherMic();
  }

  /** The microphone is another one, by choice or because the former was pulled out: the conversation takes it. */
  private async otherMic(): Promise<void> {
    if (!(await alreadyAllowed()) || this.kind === "desk") return;
    if (!(await this.prepare())) return;
    await this.browser?.speakThrough(await microphone());
    this.meter(true);
  }

  /** The level is shown while it is of use: in a conversation and while the settings are open. */
  private meter(anew = false): void {
    const wanted = this.kind === "browser" && (this.talking || this.settings.open);
    if ((anew || !wanted) && this.stopLevel) {
      this.stopLevel();
      this.stopLevel = null;
    }
    if (!wanted || this.stopLevel) return;
    this.stopLevel = () => undefined; // one at a time
    void this.startLevel();
  }

  private async startLevel(): Promise<void> {
    const ready = await this.prepare();
    if (!this.stopLevel) return; // no longer wanted
    if (!ready) {
      this.stopLevel = null;
      return;
    }
    const meters = [...document.querySelectorAll<HTMLMeterElement>("meter.mic-level")];
    this.stopLevel = watchLevel(await microphone(), (level) => meters.forEach((meter) => (meter.value = level)));
  }

  // -- what is shown

  private draw(): void {
    this.meter();
    this.quality.watch(this.kind === "browser" ? (this.browser?.connection ?? null) : null);
    this.drawTrouble();
    const place = el("phone-state");
    let [text, ok] = ["", ""];
    if (this.kind === "desk") {
      const there = this.me?.phones.desk ?? false;
      [text, ok] = [t(there ? "phone.desk_ok" : "phone.desk_missing"), String(there)];
    } else if (this.trouble) {
      [text, ok] = [t(`phone.${this.trouble}_away`), "false"];
    } else if (this.browser?.registration === "registered") {
      [text, ok] = [t("phone.registered"), "true"];
    } else if (this.browser?.registration === "failed") {
      [text, ok] = [t("phone.failed", { why: this.browser.why }), "false"];
    } else {
      text = t("phone.registering");
    }
    put(place, text);
    place.dataset.ok = ok;
    document.querySelectorAll<HTMLElement>(".browser-phone").forEach((part) => show(part, this.kind === "browser"));
  }

  private drawTrouble(): void {
    const now = this.browser?.trouble ?? null;
    if (now === this.trouble) return;
    const before = this.trouble;
    this.trouble = now;
    document.body.dataset.trouble = now ?? "";
    if (before === "sound" && now === null && this.talking) say(t("phone.back"));
  }

  /** Where the phone's words stand: what hinders first, then which device is missed. */
  private tell(): void {
    const place = el("phone-message");
    const lost = (["mic", "headset", "ringer"] as const)
      .map((use) => this.devices.using(use).lost)
      .filter((label): label is string => label !== null);
    const missed = lost.length ? t("devices.lost", { name: [...new Set(lost)].join("・") }) : "";
    const text = this.error || (this.kind === "browser" ? missed : "");
    put(place, text);
    place.dataset.kind = this.error ? "error" : "warning";
    show(place, text !== "");
  }
}
