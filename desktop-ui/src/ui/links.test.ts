// Which parts of a text become links, and where they lead.

import { describe, expect, it } from "vitest";
import { piecesOf } from "./links";

const links = (text: string) =>
  piecesOf(text)
    .filter((piece) => piece.href !== null)
    .map((piece) => piece.text);

describe("links in a text", () => {
  it.each([
    ["no address here", []],
    ["see https://shop.example/p/88.", ["https://shop.example/p/88"]],
    ["看这里https://shop.example/p/88，很便宜", ["https://shop.example/p/88"]],
    ["(http://a.example/x)", ["http://a.example/x"]],
    ["https://a.example/w_(x)", ["https://a.example/w_(x)"]],
    ["https://a.example?q=1&b=%20#c!", ["https://a.example?q=1&b=%20#c"]],
    ["http://a.example http://b.example", ["http://a.example", "http://b.example"]],
    ["HTTPS://A.EXAMPLE/", ["HTTPS://A.EXAMPLE/"]],
    ["javascript:alert(1) data:text/html,x file:///etc/passwd", []],
    ["xhttps://a.example", []],
    ["https://", []],
    ['https://a.example/"onclick="x', ["https://a.example/"]],
    ["https://a.example/<script>", ["https://a.example/"]],
  ])("%s", (text, expected) => {
    expect(links(text)).toEqual(expected);
  });

  it("change nothing of the text", () => {
    for (const text of [
      "",
      "a",
      "a https://b.example, c\nhttp://d.example/",
      "https://e.example",
    ]) {
      expect(
        piecesOf(text)
          .map((piece) => piece.text)
          .join(""),
      ).toBe(text);
    }
  });
});
