// Joins class names, leaving out what does not apply.

/** `join("row", open && "current")` */
export function join(...names: (string | false | null | undefined)[]): string {
  return names.filter(Boolean).join(" ");
}
