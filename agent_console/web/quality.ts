// How good a conversation's line is: loss, jitter, round trip, and from them the listener's likely opinion (MOS).
//
// The E-model of ITU-T G.107 (06/2015) in its usual short form (Cole and Rosenbluth, "Voice over IP performance
// monitoring", 2001), all other parameters at the defaults of G.107, table 2:
//   R   = 93.2 − Id − Ie,eff
//   Id  = 0.024 d + 0.11 (d − 177.3) H(d − 177.3)          d: one way, mouth to ear, ms; H(x) = 1 for x > 0, else 0
//   Ie,eff = Ie + (95 − Ie) · Ppl / (Ppl + Bpl)            G.107, 7-29 with random loss (BurstR = 1); Ppl in %
//   MOS = 1 + 0.035 R + R (R − 60) (100 − R) · 7·10⁻⁶      G.107, annex B; 1 below R = 0
// Ie = 0, Bpl = 25.1: G.711 with packet loss concealment (G.113, table I.4). Opus has no figures there and conceals
// at least as well. d = half the round trip + what waits in the jitter buffer + 25 ms for frame and sound card.
// docs/quality.md tells the same to people.

export type Grade = "good" | "fair" | "poor";

/** One reading. Rates in %, times in ms; null: not told (yet). */
export interface Reading {
  loss: number | null;
  jitter: number | null;
  roundTrip: number | null;
  mos: number | null;
}

const DEVICES_MS = 25;
const IE = 0;
const BPL = 25.1;

/** R of the E-model; `delay` one way in ms, `loss` in %. */
export function rating(delay: number, loss: number): number {
  const id = 0.024 * delay + (delay > 177.3 ? 0.11 * (delay - 177.3) : 0);
  return 93.2 - id - (IE + ((95 - IE) * loss) / (loss + BPL));
}

/** Mean opinion score, 1…4.5. */
export function mosOf(r: number): number {
  if (r <= 0) return 1;
  const bounded = Math.min(100, r);
  return 1 + 0.035 * bounded + bounded * (bounded - 60) * (100 - bounded) * 7e-6;
}

/** The classes of ITU-T G.109: from R = 80 "high", from 70 "medium", below many are dissatisfied. */
export function gradeOf(r: number): Grade {
  return r >= 80 ? "good" : r >= 70 ? "fair" : "poor";
}

interface Counts {
  received: number;
  lost: number;
  buffered: number; // seconds, summed over `emitted` samples
  emitted: number;
}

const EVERY_MS = 2000;
const WINDOW = 5; // readings that loss is counted over: ten seconds
const WORSE_AFTER = 2; // readings in a row before a worse grade is shown,
const BETTER_AFTER = 4; // and before a better one: what hovers at a bound does not flicker

/** Watches the connection of the running conversation. */
export class Quality {
  grade: Grade | null = null;
  reading: Reading = { loss: null, jitter: null, roundTrip: null, mos: null };
  private timer = 0;
  private watched: RTCPeerConnection | null = null;
  private counts: Counts[] = [];
  private far: number[] = []; // loss in % as the far side reports it
  private other: Grade | null = null;
  private times = 0;

  /** `changed` after every reading and at the end. */
  constructor(private readonly changed: () => void) {}

  /** The connection to watch from now on; null when nobody talks. */
  watch(connection: RTCPeerConnection | null): void {
    if (connection === this.watched) return;
    this.watched = connection;
    window.clearInterval(this.timer);
    this.grade = this.other = null;
    this.times = 0;
    this.counts = [];
    this.far = [];
    this.reading = { loss: null, jitter: null, roundTrip: null, mos: null };
    if (connection) {
      this.timer = window.setInterval(() => void this.read(connection), EVERY_MS);
      void this.read(connection);
    }
    this.changed();
  }

  private async read(connection: RTCPeerConnection): Promise<void> {
    const report = await connection.getStats().catch(() => null);
    if (!report || connection !== this.watched) return;
    let jitter: number | null = null;
    let roundTrip: number | null = null;
    report.forEach((entry: RTCStats & Record<string, unknown>) => {
      const number = (name: string): number => Number(entry[name] ?? 0);
      if (entry.type === "inbound-rtp" && entry.kind === "audio") {
        jitter = Math.max(jitter ?? 0, number("jitter") * 1000);
        this.counts.push({
          received: number("packetsReceived"),
          lost: number("packetsLost"),
          buffered: number("jitterBufferDelay"),
          emitted: number("jitterBufferEmittedCount"),
        });
        this.counts = this.counts.slice(-WINDOW - 1);
      } else if (entry.type === "remote-inbound-rtp") {
        jitter = Math.max(jitter ?? 0, number("jitter") * 1000);
        if (typeof entry.fractionLost === "number") this.far = [...this.far, entry.fractionLost * 100].slice(-WINDOW);
        if (typeof entry.roundTripTime === "number") roundTrip = Math.max(roundTrip ?? 0, entry.roundTripTime * 1000);
      } else if (entry.type === "candidate-pair" && entry.nominated && typeof entry.currentRoundTripTime === "number") {
        // The way there and back as ICE's own checks measure it: known before the first report of the far side.
        roundTrip = Math.max(roundTrip ?? 0, entry.currentRoundTripTime * 1000);
      }
    });
    this.judge(jitter, roundTrip);
  }

  private judge(jitter: number | null, roundTrip: number | null): void {
    const first = this.counts[0];
    const last = this.counts.at(-1);
    if (!first || !last || first === last) return;
    const came = last.received - first.received;
    const lost = Math.max(0, last.lost - first.lost);
    const near = came + lost > 0 ? (100 * lost) / (came + lost) : 100; // nothing at all: all is lost
    const far = this.far.length ? this.far.reduce((a, b) => a + b, 0) / this.far.length : 0;
    const loss = Math.max(near, far); // the worse of both ways
    const emitted = last.emitted - first.emitted;
    const buffered = emitted > 0 ? ((last.buffered - first.buffered) / emitted) * 1000 : 0;
    const r = rating((roundTrip ?? 0) / 2 + buffered + DEVICES_MS, loss);
    this.reading = { loss, jitter, roundTrip, mos: mosOf(r) };
    this.settle(gradeOf(r));
    this.changed();
  }

  private settle(now: Grade): void {
    if (this.grade === null || now === this.grade) {
      this.grade = now;
      this.other = null;
      return;
    }
    this.times = now === this.other ? this.times + 1 : 1;
    this.other = now;
    const order: Grade[] = ["good", "fair", "poor"];
    const worse = order.indexOf(now) > order.indexOf(this.grade);
    if (this.times < (worse ? WORSE_AFTER : BETTER_AFTER)) return;
    this.grade = now;
    this.other = null;
  }
}
