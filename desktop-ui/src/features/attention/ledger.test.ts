// What came of a wait reads as one line, without what did not happen.

import { expect, it } from "vitest";
import { TEN_O_CLOCK } from "../../../testing/examples";
import { type TextKey, translate } from "../../i18n";
import { timeOfDay } from "../../i18n/format";
import { ledgerLine } from "./ledger";

it("says what came of a wait", () => {
  const t = (key: TextKey) => translate("zh-CN", key);
  const time = timeOfDay("zh-CN", TEN_O_CLOCK);
  const line = ledgerLine(t, "zh-CN", {
    shown_at: TEN_O_CLOCK,
    sounded_at: TEN_O_CLOCK,
    level: "calm",
    toasted_at: null,
    seen_at: TEN_O_CLOCK,
    answered_at: null,
  });
  expect(line).toBe(`出现 ${time} · 已响铃 ${time} · 已查看 ${time}`);
});
