// The tokens as antd wants them. antd computes shades from these, so it needs values, not
// variables; theme.test.ts compares them with tokens.css.

import { theme as antdTheme, type ThemeConfig } from "antd";

/** The tokens that antd needs, by the names of tokens.css. */
export const PALETTES = {
  light: {
    brand: "#17755a",
    "brand-text": "#17755a",
    bg: "#f5f7f6",
    surface: "#ffffff",
    raised: "#ffffff",
    line: "#e2e7e4",
    "line-strong": "#cfd7d3",
    text: "#1a231f",
    "text-2": "#55635c",
    "text-3": "#606d66",
    quiet: "#84908a",
    "brand-soft": "#e5f2ec",
    hover: "#eef2f0",
    danger: "#c0342f",
    warn: "#96600f",
    "current-edge": "#2f6fed",
  },
  dark: {
    brand: "#1b7d5f",
    "brand-text": "#63cba5",
    bg: "#0e1311",
    surface: "#151b18",
    raised: "#1b2320",
    line: "#27302b",
    "line-strong": "#3a4640",
    text: "#e4eae7",
    "text-2": "#a6b2ab",
    "text-3": "#85928b",
    quiet: "#66736c",
    "brand-soft": "#17352a",
    hover: "#1f2824",
    danger: "#f28b82",
    warn: "#e3b25a",
    "current-edge": "#5c92ff",
  },
} as const;

type Algorithm = typeof antdTheme.darkAlgorithm;

/** antd's dark algorithm dims the colour it is given; the brand stays the brand. */
const darkAlgorithm: Algorithm = (seed, base) => ({
  ...antdTheme.darkAlgorithm(seed, base),
  colorPrimary: seed.colorPrimary,
});

/** The antd theme for a palette. */
export function themeFor(name: keyof typeof PALETTES, stillness: boolean): ThemeConfig {
  const colors = PALETTES[name];
  return {
    algorithm: name === "dark" ? darkAlgorithm : antdTheme.defaultAlgorithm,
    token: {
      colorPrimary: colors.brand,
      colorInfo: colors.brand,
      colorLink: colors["brand-text"],
      colorError: colors.danger,
      colorWarning: colors.warn,
      // What has the keyboard, as everywhere else.
      colorPrimaryBorder: colors["current-edge"],
      colorBgBase: colors.surface,
      colorTextBase: colors.text,
      colorText: colors.text,
      colorTextSecondary: colors["text-2"],
      colorTextTertiary: colors["text-3"],
      // Arrows of selects and the ground of a switch that is off: 3:1 on what they stand on.
      colorTextQuaternary: colors.quiet,
      colorTextPlaceholder: colors["text-3"],
      colorTextDescription: colors["text-2"],
      colorBgContainer: colors.surface,
      colorBgElevated: colors.raised,
      colorBgLayout: colors.bg,
      colorBorder: colors["line-strong"],
      colorBorderSecondary: colors.line,
      controlItemBgHover: colors.hover,
      controlItemBgActive: colors["brand-soft"],
      controlItemBgActiveHover: colors["brand-soft"],
      borderRadius: 6,
      borderRadiusLG: 8,
      fontFamily: "var(--font)",
      fontSize: 14,
      controlHeight: 32,
      controlHeightSM: 26,
      controlHeightLG: 40,
      motion: !stillness,
      motionDurationFast: "0.12s",
      motionDurationMid: "0.14s",
      motionDurationSlow: "0.16s",
      wireframe: false,
    },
    components: {
      Button: {
        primaryShadow: "none",
        defaultShadow: "none",
        dangerShadow: "none",
        fontWeight: 500,
        contentFontSizeSM: 13,
        paddingInlineSM: 9,
      },
      // The chosen item is text on a soft ground: the brand's own colour is too dim for that at night.
      Dropdown: { paddingBlock: 6, colorPrimary: colors["brand-text"] },
    },
  };
}
