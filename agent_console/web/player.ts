// Replay: the recording is fetched once, drawn as two waves (citizen above, operator below) and played.

import { put, show, t } from "./page";
import { span } from "./time";

const COLUMNS = 600;

export class Player {
  private readonly audio: HTMLAudioElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly position: HTMLInputElement;
  private readonly button: HTMLButtonElement;
  private waves: Float32Array[] = [];

  constructor(private readonly root: HTMLElement) {
    this.audio = this.find("audio");
    this.canvas = this.find("canvas");
    this.position = this.find(".position");
    this.button = this.find(".play");
    this.button.addEventListener("click", () => void this.toggle());
    this.position.addEventListener("input", () => (this.audio.currentTime = Number(this.position.value)));
    this.canvas.addEventListener("click", (event) => {
      const box = this.canvas.getBoundingClientRect();
      if (this.audio.duration) this.audio.currentTime = ((event.clientX - box.left) / box.width) * this.audio.duration;
    });
    this.find<HTMLSelectElement>("select").addEventListener("change", (event) => {
      this.audio.playbackRate = Number((event.target as HTMLSelectElement).value);
    });
    for (const name of ["timeupdate", "seeked", "loadedmetadata"]) {
      this.audio.addEventListener(name, () => this.draw());
    }
    for (const name of ["play", "pause", "ended"]) this.audio.addEventListener(name, () => this.drawButton());
    void this.load();
  }

  private find<T extends Element>(selector: string): T {
    const found = this.root.querySelector<T>(selector);
    if (!found) throw new Error(`the player has no ${selector}`);
    return found;
  }

  private async load(): Promise<void> {
    this.message(t("player.loading"));
    try {
      const answer = await fetch(this.root.dataset.src ?? "");
      if (!answer.ok) {
        const problem = (await answer.json().catch(() => null)) as { detail?: string } | null;
        throw new Error(problem?.detail ?? String(answer.status));
      }
      const sound = await answer.blob();
      this.audio.src = URL.createObjectURL(sound);
      const context = new OfflineAudioContext(1, 1, 8000);
      const decoded = await context.decodeAudioData(await sound.arrayBuffer());
      this.waves = Array.from({ length: decoded.numberOfChannels }, (_, i) => peaks(decoded.getChannelData(i)));
      this.position.max = String(decoded.duration);
      put(this.find(".of"), span(decoded.duration));
      this.message("");
      this.root.dataset.ready = "true";
      this.draw();
    } catch (error) {
      this.message(t("player.failed", { why: error instanceof Error ? error.message : String(error) }));
    }
  }

  private async toggle(): Promise<void> {
    if (this.audio.paused) await this.audio.play().catch(() => undefined);
    else this.audio.pause();
  }

  private drawButton(): void {
    put(this.button, t(this.audio.paused ? "player.play" : "player.pause"));
  }

  private draw(): void {
    const at = this.audio.currentTime;
    const duration = Number(this.position.max) || this.audio.duration || 1;
    this.position.value = String(at);
    this.position.setAttribute("aria-valuetext", span(at));
    put(this.find(".at"), span(at));
    const context = this.canvas.getContext("2d");
    if (!context || !this.waves.length) return;
    const { width, height } = this.canvas;
    const style = getComputedStyle(this.root);
    const colours = [style.getPropertyValue("--blue"), style.getPropertyValue("--ready")];
    const lane = height / this.waves.length;
    const step = width / COLUMNS;
    context.clearRect(0, 0, width, height);
    this.waves.forEach((wave, channel) => {
      const middle = lane * (channel + 0.5);
      context.fillStyle = colours[channel % 2] ?? "";
      wave.forEach((peak, i) => {
        context.globalAlpha = i / COLUMNS <= at / duration ? 1 : 0.4;
        const size = Math.max(1, peak * lane * 0.92);
        context.fillRect(i * step, middle - size / 2, Math.max(1, step - 0.5), size);
      });
    });
    context.globalAlpha = 1;
    context.fillStyle = style.getPropertyValue("--ink");
    context.fillRect((at / duration) * width - 1, 0, 2, height);
  }

  private message(text: string): void {
    const place = this.find<HTMLElement>(".player-message");
    put(place, text);
    show(place, text !== "");
  }
}

/** The loudest of each of COLUMNS slices, scaled so that quiet speech is still seen. */
function peaks(samples: Float32Array): Float32Array {
  const result = new Float32Array(COLUMNS);
  const slice = Math.max(1, Math.ceil(samples.length / COLUMNS));
  let loudest = 0.02;
  for (let i = 0; i < samples.length; i++) {
    const column = Math.floor(i / slice);
    const size = Math.abs(samples[i] ?? 0);
    if (size > (result[column] ?? 0)) result[column] = size;
    if (size > loudest) loudest = size;
  }
  return result.map((peak) => peak / loudest);
}
