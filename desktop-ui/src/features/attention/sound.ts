// The three sounds of an alert, made from tones: nothing is fetched. A computer without sound, or a page
// that nobody touched yet, stays silent.

import type { AlertLevel } from "../../../../shared/bindings/ui/AlertLevel";

interface Sound {
  /** In hertz, one after the other. */
  tones: readonly number[];
  /** Of each, in seconds. */
  length: number;
  /** Of the loudness that is set. */
  share: number;
}

const SOUNDS: Record<AlertLevel, Sound> = {
  calm: { tones: [784, 1047], length: 0.16, share: 0.35 },
  warn: { tones: [784, 1047, 784, 1047], length: 0.16, share: 0.6 },
  alarm: { tones: [1175, 880, 1175, 880, 1175, 880], length: 0.18, share: 1 },
};
/** A tone begins and ends softly, in seconds: otherwise it clicks. */
const EDGE = 0.02;

let context: AudioContext | undefined;

/** Plays one; the volume is in percent. */
export async function play(level: AlertLevel, volume: number): Promise<void> {
  if (typeof AudioContext === "undefined" || volume <= 0) return;
  context ??= new AudioContext();
  try {
    if (context.state === "suspended") await context.resume();
  } catch {
    return;
  }
  const { tones, length, share } = SOUNDS[level];
  const loudness = (Math.min(volume, 100) / 100) * share;
  tones.forEach((hertz, at) => {
    if (context !== undefined)
      tone(context, hertz, context.currentTime + at * length, length, loudness);
  });
}

function tone(on: AudioContext, hertz: number, start: number, length: number, loudness: number) {
  const source = on.createOscillator();
  const gain = on.createGain();
  source.frequency.value = hertz;
  gain.gain.setValueAtTime(0, start);
  gain.gain.linearRampToValueAtTime(loudness, start + EDGE);
  gain.gain.setValueAtTime(loudness, start + length - EDGE);
  gain.gain.linearRampToValueAtTime(0, start + length);
  source.connect(gain).connect(on.destination);
  source.start(start);
  source.stop(start + length);
}
