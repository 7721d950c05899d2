// The ring tone: made in the browser, 400 Hz wobbling at 16 Hz, one second on and two off as Japanese phones ring.
// It goes through an audio element, which browsers let sound on a loudspeaker of its own.

import { playOn } from "./devices";

let context: AudioContext | null = null;
let out: MediaStreamAudioDestinationNode | null = null;
const player = new Audio();
let timer = 0;
let volume = 0.15;

/** 0…1. */
export function setRingVolume(level: number): void {
  volume = level * 0.5;
}

/** On which loudspeaker it rings: a device id, "" for the system's own. */
export function ringOn(id: string): Promise<void> {
  return playOn(player, id);
}

function ready(): { context: AudioContext; out: MediaStreamAudioDestinationNode } {
  context ??= new AudioContext();
  out ??= context.createMediaStreamDestination();
  player.srcObject ??= out.stream;
  void context.resume();
  void player.play().catch(() => undefined); // browsers let a page sound only after somebody has used it
  return { context, out };
}

function once(): void {
  if (volume === 0) return;
  const { context, out } = ready();
  const now = context.currentTime;
  const tone = context.createOscillator();
  const wobble = context.createOscillator();
  const depth = context.createGain();
  const gain = context.createGain();
  tone.frequency.value = 400;
  wobble.frequency.value = 16;
  depth.gain.value = volume / 2;
  gain.gain.setValueAtTime(0, now);
  gain.gain.linearRampToValueAtTime(volume / 2, now + 0.03);
  gain.gain.setValueAtTime(volume / 2, now + 0.95);
  gain.gain.linearRampToValueAtTime(0, now + 1);
  wobble.connect(depth).connect(gain.gain);
  tone.connect(gain).connect(out);
  for (const source of [tone, wobble]) {
    source.start(now);
    source.stop(now + 1);
  }
}

/** Rings or stops ringing. */
export function ring(on: boolean): void {
  if (on === (timer !== 0)) return;
  if (on) {
    once();
    timer = window.setInterval(once, 3000);
  } else {
    window.clearInterval(timer);
    timer = 0;
    quiet();
  }
}

/** One ring, to hear where and how loud it is. */
export function ringOnce(): void {
  once();
  window.setTimeout(quiet, 1200);
}

function quiet(): void {
  if (timer === 0) player.pause(); // nothing of a ring cut short sounds into the talk
}

/** Three notes on a loudspeaker, to hear which one it is. */
export async function chime(id: string): Promise<void> {
  const sound = new AudioContext();
  const to = sound.createMediaStreamDestination();
  const element = new Audio();
  element.srcObject = to.stream;
  await playOn(element, id);
  await sound.resume();
  [523, 659, 784].forEach((hz, i) => {
    const note = sound.createOscillator();
    const gain = sound.createGain();
    const at = sound.currentTime + 0.05 + i * 0.25;
    note.frequency.value = hz;
    gain.gain.setValueAtTime(0, at);
    gain.gain.linearRampToValueAtTime(0.2, at + 0.02);
    gain.gain.linearRampToValueAtTime(0, at + 0.24);
    note.connect(gain).connect(to);
    note.start(at);
    note.stop(at + 0.25);
  });
  await element.play().catch(() => undefined);
  window.setTimeout(() => {
    element.pause();
    void sound.close();
  }, 1200);
}
