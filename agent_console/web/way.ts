// How a caller came: the menu's choices, the language, the line that was diverted to us.

import type { Call } from "./live";
import { page, t } from "./page";

/** "案内 → くらし → ごみ", "英語", "市民課直通から転送": what the operator should know before answering. */
export function wayOf(call: Call): string[] {
  const parts: string[] = [];
  if (call.path?.length) parts.push(t("way", { path: call.path.join(" → ") }));
  if (call.language && call.language !== page.site_language) parts.push(t(`language.${call.language}`));
  if (call.diverted_name) parts.push(t("diverted", { name: call.diverted_name }));
  return parts;
}
