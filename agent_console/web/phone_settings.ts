// The telephone's settings: which microphone, which loudspeaker for the talk, which one rings and how loudly.

import { CAN_CHOOSE_SPEAKER, type Devices, type Use } from "./devices";
import { el, make, put, show, t } from "./page";
import { chime, ringOnce, setRingVolume } from "./ring";

const VOLUME_KEY = "daihyo.ring";
const SELECTS: Record<Use, string> = { mic: "mic-device", headset: "headset-device", ringer: "ringer-device" };
const USES = Object.keys(SELECTS) as Use[];

/** The dialog of templates/phone_parts.html. */
export class PhoneSettings {
  private readonly dialog = el<HTMLDialogElement>("phone-dialog");

  /** `toggled` when it has been opened or closed. */
  constructor(
    private readonly devices: Devices,
    toggled: () => void,
  ) {
    el("phone-settings").addEventListener("click", () => {
      this.dialog.showModal();
      void devices.look();
      this.draw();
      toggled();
    });
    this.dialog.addEventListener("close", toggled);
    el("phone-dialog-close").addEventListener("click", () => this.dialog.close());
    for (const use of USES) {
      const select = el<HTMLSelectElement>(SELECTS[use]);
      select.addEventListener("change", () => devices.choose(use, select.value));
    }
    el("test-headset").addEventListener("click", () => void chime(devices.using("headset").id));
    el("test-ring").addEventListener("click", () => ringOnce());
    const volume = el<HTMLInputElement>("ring-volume");
    volume.value = localStorage.getItem(VOLUME_KEY) ?? volume.value;
    setRingVolume(Number(volume.value));
    volume.addEventListener("input", () => {
      localStorage.setItem(VOLUME_KEY, volume.value);
      setRingVolume(Number(volume.value));
    });
  }

  get open(): boolean {
    return this.dialog.open;
  }

  draw(): void {
    if (!this.open) return;
    for (const use of USES) this.fill(use);
    show(el("no-speaker-choice"), !CAN_CHOOSE_SPEAKER);
  }

  private fill(use: Use): void {
    const select = el<HTMLSelectElement>(SELECTS[use]);
    const now = this.devices.using(use);
    const options = this.devices.list(use);
    const wanted = [["", t("devices.system")], ...options.map((one) => [one.id, one.label || t("devices.unnamed")])];
    // Only when it differs: a list that is open must not jump under the hand.
    if (JSON.stringify(wanted) !== select.dataset.options) {
      select.dataset.options = JSON.stringify(wanted);
      select.replaceChildren(
        ...wanted.map(([id, label]) => {
          const option = make("option", "", label) as HTMLOptionElement;
          option.value = id ?? "";
          return option;
        }),
      );
    }
    select.value = now.id;
    select.disabled = use !== "mic" && !CAN_CHOOSE_SPEAKER;
    const lost = el(`${SELECTS[use]}-lost`);
    put(lost, now.lost === null ? "" : t("devices.lost", { name: now.lost }));
    show(lost, now.lost !== null);
  }
}
