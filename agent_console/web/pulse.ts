// Notices a connection that is dead without a word: a laptop that changed its network hears of no close for minutes.

const EVERY_MS = 8000;
const ANSWER_MS = 5000;
const SOON_MS = 2000;

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
    this.timer = window.setTimeout(() => this.beat(ANSWER_MS), EVERY_MS);
  }

  /** Asks now: there is a reason for doubt. */
  soon(): void {
    if (this.timer !== 0) this.beat(SOON_MS);
  }

  private beat(within: number): void {
    window.clearTimeout(this.timer);
    this.timer = window.setTimeout(() => {
      this.stop();
      this.dead();
    }, within);
    this.asking = true;
    this.ask();
  }
}
