// What went wrong, as components see it.

export type { Problem } from "../host";
