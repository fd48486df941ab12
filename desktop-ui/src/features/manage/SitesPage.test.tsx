// 站点: what is copied into the company's pages names the address that pages use.

import { render, screen } from "@testing-library/react";
import { expect, it } from "vitest";
import { ownCard } from "../../../testing/examples";
import { settings } from "../../../testing/settings";
import { useCompany } from "../../stores/company";
import { useManage, useManagePage } from "../../stores/manage";
import { useSession } from "../../stores/session";
import { SitesPage } from "./SitesPage";

const site = {
  id: "site-1",
  name: "云洁商城",
  enabled: true,
  domains: ["https://shop.example"],
  welcome: "",
  preview: true,
  return_tickets: true,
};
const text = (id: string) => screen.getByTestId(id).textContent;

function show(public_url?: string): void {
  const named = public_url === undefined ? {} : { public_url };
  const server = "http://10.0.0.5:8765/";
  useSession.setState({ session: { kind: "signed_in", server, own: ownCard() } });
  useCompany.setState({ sites: [site] });
  useManage.setState({ settings: settings(named) });
  useManagePage.setState({ entry: "site-1" });
  render(<SitesPage />);
}

it("puts the relay's public address into snippet and link", () => {
  show("https://chat.example.com");
  expect(text("site_address")).toBe("https://chat.example.com");
  expect(text("site_snippet")).toBe(
    '<script async src="https://chat.example.com/widget.js" data-site="site-1"></script>',
  );
  expect(text("site_link")).toBe("https://chat.example.com/c/site-1");
  expect(screen.queryByText(/没有设定 public_url/)).toBeNull();
});

it("says so where the relay names none, and takes the address one signed in to", () => {
  show();
  expect(text("site_address")).toBe("http://10.0.0.5:8765");
  expect(text("site_link")).toBe("http://10.0.0.5:8765/c/site-1");
  expect(screen.getByText(/没有设定 public_url/)).toBeTruthy();
});
