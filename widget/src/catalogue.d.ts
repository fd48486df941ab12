// A part of the catalogue, cut out by the build (catalogue.ts).

declare module "*.json?frame" {
  export const widget: { readonly frame_lost: string; readonly frame_old: string };
}

declare module "*.json?later" {
  export const widget: Readonly<Record<string, string>>;
}
