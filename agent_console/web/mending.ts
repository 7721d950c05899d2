// Sound that has broken off is mended within the conversation: an ICE restart (RFC 8445, 2.4; RFC 8839, 4.4.1.1.1),
// as after a change of the network. When that does not help, the session is ended here, and the engine, which takes
// that for a lost page, gives the conversation back on a new one.

import type { RTCSession } from "jssip/lib/RTCSession";

const LOOK_MS = 700;
const TRY_MS = 5000;
const TRIES = 2;
const RTP_TIMEOUT = "RTP Timeout"; // JsSIP's own cause when ICE has failed

export interface Line {
  /** Whether a re-INVITE would leave at once and its answer find us. */
  ready(): boolean;
  /** The sound has broken off: perhaps the line has, too. */
  doubt(): void;
}

type Options = Parameters<RTCSession["terminate"]>[0] & { cause?: string };

export class Mending {
  broken = false;
  private timer = 0;
  private asked = 0;
  private tries = 0;
  private readonly end: (options?: Options) => void;

  constructor(
    private readonly session: RTCSession,
    private readonly connection: RTCPeerConnection,
    private readonly line: Line,
    private readonly changed: () => void,
  ) {
    this.end = session.terminate.bind(session);
    // JsSIP ends a session whose ICE has failed. That is too early: the network may be about to come back.
    session.terminate = (options?: Options) => {
      if (options?.cause === RTP_TIMEOUT) this.look();
      else this.end(options);
    };
    connection.addEventListener("iceconnectionstatechange", () => this.look());
    for (const over of ["ended", "failed"] as const) session.on(over, () => window.clearInterval(this.timer));
  }

  private look(): void {
    const state = this.connection.iceConnectionState;
    if (state === "disconnected" || state === "failed") {
      if (this.broken || this.session.isEnded()) return;
      this.broken = true;
      this.tries = this.asked = 0;
      this.line.doubt();
      this.timer = window.setInterval(() => this.mend(), LOOK_MS);
      this.changed();
    } else if (this.broken && (state === "connected" || state === "completed")) {
      this.broken = false;
      window.clearInterval(this.timer);
      this.changed();
    }
  }

  private mend(): void {
    if (!this.line.ready()) return;
    const now = Date.now();
    if (now - this.asked < TRY_MS) return;
    if (this.tries >= TRIES) {
      window.clearInterval(this.timer);
      try {
        this.end({ status_code: 408, reason_phrase: RTP_TIMEOUT });
      } catch {
        // it was ending already
      }
      return;
    }
    // JsSIP (3.13.8) remembers of the first gathering that it is ready, and would send an offer without candidates
    // and with the address 0.0.0.0, which Asterisk takes for a hold: the citizen would hear music for ever.
    (this.session as unknown as { _iceReady: boolean })._iceReady = false;
    if (!this.session.renegotiate({ rtcOfferConstraints: { iceRestart: true } })) return; // another is under way
    this.asked = now;
    this.tries += 1;
  }
}
