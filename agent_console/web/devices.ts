// Microphone, headset and the loudspeaker that rings: chosen once, remembered on this machine, followed when plugged.
//
// A browser's device ids belong to the origin and change when its data are cleared, so the label is kept too. A
// device that is chosen and not there is told, and the system's own is used until it is back.

export type Use = "mic" | "headset" | "ringer";

interface Choice {
  id: string;
  label: string;
}

export interface Device {
  id: string;
  label: string;
}

/** What is used for something now: `id` "" is the system's own; `lost` names the chosen device that is away. */
export interface Using {
  id: string;
  lost: string | null;
}

const KEY = "daihyo.devices";
const KINDS: Record<Use, MediaDeviceKind> = { mic: "audioinput", headset: "audiooutput", ringer: "audiooutput" };
const USES: Use[] = ["mic", "headset", "ringer"];
/** Chromium's names for "whatever the system uses": we have a line of our own for that. */
const ALIASES = new Set(["default", "communications", ""]);

/** Whether this browser can send sound to a chosen loudspeaker (Chromium, Firefox 116 and newer). */
export const CAN_CHOOSE_SPEAKER = "setSinkId" in HTMLMediaElement.prototype;

export class Devices {
  private known: MediaDeviceInfo[] = [];
  private listed = false;
  private chosen: Partial<Record<Use, Choice>> = {};
  private told = "";

  /** `changed` is called when something is used or lost that was not before. */
  constructor(private readonly changed: () => void) {
    try {
      this.chosen = JSON.parse(localStorage.getItem(KEY) ?? "{}") as Partial<Record<Use, Choice>>;
    } catch {
      // what is kept there is not ours: begin anew
    }
    navigator.mediaDevices?.addEventListener("devicechange", () => void this.look());
  }

  /** Lists the devices anew. Labels, and with them a choice, come once the microphone is allowed. */
  async look(): Promise<void> {
    if (!navigator.mediaDevices) return;
    this.known = await navigator.mediaDevices.enumerateDevices().catch(() => []);
    this.listed = this.known.some((device) => device.label !== "");
    const now = JSON.stringify([this.listed, ...USES.map((use) => [this.using(use), this.list(use)])]);
    if (now === this.told) return;
    this.told = now;
    this.changed();
  }

  list(use: Use): Device[] {
    return this.known
      .filter((device) => device.kind === KINDS[use] && !ALIASES.has(device.deviceId))
      .map((device) => ({ id: device.deviceId, label: device.label }));
  }

  using(use: Use): Using {
    const choice = this.chosen[use];
    if (!choice) return { id: "", lost: null };
    if (!this.listed) return { id: choice.id, lost: null }; // nobody knows yet
    const there = this.list(use);
    const found = there.find((device) => device.id === choice.id) ?? there.find((device) => device.label === choice.label);
    return found ? { id: found.id, lost: null } : { id: "", lost: choice.label };
  }

  choose(use: Use, id: string): void {
    const device = this.list(use).find((one) => one.id === id);
    if (device) this.chosen[use] = device;
    else delete this.chosen[use];
    localStorage.setItem(KEY, JSON.stringify(this.chosen));
    void this.look();
  }
}

/** Sends an element's sound to a loudspeaker; to the system's own where that one refuses. */
export async function playOn(element: HTMLMediaElement, id: string): Promise<void> {
  if (!CAN_CHOOSE_SPEAKER || element.sinkId === id) return;
  await element.setSinkId(id).catch(() => (element.sinkId === "" ? undefined : element.setSinkId("")));
}
