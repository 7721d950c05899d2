// The ring tone: made in the browser, 400 Hz wobbling at 16 Hz, one second on and two off as Japanese phones ring.

let context: AudioContext | null = null;
let timer = 0;
let volume = 0.15;

/** 0…1. */
export function setRingVolume(level: number): void {
  volume = level * 0.5;
}

function once(): void {
  if (!context || volume === 0) return;
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
  tone.connect(gain).connect(context.destination);
  for (const source of [tone, wobble]) {
    source.start(now);
    source.stop(now + 1);
  }
}

/** Rings or stops ringing. Browsers let a page sound only after somebody has used it. */
export function ring(on: boolean): void {
  if (on === (timer !== 0)) return;
  if (on) {
    context ??= new AudioContext();
    void context.resume();
    once();
    timer = window.setInterval(once, 3000);
  } else {
    window.clearInterval(timer);
    timer = 0;
  }
}
