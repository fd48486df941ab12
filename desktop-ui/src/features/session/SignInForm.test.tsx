// Signing in as a person does it: what is missing is said, what went wrong is said, nothing typed is
// lost, and no password goes unencrypted over a network without a clear yes.

import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { beforeEach, describe, expect, it } from "vitest";
import type { SignInForm as Filled } from "../../../../shared/bindings/ui/SignInForm";
import { ScriptedHost } from "../../../testing/scriptedHost";
import { installHost } from "../../host";
import { setLocale } from "../../i18n";
import { isPlainHttp, serverAddress } from "../../stores/session";
import { SignInForm } from "./SignInForm";

let host: ScriptedHost;

const empty: Filled = { server: "", account: "", password_remembered: false, can_remember: true };

function show(filled: Partial<Filled> = {}) {
  return render(<SignInForm filled={{ ...empty, ...filled }} notice={null} busy={false} />);
}

const fill = (id: string, value: string) =>
  fireEvent.change(screen.getByTestId(`sign-in-${id}`), { target: { value } });
const submit = () => fireEvent.click(screen.getByTestId("sign-in-submit"));
const tried = () => host.bodies("sign_in");

beforeEach(() => {
  host = new ScriptedHost();
  installHost(host);
  setLocale("en");
});

describe("the sign-in form", () => {
  it("asks with what was typed", async () => {
    show();
    fill("server", " chat.example.com ");
    fill("account", " ana ");
    fill("password", " secret 12 ");
    fireEvent.click(screen.getByTestId("sign-in-auto"));
    submit();
    await waitFor(() => expect(tried()).toHaveLength(1));
    expect(tried()[0]).toEqual({
      server: "https://chat.example.com",
      account: "ana",
      password: " secret 12 ",
      remember: "auto_sign_in",
      allow_plain_http: false,
    });
  });

  it.each([
    ["server", {}, "Enter the server's address"],
    ["account", { server: "x" }, "Enter your account"],
    ["password", { server: "x", account: "ana" }, "Enter your password"],
  ])("says that the %s is missing, at the field", (_, filled, words) => {
    show(filled);
    submit();
    expect(screen.getByText(words)).toBeTruthy();
    expect(tried()).toHaveLength(0);
  });

  it("needs no password that is remembered, but for that account only", async () => {
    show({ server: "https://chat.example.com", account: "ana", password_remembered: true });
    submit();
    await waitFor(() => expect(tried()).toHaveLength(1));
    fill("account", "ben");
    submit();
    expect(screen.getByText("Enter your password")).toBeTruthy();
    expect(tried()).toHaveLength(1);
  });

  it("gives a remembered password up as soon as it shall not be remembered", async () => {
    const filled = { server: "https://chat.example.com", account: "ana" };
    const { rerender } = show({ ...filled, password_remembered: true });
    const remember = screen.getByTestId<HTMLInputElement>("sign-in-remember");
    expect(remember.checked).toBe(true);
    fireEvent.click(remember);
    await waitFor(() => expect(host.bodies("forget_password")).toHaveLength(1));
    rerender(<SignInForm filled={{ ...empty, ...filled }} notice={null} busy={false} />);
    fireEvent.click(remember);
    fireEvent.click(remember);
    submit();
    expect(screen.getByText("Enter your password")).toBeTruthy();
    expect(host.bodies("forget_password")).toHaveLength(1);
  });

  it("says what went wrong and keeps what was typed", async () => {
    host.refuse("sign_in", { code: "wrong_credentials" });
    show({ server: "https://chat.example.com" });
    fill("account", "ana");
    fill("password", "wrong");
    submit();
    const error = await screen.findByTestId("sign-in-error");
    expect(error.textContent).toContain("account or the password is wrong");
    expect(screen.getByTestId<HTMLInputElement>("sign-in-password").value).toBe("wrong");
  });

  it("says how long to wait when tried too often", async () => {
    host.refuse("sign_in", { code: "too_fast", retry_after_ms: 4_200 });
    show({ server: "https://chat.example.com", account: "ana" });
    fill("password", "x");
    submit();
    const error = await screen.findByTestId("sign-in-error");
    expect(error.textContent).toContain("in 5 seconds");
  });

  it("sends nothing unencrypted before a clear yes", async () => {
    host.refuse("sign_in", { kind: "plain_http" });
    show({ server: "http://chat.example.com", account: "ana" });
    fill("password", "x");
    submit();
    fireEvent.click(await screen.findByTestId("sign-in-plain-http"));
    await waitFor(() => expect(tried()).toHaveLength(2));
    expect(tried().map((one) => one.allow_plain_http)).toEqual([false, true]);
  });

  it("offers nothing to remember where there is no key store", () => {
    show({ can_remember: false });
    expect(screen.getByText(/has no key store/)).toBeTruthy();
    expect(screen.getAllByRole<HTMLInputElement>("checkbox").every((box) => box.disabled)).toBe(
      true,
    );
  });
});

describe("a server's address", () => {
  it.each([
    ["chat.example.com", "https://chat.example.com", false],
    ["chat.localhost:8080", "http://chat.localhost:8080", false],
    ["localhost", "http://localhost", false],
    ["127.0.0.1:9000", "http://127.0.0.1:9000", false],
    ["http://10.0.0.5", "http://10.0.0.5", true],
    ["http://localhost.example.com", "http://localhost.example.com", true],
    ["https://10.0.0.5", "https://10.0.0.5", false],
    ["", "", false],
  ])("%s means %s", (typed, address, plain) => {
    expect(serverAddress(typed)).toBe(address);
    expect(isPlainHttp(typed)).toBe(plain);
  });
});
