// Every question the contract has can be asked, keeps what fits when it changes, and reads as a
// sentence in both languages.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Ask } from "../../../../shared/bindings/Ask";
import { type TextKey, translate } from "../../i18n";
import { askProblem } from "./checks";
import {
  askAbout,
  COMPARISONS,
  NUMBER_MAX,
  NUMBERS,
  PLAIN,
  sentenceOf,
  subjectOf,
  TEXTS,
} from "./conditions";

const bindings = join(import.meta.dirname, "../../../../shared/bindings");
const unionOf = (name: string) =>
  [...readFileSync(join(bindings, `${name}.ts`), "utf8").matchAll(/"([a-z_]+)"/g)].map(
    ([, one]) => one,
  );
const zh = (key: TextKey, values?: Record<string, string | number>) =>
  translate("zh-CN", key, values);
const en = (key: TextKey, values?: Record<string, string | number>) => translate("en", key, values);
const names = {
  site: (id: string) => `name of ${id}`,
  department: (id: string) => `name of ${id}`,
};
const vip: Ask = { kind: "vip" };

describe("what can be asked", () => {
  it("is everything the contract has", () => {
    expect([...TEXTS].sort()).toEqual(unionOf("TextOf").sort());
    expect([...NUMBERS].sort()).toEqual(unionOf("NumberOf").sort());
    expect([...COMPARISONS].sort()).toEqual(unionOf("TextIs").sort());
  });

  it("begins with a question about its own subject", () => {
    const subjects = [
      ...TEXTS.map((of) => `text:${of}`),
      ...NUMBERS.map((of) => `number:${of}`),
      ...PLAIN,
      "time",
      "open",
    ];
    for (const subject of subjects) {
      const ask = askAbout(subject, vip, "service");
      expect(subjectOf(ask)).toBe(subject);
      if (ask.kind !== "text") expect(askProblem(ask), subject).toBeNull();
    }
  });

  it("keeps values from one text to another, and no site among them", () => {
    const page: Ask = { kind: "text", of: "page", field: "", is: "like", values: ["*/x"] };
    expect(askAbout("text:referrer", page, "")).toMatchObject({ is: "like", values: ["*/x"] });
    expect(askAbout("text:site", page, "")).toMatchObject({ is: "one_of", values: [] });
    expect(askAbout("number:visits", page, "")).toMatchObject({ to: NUMBER_MAX });
  });
});

describe("a sentence", () => {
  const say = (ask: Ask, not = false) => {
    const { subject, is, value } = sentenceOf(zh, "zh-CN", { not, ask }, names);
    return [subject, is, value].filter(Boolean).join(" ");
  };
  it("names what is asked, how, and with what", () => {
    const text = { kind: "text", of: "page", field: "", is: "contains" } as const;
    expect(say({ ...text, values: ["/a", "/b"] })).toBe("当前页面 包含 /a、/b");
    expect(say({ ...text, values: ["/a"] }, true)).toBe("当前页面 不包含 /a");
    expect(say({ ...text, of: "site", is: "one_of", values: ["s1"] })).toBe("站点 是 name of s1");
    expect(say({ ...text, of: "field", field: "会员号", is: "known", values: [] })).toBe(
      "会员号 已知",
    );
    expect(say({ kind: "number", of: "visits", from: 2, to: NUMBER_MAX })).toBe(
      "访问次数 是 2 以上",
    );
    expect(say({ kind: "number", of: "level", from: 1, to: 3 })).toBe("客户级别 是 1–3");
    expect(say({ kind: "vip" }, true)).toBe("VIP 访客 否");
    expect(say({ kind: "time", days: [5, 0], span: { from: 540, to: 720 } })).toBe(
      "时间 在 周一、周六 09:00–12:00",
    );
    expect(say({ kind: "open", department_id: "d1" })).toBe("name of d1 正在营业");
  });

  it("has words in English too", () => {
    for (const of of TEXTS) {
      const ask: Ask = { kind: "text", of, field: "Member no.", is: "one_of", values: ["x"] };
      expect(sentenceOf(en, "en", { not: true, ask }, names)).toMatchObject({ is: "is not" });
    }
  });
});
