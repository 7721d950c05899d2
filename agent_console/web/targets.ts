// Names of whom a call is given to, and why it came back.

import type { Target } from "./live";
import { page, t } from "./page";

/** `環境課 ごみ係  内線 2314`. */
export function targetText(to: Target): string {
  const name = [to.department, to.name].filter(Boolean).join(" ");
  const number = to.number_text ?? to.number;
  switch (to.kind) {
    case "extension":
      return [name, t("transfer.extension", { n: number })].filter(Boolean).join("  ");
    case "outside":
      return [name, number].filter(Boolean).join("  ");
    default:
      return name || number;
  }
}

/** A sentence for why a transfer came back; the word itself where nobody foresaw it. */
export function reasonText(reason: string): string {
  return page.texts[`transfer.reason.${reason}`] ?? reason;
}
