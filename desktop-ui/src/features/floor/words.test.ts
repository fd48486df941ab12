// Lengths of time as the boards write them.

import { describe, expect, it } from "vitest";
import { type TextKey, type TextValues, translate } from "../../i18n";
import { minutesText, responseText, sinceText } from "./words";

const t = (key: TextKey, values?: TextValues) => translate("zh-CN", key, values);
const now = new Date(2026, 10, 22, 12).getTime();

describe("times of the boards", () => {
  it.each([
    [59, "0 分"],
    [3_599, "59 分"],
    [3_900, "1 小时 5 分"],
  ])("%d seconds of work are %s", (seconds, text) => expect(minutesText(t, seconds)).toBe(text));

  it.each([
    [null, "—"],
    [21_400, "21 秒"],
    [119_000, "119 秒"],
    [185_000, "3 分"],
  ])("a first response of %s ms is %s", (ms, text) => expect(responseText(t, ms)).toBe(text));

  it("counts since when, names the day later, and says nothing of never", () => {
    expect(sinceText("zh-CN", now - 65_000, now)).toBe("01:05");
    expect(sinceText("zh-CN", now - 86_400_000, now)).toBe("昨天");
    expect(sinceText("zh-CN", 0, now)).toBe("");
  });
});
