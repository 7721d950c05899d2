// Notices a connection that is dead without a word: a laptop that changed its network hears of no close for minutes.

const EVERY_MS = 8000;
const TICK_MS = 500;
// How long an answer may take, in ticks that were really lived through: a page that was held up itself (a busy
// machine, a laptop that slept) first gets to read what has come meanwhile.
const ANSWER = 12;
const SOON = 5;

/** What may mean that the network is another one now. */
const HINTS: [EventTarget, string][] = [
  [window, "online"],
  [document, "visibilitychange"],
  ...("connection" in navigator ? [[navigator.connection as EventTarget, "change"] as [EventTarget, string]] : []),
];

export class Pulse {
  /** A question is out that nothing has answered yet. */
  asking = false;
  private timer = 0;
  private readonly hinted = (): void => this.soon();

  /** `ask` sends what the other side answers at once; `dead` is called when nothing has come back. */
  constructor(
    private readonly ask: () => void,
    private readonly dead: () => void,
  ) {}

  start(): void {
    this.stop();
    for (const [target, name] of HINTS) target.addEventListener(name, this.hinted);
    this.heard();
  }

  stop(): void {
    window.clearTimeout(this.timer);
    this.timer = 0;
    for (const [target, name] of HINTS) target.removeEventListener(name, this.hinted);
  }

  /** Something arrived. */
  heard(): void {
    this.asking = false;
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => this.beat(ANSWER), EVERY_MS);
  }

  /** Asks now: there is a reason for doubt. */
  soon(): void {
    if (this.timer !== 0) this.beat(SOON);
  }

  private beat(ticks: number): void {
    window.clearTimeout(this.timer);
    this.asking = true;
    this.wait(ticks);
    this.ask();
  }

  private wait(ticks: number): void {
    this.timer = window.setTimeout(() => {
      if (ticks > 1) {
        this.wait(ticks - 1);
        return;
      }
      this.stop();
      this.dead();
    }, TICK_MS);
  }
}
